/** A real `brokerlink run` process for tests: started with flags and environment, asked over HTTP, killed as hard as a test wants. */
import { type ChildProcess, spawn } from "node:child_process";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import type { LinkAnswer } from "../../src/ops/link-answer.ts";
import { until } from "../support/until.ts";

const BIN = new URL("../../../bin/brokerlink.js", import.meta.url).pathname;

export interface AgentArguments {
  readonly cluster: string;
  readonly local: string;
  readonly broker?: string;
  /** Name → URL of the peer's broker, or null when the peer dials in. */
  readonly links: Readonly<Record<string, string | null>>;
  readonly topics: Readonly<Record<string, readonly string[]>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: string;
}

export class AgentProcess {
  readonly log: string[] = [];
  readonly #options: AgentArguments;
  #process: ChildProcess | null = null;
  #port = 0;
  exitCode: number | null = null;

  constructor(options: AgentArguments) {
    this.#options = options;
  }

  /** Resolves when the agent serves HTTP; it may not be connected to anything yet. */
  async start(): Promise<void> {
    const { cluster, local, broker = "mosquitto", links, topics, env = {}, config } = this.#options;
    const args = [
      "run",
      "--cluster",
      cluster,
      "--local",
      local,
      "--broker",
      broker,
      "--http",
      "127.0.0.1:0",
      "--log-level",
      "debug",
    ];
    if (config !== undefined) args.push("--config", config);
    for (const [name, url] of Object.entries(links)) args.push("--link", url === null ? name : `${name}=${url}`);
    for (const [name, filters] of Object.entries(topics)) {
      for (const filter of filters) args.push("--topics", `${name}=${filter}`);
    }
    this.#port = 0;
    this.exitCode = null;
    const child = spawn(process.execPath, [BIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    child.on("exit", (code) => {
      this.exitCode = code ?? -1;
    });
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.log.push(line);
        if (this.log.length > 2_000) this.log.shift();
        const match = /"port":(\d+).*"http listening"/.exec(line);
        if (match !== null) this.#port = Number(match[1]);
      }
    });
    await until(`agent ${cluster} listens`, () => {
      if (this.exitCode !== null)
        throw new Error(`agent ${cluster} exited with ${this.exitCode}:\n${this.log.join("\n")}`);
      return this.#port !== 0;
    });
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

  async link(name: string): Promise<LinkAnswer> {
    return (await (await this.get(`/api/v5/cluster/links/link/${name}`)).json()) as LinkAnswer;
  }

  /** Waits until both halves of the link work. */
  async linked(name: string, timeoutMs = 20_000): Promise<void> {
    await this.untilStatus(
      `${this.#options.cluster} linked with ${name}`,
      (status) => {
        const link = status.hub.links.find((candidate) => candidate.name === name);
        return link?.status === "connected" || `${link?.status}: ${JSON.stringify(link?.lastProblem)}`;
      },
      timeoutMs,
    );
  }

  /** Waits until the interest is proven complete. */
  async exact(timeoutMs = 20_000): Promise<void> {
    await this.untilStatus(
      `${this.#options.cluster} exact`,
      (status) => status.hub.wide === null || JSON.stringify([status.hub.wide, status.hub.interest]),
      timeoutMs,
    );
  }

  async untilStatus(
    what: string,
    condition: (status: AgentStatus) => boolean | string,
    timeoutMs = 20_000,
  ): Promise<void> {
    try {
      await until(what, async () => condition(await this.status()), timeoutMs);
    } catch (error) {
      throw new Error(
        `${error instanceof Error ? error.message : error}\nlast lines of the agent:\n${this.log.slice(-40).join("\n")}`,
      );
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Sends the signal and waits for the end; answers the exit code (-1: killed). */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    const child = this.#process;
    if (child === null || this.exitCode !== null) return this.exitCode ?? 0;
    child.kill(signal);
    await until(`agent ${this.#options.cluster} exits`, () => this.exitCode !== null, 30_000);
    return this.exitCode ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}
