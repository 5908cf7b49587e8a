/**
 * How long a link takes to announce many existing routes, and what each costs. FILTERS distinct filters are held by ten
 * clients of A, and agent A knows them, before agent B starts; measured from the start of agent B until it has the whole
 * set, and until broker B has answered the subscriptions that follow (demand). Once with demand, once without (`export: []`).
 */
import { readFileSync } from "node:fs";
import { connectAsync, type MqttClient } from "mqtt";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { AgentProcess } from "../e2e/agent-process.ts";

const FILTERS = Number(process.env["BENCH_FILTERS"] ?? 100_000);
const CLIENTS = 10;
const PACKET_FILTERS = 500;
const WAIT_MS = 180_000;

for (const exported of ["#", null]) await measure(exported);

async function measure(exported: string | null): Promise<void> {
  const a = await LocalMosquitto.start(MOSQUITTO_LINES);
  const b = await LocalMosquitto.start(MOSQUITTO_LINES);
  const agentA = new AgentProcess({ cluster: "a", local: a.url, links: { b: b.url }, topics: { b: ["#"] } });
  const env = {
    BROKERLINK_LINKS: JSON.stringify([
      { name: "a", server: a.url, export: exported === null ? [] : [exported], max_demand: FILTERS },
    ]),
  };
  const agentB = new AgentProcess({ cluster: "b", local: b.url, links: {}, topics: {}, env });
  const clients: MqttClient[] = [];
  try {
    await agentA.start();
    await agentA.exact();
    const rssBeforeA = rssBytes(agentA.pid);
    const subscribing = performance.now();
    for (let index = 0; index < CLIENTS; index += 1) clients.push(await holder(a.url, index));
    const subscribedMs = performance.now() - subscribing;
    await agentA.untilStatus(
      "agent A knows all filters",
      ({ hub }) => hub.interest.filters === FILTERS || `${hub.interest.filters}`,
      WAIT_MS,
    );
    const knownMs = performance.now() - subscribing;
    const rssKnownA = rssBytes(agentA.pid);
    await agentB.start();
    const rssBeforeB = rssBytes(agentB.pid);
    const began = performance.now();
    await agentB.untilStatus(
      "agent B has all routes",
      ({ hub }) => hub.links[0]?.in.routes === FILTERS || `${hub.links[0]?.in.routes}`,
      WAIT_MS,
    );
    const routesMs = performance.now() - began;
    await agentB.untilStatus(
      "broker B has answered the demand",
      ({ hub }) => hub.demand.pending === 0 || `${hub.demand.pending} pending of ${hub.demand.filters}`,
      WAIT_MS,
    );
    const demandMs = performance.now() - began;
    console.log(
      [
        `${FILTERS} routes, export ${exported === null ? "nothing" : exported}:`,
        `subscribed in ${seconds(subscribedMs)}, known to A after ${seconds(knownMs)},`,
        `at B ${seconds(routesMs)} after its start, demand in place ${seconds(demandMs)} after its start;`,
        `resident memory: A ${perRoute(rssKnownA - rssBeforeA)}, B ${perRoute(rssBytes(agentB.pid) - rssBeforeB)}`,
      ].join(" "),
    );
  } finally {
    await Promise.all([agentA.stop("SIGKILL"), agentB.stop("SIGKILL")]);
    for (const client of clients) client.end(true);
    await Promise.all([a.stop(), b.stop()]);
  }
}

async function holder(url: string, index: number): Promise<MqttClient> {
  const client = await connectAsync(url, { protocolVersion: 5, clientId: `holder-${index}` });
  const mine = FILTERS / CLIENTS;
  for (let first = 0; first < mine; first += PACKET_FILTERS) {
    const filters = Array.from(
      { length: Math.min(PACKET_FILTERS, mine - first) },
      (_, at) => `site/${index}/dev/${String(first + at).padStart(6, "0")}/telemetry`,
    );
    await client.subscribeAsync(filters);
  }
  return client;
}

function rssBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function perRoute(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB (${Math.round(bytes / FILTERS)} B a route)`;
}
