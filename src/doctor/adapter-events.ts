/** Whether a broker other than Mosquitto announces subscriptions: its adapter watches while a client of ours subscribes. */
import type { AdapterSink } from "../broker/adapter.ts";
import { createAdapter } from "../broker/registry.ts";
import type { AgentConfig } from "../config/types.ts";
import type { InterestEvent } from "../route/interest-event.ts";
import { type Bench, randomLevel } from "./bench.ts";
import { DoctorClient } from "./doctor-client.ts";
import { CONFIGURATION, type Finding, type Fix, finding } from "./finding.ts";

const EVENT_WITHIN_MS = 5_000;

export async function checkAdapterEvents(bench: Bench, stem: string, config: AgentConfig): Promise<Finding[]> {
  const { local, cluster, controlPrefix } = config;
  if (local.broker === "static")
    return [finding("events", "ok", `not needed: interest is the fixed list of ${local.filters.length} filters`)];
  const watcher = await bench.connect();
  if (!(watcher instanceof DoctorClient))
    return [finding("events", "skipped", `no second connection: ${watcher.reason}`)];
  const events: InterestEvent[] = [];
  const sink: AdapterSink = { event: (event) => events.push(event), odd() {}, advise() {}, brokerDropped() {} };
  const adapter = createAdapter(local.broker, {
    ...{ sink, cluster, controlPrefix, eventsTopic: local.eventsTopic, filters: local.filters },
    random: Math.random,
  });
  adapter.up(
    {
      clientId: watcher.clientId,
      subscribe: (filters, qos, granted) =>
        void watcher.subscribe(filters.map((filter) => ({ filter, qos }))).then(granted),
      unsubscribe: (filters, done) => void watcher.unsubscribe(filters).then(done),
    },
    { sessionPresent: false, awayMs: null },
    Date.now(),
  );
  let told = 0;
  const filter = `${stem}/${randomLevel()}`;
  const actor = await bench.connect();
  if (!(actor instanceof DoctorClient)) return [finding("events", "skipped", "a second client was not let in")];
  await actor.subscribe([{ filter, qos: 1 }]);
  const seen = await watcher.waits(() => {
    for (const { topic, bytes, retain } of watcher.heard.slice(told)) adapter.message(topic, bytes, retain, Date.now());
    told = watcher.heard.length;
    return events.some(
      (event) => event.type === "subscribed" && event.client === actor.clientId && event.filter === filter,
    )
      ? true
      : null;
  }, EVENT_WITHIN_MS);
  adapter.down(Date.now());
  if (seen === null)
    return [
      finding(
        "events",
        "fault",
        "the broker does not announce subscriptions: links will ask for all of their topics",
        adviceFor(config),
      ),
    ];
  return [finding("events", "ok", "subscribes are announced"), ...proof(config)];
}

function proof({ local }: AgentConfig): Finding[] {
  if (local.interestAtStart === "none" || local.trustAfterMs !== null) return [];
  const text = "this broker gives no count of its subscriptions: links ask for all of their topics for ever";
  return [finding("counters", "warning", text, { file: CONFIGURATION, lines: ["local:", "  trust_after: 10m"] })];
}

function adviceFor({ local }: AgentConfig): Fix | null {
  switch (local.broker) {
    case "emqx":
      return {
        file: "emqx.conf of the local broker",
        lines: [
          "sys_topics.sys_event_messages.client_subscribed = true",
          "sys_topics.sys_event_messages.client_unsubscribed = true",
          "sys_topics.sys_event_messages.client_connected = true",
          "sys_topics.sys_event_messages.client_disconnected = true",
        ],
      };
    case "events":
      return {
        file: CONFIGURATION,
        lines: ["local:", "  events_topic: TOPIC # where the broker's plugin or rule publishes"],
      };
    case "mosquitto":
    case "aedes":
    case "static":
      return null;
  }
}
