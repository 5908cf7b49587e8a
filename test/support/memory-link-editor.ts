/** Links that change in memory, by the rules of the configuration: what the agent's own editor does, without its file. */
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import type { AgentConfig } from "../../src/config/types.ts";
import type { EditResult, LinkEditor } from "../../src/ops/link-editor.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../config/pem.ts";

type Raw = Readonly<Record<string, unknown>>;

const MASK = "******";

export class MemoryLinkEditor implements LinkEditor {
  readOnlyReason: string | null = null;
  config: AgentConfig;
  #links: readonly Raw[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.config = load([]).config as AgentConfig;
  }

  /** As they stand in the file. */
  get links(): readonly Raw[] {
    return this.#links;
  }

  create(link: Raw): Promise<EditResult> {
    return this.#inTurn(() => {
      if (this.#links.some(({ name }) => name === link["name"]))
        return { ok: false, code: "ALREADY_EXISTS", message: "Cluster link already exists" };
      return this.#take([...this.#links, link]);
    });
  }

  update(name: string, link: Raw): Promise<EditResult> {
    return this.#inTurn(() => {
      const at = this.#links.findIndex((known) => known["name"] === name);
      const before = this.#links[at];
      if (before === undefined) return notFound();
      return this.#take(this.#links.with(at, unmasked(link, before)));
    });
  }

  remove(name: string): Promise<EditResult> {
    return this.#inTurn(() => {
      const left = this.#links.filter((known) => known["name"] !== name);
      return left.length === this.#links.length ? notFound() : this.#take(left);
    });
  }

  /** One after the other, and never within the request itself, as it is with a file. */
  #inTurn(change: () => EditResult): Promise<EditResult> {
    const done = this.#last.then(() => {
      if (this.readOnlyReason !== null) return { ok: false, code: "READ_ONLY", message: this.readOnlyReason } as const;
      return change();
    });
    this.#last = done;
    return done;
  }

  #take(links: readonly Raw[]): EditResult {
    const { config, problems } = load(links);
    if (config === null) return { ok: false, code: "BAD_REQUEST", message: problems.join("; ") };
    this.#links = links;
    this.config = config;
    return { ok: true };
  }
}

function notFound(): EditResult {
  return { ok: false, code: "NOT_FOUND", message: "Cluster link not found" };
}

function load(links: readonly Raw[]): { readonly config: AgentConfig | null; readonly problems: readonly string[] } {
  const text = JSON.stringify({
    cluster: "clusterA",
    local: { server: "mqtt://127.0.0.1:1883", broker: "mosquitto" },
    links,
  });
  const loaded = loadConfig({
    file: { path: "brokerlink.json", text },
    env: {},
    flags: {},
    readFile: (path) => {
      if (path.endsWith(".key")) return PRIVATE_KEY;
      return path.endsWith(".pem") ? CERTIFICATE : "a-secret-from-a-file";
    },
    pathKind: () => null,
  });
  return loaded.ok
    ? { config: loaded.config, problems: [] }
    : { config: null, problems: loaded.problems.map(formatProblem) };
}

/** A secret that comes back as it was shown stays as it is, wherever the file has it from. */
function unmasked(link: Raw, before: Raw): Raw {
  const after: Record<string, unknown> = { ...link };
  if (after["password"] === MASK) {
    delete after["password"];
    for (const key of ["password", "password_file"]) if (before[key] !== undefined) after[key] = before[key];
  }
  const ssl = after["ssl"] as Raw | undefined;
  const sslBefore = (before["ssl"] ?? {}) as Raw;
  if (ssl === undefined) return after;
  const kept = Object.entries(ssl).map(([key, value]) => [key, value === MASK ? sslBefore[key] : value]);
  return { ...after, ssl: Object.fromEntries(kept.filter(([, value]) => value !== undefined)) };
}
