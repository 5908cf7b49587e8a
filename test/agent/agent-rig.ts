/** An agent in this process, with its log lines kept. */
import { Agent } from "../../src/agent/agent.ts";
import type { AgentConfig, EndpointConfig, LinkConfig, LocalConfig } from "../../src/config/types.ts";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import { createLogger } from "../../src/ops/log.ts";
import { until } from "../support/until.ts";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function endpoint(url: string, clientid: string, more: Partial<EndpointConfig> = {}): EndpointConfig {
  return { urls: [url], clientid, username: null, password: null, tls: null, protocolVersion: null, ...more };
}

export function link(name: string, peer: EndpointConfig | null, topics: readonly string[]): LinkConfig {
  return {
    name,
    enable: true,
    topics,
    exportFilters: ["#"],
    endpoint: peer,
    controlPrefix: "$LINK",
    routesMax: 1_000,
    demandMax: 1_000,
    routeRetentionMs: 60_000,
    protocol: "brokerlink",
    durability: "memory",
    retained: "strip",
    compression: "auto",
    framesInflightMax: 32,
    retryIntervalMs: 5_000,
    drainPerSecond: null,
  };
}

export class AgentRig {
  readonly agent: Agent;
  readonly lines: LogLine[] = [];

  constructor(cluster: string, url: string, local: Partial<LocalConfig> = {}, links: readonly LinkConfig[] = []) {
    const config: AgentConfig = {
      cluster,
      controlPrefix: "$LINK",
      dataDir: null,
      local: {
        ...endpoint(url, `brokerlink-${cluster}`),
        broker: "mosquitto",
        ignoreClients: [],
        untrackedSubscriptions: 0,
        interestAtStart: "unknown",
        trustAfterMs: null,
        eventsTopic: null,
        filters: [],
        api: null,
        ...local,
      },
      links,
      spool: { bytesMax: 1_000_000, ageMaxMs: 60_000, whenFull: "drop_oldest" },
      http: { host: "127.0.0.1", port: 0, token: null },
      logLevel: "debug",
    };
    const log = createLogger("debug", cluster, { write: (line: string) => void this.lines.push(JSON.parse(line)) });
    this.agent = new Agent(config, log);
  }

  get status(): AgentStatus {
    return this.agent.status();
  }

  async ready(): Promise<void> {
    await until("the agent is ready", () => this.agent.ready || this.#state());
  }

  async linked(name: string): Promise<void> {
    await until(`linked with ${name}`, () => {
      const found = this.status.hub.links.find((candidate) => candidate.name === name);
      return found?.status === "connected" || this.#state();
    });
  }

  /** The first line from `from` on that has this text and these fields. */
  async line(msg: string, fields: Readonly<Record<string, unknown>> = {}, from = 0): Promise<LogLine> {
    const find = (): LogLine | undefined =>
      this.lines
        .slice(from)
        .find((line) => line.msg === msg && Object.entries(fields).every(([key, value]) => line[key] === value));
    await until(`"${msg}" ${JSON.stringify(fields)}`, () => find() !== undefined || this.#state(), 20_000);
    const found = find();
    if (found === undefined) throw new Error("no such line");
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.stop(0);
  }

  #state(): string {
    return `${JSON.stringify(this.status.sessions)}\n${this.lines
      .slice(-15)
      .map((line) => JSON.stringify(line))
      .join("\n")}`;
  }
}
