/** Two Mosquittos and two agent processes on loopback, linked: the ground on which all measurements stand. */
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { AgentProcess } from "../e2e/agent-process.ts";

export interface TwoClusters {
  readonly brokers: { readonly a: LocalMosquitto; readonly b: LocalMosquitto };
  readonly agents: { readonly a: AgentProcess; readonly b: AgentProcess };
  stop(): Promise<void>;
}

/** `topics`: what A and B want of each other. Agents are linked and exact when this resolves. */
export async function twoClusters(options: {
  readonly lines?: readonly string[];
  readonly topics: { readonly a: readonly string[]; readonly b: readonly string[] };
}): Promise<TwoClusters> {
  const lines = [...MOSQUITTO_LINES, ...(options.lines ?? [])];
  const a = await LocalMosquitto.start(lines);
  const b = await LocalMosquitto.start(lines);
  const agentA = new AgentProcess({
    cluster: "a",
    local: a.url,
    links: { b: b.url },
    topics: options.topics.a.length === 0 ? {} : { b: options.topics.a },
  });
  const agentB = new AgentProcess({
    cluster: "b",
    local: b.url,
    links: { a: a.url },
    topics: options.topics.b.length === 0 ? {} : { a: options.topics.b },
  });
  await Promise.all([agentA.start(), agentB.start()]);
  await Promise.all([agentA.linked("b"), agentB.linked("a")]);
  await Promise.all([agentA.exact(), agentB.exact()]);
  return {
    brokers: { a, b },
    agents: { a: agentA, b: agentB },
    stop: async () => {
      await Promise.all([agentA.stop("SIGKILL"), agentB.stop("SIGKILL")]);
      await Promise.all([a.stop(), b.stop()]);
    },
  };
}

/** The value below which `share` (0 … 1) of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
