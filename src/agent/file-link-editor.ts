/**
 * Changes links for the API: in the configuration file, as a person would, and in the running agent. The file changes
 * only to what the agent takes, and the agent only to what the file says.
 */
import { configDiff } from "../config/config-diff.ts";
import { systemReason } from "../config/file-values.ts";
import { editLinks, type LinkEdit } from "../config/link-edit.ts";
import { quoted } from "../config/printable.ts";
import { formatProblem } from "../config/problem.ts";
import type { EditResult, LinkEditor } from "../ops/link-editor.ts";
import { replaceFile } from "../store/replace-file.ts";
import type { ConfigReload } from "./config-reload.ts";
import type { CurrentConfig } from "./current-config.ts";
import { whyNotWritable } from "./write-access.ts";

type Link = Readonly<Record<string, unknown>>;

export class FileLinkEditor implements LinkEditor {
  readonly #reload: ConfigReload;
  readonly #config: Pick<CurrentConfig, "now">;

  constructor(reload: ConfigReload, config: Pick<CurrentConfig, "now">) {
    this.#reload = reload;
    this.#config = config;
  }

  get readOnlyReason(): string | null {
    const { path, linksElsewhere } = this.#reload.source;
    if (path === undefined)
      return "there is no configuration file: the agent was started with flags and variables only";
    if (linksElsewhere !== null)
      return `${linksElsewhere} says something about links too, which a file cannot overrule`;
    return whyNotWritable(path);
  }

  create(link: Link): Promise<EditResult> {
    return this.#edit({ kind: "create", link });
  }

  update(name: string, link: Link): Promise<EditResult> {
    return this.#edit({ kind: "update", name, link: { name, ...link } });
  }

  remove(name: string): Promise<EditResult> {
    return this.#edit({ kind: "remove", name });
  }

  #edit(edit: LinkEdit): Promise<EditResult> {
    return this.#reload.inTurn(() => this.#inTurn(edit));
  }

  async #inTurn(edit: LinkEdit): Promise<EditResult> {
    const reload = this.#reload;
    const { source } = reload;
    const { path = "" } = source;
    const readOnly = this.readOnlyReason;
    if (readOnly !== null) return { ok: false, code: "READ_ONLY", message: readOnly };
    let before: string;
    try {
      before = source.text();
    } catch (error) {
      return { ok: false, code: "WRITE_FAILED", message: `cannot read ${quoted(path)}: ${systemReason(error)}` };
    }
    const edited = editLinks(before, edit);
    if (!edited.ok) return edited;
    const loaded = source.load(edited.text);
    if (!loaded.ok) return { ok: false, code: "BAD_REQUEST", message: loaded.problems.map(formatProblem).join("; ") };
    const { needsRestart } = configDiff(this.#config.now, loaded.config);
    if (needsRestart.length > 0)
      return { ok: false, code: "BAD_REQUEST", message: `only a restart can change ${needsRestart.join(", ")}` };
    const problem = await this.#write(path, edited.text);
    if (problem !== null) return { ok: false, code: "WRITE_FAILED", message: problem };
    const taken = await reload.take(loaded, "api");
    if (taken.ok) return { ok: true };
    const left = await this.#write(path, before);
    const message = `${taken.code}: ${taken.reasons.join("; ")}${left === null ? "" : `; and the file could not be restored: ${left}`}`;
    return { ok: false, code: "WRITE_FAILED", message };
  }

  /** Answers why it did not work. */
  async #write(path: string, text: string): Promise<string | null> {
    try {
      replaceFile(path, text);
    } catch (error) {
      const isMounted = (error as NodeJS.ErrnoException).code === "EBUSY";
      const hint = isMounted ? "; it is mounted as a single file: mount its folder instead" : "";
      return `cannot write ${quoted(path)}: ${systemReason(error)}${hint}`;
    }
    await this.#reload.wrote(path);
    return null;
  }
}
