import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import mqtt, { type MqttClient } from "mqtt";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { until } from "../support/until.ts";
import { Command, folderWith } from "./command.ts";

interface Linked {
  readonly agentA: Command;
  readonly agentB: Command;
  readonly nearA: MqttClient;
  readonly nearB: MqttClient;
  /** Topics that arrived at `nearB`. */
  readonly seen: ReadonlySet<string>;
}

/** Two brokers, two agents, and a link on which `t/#` crosses from A to B: shown by a message. */
async function linked(t: TestContext): Promise<Linked> {
  const [a, b] = [await mosquitto(t), await mosquitto(t)];
  const folder = folderWith(t, {
    "a.json": JSON.stringify({
      cluster: "a",
      local: { server: a.url, broker: "static", filters: ["nothing"] },
      links: [{ name: "b", server: b.url }],
      http: { port: 0 },
    }),
    "b.json": JSON.stringify({
      cluster: "b",
      local: { server: b.url, broker: "static", filters: ["t/#"] },
      links: [{ name: "a", server: a.url, topics: ["t/#"] }],
      http: { port: 0 },
    }),
  });
  const agentA = new Command(t, ["run", "--config", `${folder}/a.json`]);
  const agentB = new Command(t, ["run", "--config", `${folder}/b.json`]);
  const [nearA, nearB] = [await client(t, a), await client(t, b)];
  const seen = new Set<string>();
  nearB.on("message", (topic) => seen.add(topic));
  await nearB.subscribeAsync("t/#", { qos: 1 });
  await until("a message crosses", async () => {
    await nearA.publishAsync("t/first", "x", { qos: 1 });
    return seen.has("t/first") || agentA.error.slice(-1_000);
  });
  return { agentA, agentB, nearA, nearB, seen };
}

/** Resolves once a frame with `t/second` in it lies at broker B, where nobody takes it. */
async function frameWaits({ agentA, nearA, nearB, seen }: Linked): Promise<void> {
  await nearB.subscribeAsync("$LINK/v1/b/a/msg", { qos: 1 });
  await nearA.publishAsync("t/second", "x", { qos: 1 });
  await until("a frame waits for the peer's word", () => seen.has("$LINK/v1/b/a/msg") || agentA.error.slice(-1_000));
}

async function client(t: TestContext, broker: LocalMosquitto): Promise<MqttClient> {
  const connected = await mqtt.connectAsync(broker.url);
  t.after(() => connected.endAsync(true));
  return connected;
}

async function mosquitto(t: TestContext): Promise<LocalMosquitto> {
  const broker = await LocalMosquitto.start([]);
  t.after(() => broker.stop());
  return broker;
}

test("SIGTERM waits for what is under way: the peer's word still arrives, and nothing is lost", async (t) => {
  const link = await linked(t);
  const { agentA, agentB, seen } = link;
  agentB.signal("SIGSTOP");
  await frameWaits(link);
  agentA.signal("SIGTERM");
  await agentA.said(/"stopping"/);
  assert.ok(!seen.has("t/second"));
  agentB.signal("SIGCONT");
  assert.equal(await agentA.end(), 0, agentA.error);
  await until("the message arrives", () => seen.has("t/second"));
  assert.match(agentA.error, /"agent stopped"/);
  assert.doesNotMatch(agentA.error, /stopped with messages that no peer confirmed/);
});

test("a second SIGTERM does not wait for a peer that is gone", async (t) => {
  const link = await linked(t);
  const { agentA, agentB } = link;
  agentB.signal("SIGKILL");
  await agentB.end();
  await frameWaits(link);
  agentA.signal("SIGTERM");
  await agentA.said(/"stopping"/);
  agentA.signal("SIGTERM");
  assert.equal(await agentA.end(), 1, agentA.error);
  assert.match(agentA.error, /"signal":"SIGTERM".*"stopping at once"/);
  assert.doesNotMatch(agentA.error, /"agent stopped"/, "the drain was not waited for");
});
