/** A real `brokerlink run` process for tests: started with flags and a file, asked over HTTP, killed as hard as a test wants. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LinkStatus } from "../../src/hub/status.ts";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import type { LinkAnswer } from "../../src/ops/link-answer.ts";
import { LineBuffer } from "../support/line-buffer.ts";
import { until } from "../support/until.ts";

const BIN = new URL("../../../bin/brokerlink.js", import.meta.url).pathname;
const LOG_LINES = 2_000;
const LOG_LINES_SHOWN = 40;

export interface AgentArguments {
  readonly cluster: string;
  readonly local: string;
  readonly broker?: string;
  /** Name → URL of the peer's broker, or null when the peer dials in. */
  readonly links?: Readonly<Record<string, string | null>>;
  readonly topics?: Readonly<Record<string, readonly string[]>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to a file and given with --config: what flags cannot say. A text is the name of a file that is there. */
  readonly config?: Readonly<Record<string, unknown>> | string;
}

export class AgentProcess {
  readonly log = new LineBuffer(LOG_LINES);
  readonly cluster: string;
  readonly #options: AgentArguments;
  readonly #dir: string;
  #process: ChildProcess | null = null;
  #port = 0;
  exitCode: number | null = null;

  constructor(options: AgentArguments) {
    this.#options = options;
    this.cluster = options.cluster;
    this.#dir = mkdtempSync(join(tmpdir(), "brokerlink-agent-"));
  }

  static async start(options: AgentArguments): Promise<AgentProcess> {
    const agent = new AgentProcess(options);
    await agent.start();
    return agent;
  }

  /** Resolves when the agent serves HTTP; it may not be connected to anything yet. */
  async start(): Promise<void> {
    this.#port = 0;
    this.exitCode = null;
    const child = spawn(process.execPath, [BIN, ...this.#arguments()], {
      env: { ...process.env, ...this.#options.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    child.on("exit", (code) => {
      this.exitCode = code ?? -1;
    });
    this.log.follow(child.stderr, (line) => {
      const match = /"port":(\d+).*"http listening"/.exec(line);
      if (match !== null) this.#port = Number(match[1]);
    });
    await until(`agent ${this.cluster} listens`, () => {
      if (this.exitCode !== null) {
        throw new Error(`agent ${this.cluster} exited with ${this.exitCode}:\n${this.log.tail(LOG_LINES_SHOWN)}`);
      }
      return this.#port !== 0;
    });
  }

  #arguments(): string[] {
    const { cluster, local, broker = "mosquitto", links = {}, topics = {}, config } = this.#options;
    const args = ["run", "--cluster", cluster, "--local", local, "--broker", broker];
    args.push("--http", "127.0.0.1:0", "--log-level", "debug");
    if (config !== undefined) {
      if (typeof config !== "string") writeFileSync(this.configFile, JSON.stringify(config), { mode: 0o600 });
      args.push("--config", typeof config === "string" ? config : this.configFile);
    }
    for (const [name, url] of Object.entries(links)) args.push("--link", url === null ? name : `${name}=${url}`);
    for (const [name, filters] of Object.entries(topics)) {
      for (const filter of filters) args.push("--topics", `${name}=${filter}`);
    }
    return args;
  }

  /** Where what was given as `config` stands. */
  get configFile(): string {
    return join(this.#dir, "brokerlink.json");
  }

  /** Another configuration, in one step, as editors do it. */
  rewrite(config: Readonly<Record<string, unknown>>): void {
    const next = `${this.configFile}.new`;
    writeFileSync(next, JSON.stringify(config), { mode: 0o600 });
    renameSync(next, this.configFile);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`);
  }

  async status(): Promise<AgentStatus> {
    return (await (await this.get("/api/v1/status")).json()) as AgentStatus;
  }

  /** The link's own numbers. */
  async linkStatus(name: string): Promise<LinkStatus> {
    const link = (await this.status()).hub.links.find((candidate) => candidate.name === name);
    if (link === undefined) throw new Error(`agent ${this.cluster} has no link ${name}`);
    return link;
  }

  /** The link as EMQX's API shows it. */
  async link(name: string): Promise<LinkAnswer> {
    return (await (await this.get(`/api/v5/cluster/links/link/${name}`)).json()) as LinkAnswer;
  }

  /** Waits until both halves of the link work. */
  async linked(name: string, timeoutMs = 20_000): Promise<void> {
    await this.untilLink(
      name,
      `${this.cluster} linked with ${name}`,
      (link) => link.status === "connected" || `${link.status}: ${JSON.stringify(link.lastProblem)}`,
      timeoutMs,
    );
  }

  /** Waits until the interest is proven complete. */
  async exact(timeoutMs = 20_000): Promise<void> {
    await this.untilStatus(
      `${this.cluster} exact`,
      (status) => status.hub.wide === null || JSON.stringify([status.hub.wide, status.hub.interest]),
      timeoutMs,
    );
  }

  async untilLink(
    name: string,
    what: string,
    condition: (link: LinkStatus) => boolean | string,
    timeoutMs = 20_000,
  ): Promise<void> {
    await this.untilStatus(
      what,
      (status) => {
        const link = status.hub.links.find((candidate) => candidate.name === name);
        return link === undefined ? `no link ${name}` : condition(link);
      },
      timeoutMs,
    );
  }

  async untilStatus(
    what: string,
    condition: (status: AgentStatus) => boolean | string,
    timeoutMs = 20_000,
  ): Promise<void> {
    await this.#explained(() => until(what, async () => condition(await this.status()), timeoutMs));
  }

  /** Waits for a log line; everything since the start counts. */
  async logged(pattern: RegExp, timeoutMs = 20_000): Promise<string> {
    let found = "";
    const seen = (): boolean => {
      found = this.log.lines.find((line) => pattern.test(line)) ?? "";
      return found !== "";
    };
    await this.#explained(() => until(`${this.cluster} logs ${pattern}`, seen, timeoutMs));
    return found;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Sends the signal and waits for the end; answers the exit code (-1: killed). */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    const child = this.#process;
    if (child === null || this.exitCode !== null) return this.exitCode ?? 0;
    child.kill(signal);
    // A stopped process takes no signal but the hardest.
    if (signal !== "SIGKILL") child.kill("SIGCONT");
    await until(`agent ${this.cluster} exits`, () => this.exitCode !== null, 30_000);
    return this.exitCode ?? -1;
  }

  /** Ends it by any means and removes its files. */
  async dispose(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #explained(wait: () => Promise<void>): Promise<void> {
    try {
      await wait();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${why}\nlast lines of agent ${this.cluster}:\n${this.log.tail(LOG_LINES_SHOWN)}`);
    }
  }
}
