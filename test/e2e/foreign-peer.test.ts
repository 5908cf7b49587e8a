/** A peer that somebody else wrote, from docs/PROTOCOL.md: the page is enough to link with a real agent. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { until } from "../support/until.ts";
import { encodePlainControl, type PlainBody } from "../wire/plain-codec.ts";
import { plainCheck } from "../wire/plain-hash.ts";
import { AgentProcess } from "./agent-process.ts";
import { ForeignPeer } from "./foreign-peer.ts";

const NOW = 1_790_000_000_000;

/** A client of broker B that remembers what it got. */
async function subscriber(url: string, filter: string): Promise<{ client: MqttClient; got: IPublishPacket[] }> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  const got: IPublishPacket[] = [];
  client.on("message", (_topic, _payload, packet) => got.push(packet));
  await client.subscribeAsync(filter, { qos: 1 });
  return { client, got };
}

function texts(got: readonly IPublishPacket[]): string[] {
  return got.map(({ topic, payload }) => `${topic} ${payload}`);
}

function last(peer: ForeignPeer, type: string): PlainBody | undefined {
  return peer.heard.filter((body) => body.type === type).at(-1);
}

function heard(peer: ForeignPeer, type: string, fields: Readonly<Record<string, unknown>>): boolean | string {
  const found = peer.heard.some(
    (body) => body.type === type && Object.entries(fields).every(([key, value]) => body[key] === value),
  );
  return found || `heard: ${peer.heard.map((body) => body.type).join(" ")}; problems: ${peer.problems}`;
}

for (const dialsIn of [true, false]) {
  const how = dialsIn ? "that dials in, on one connection" : "that is reached on its own broker";
  describe(`a peer ${how}`, () => {
    let broker: LocalMosquitto;
    let other: LocalMosquitto;
    let agent: AgentProcess;
    let peer: ForeignPeer;
    let c: Awaited<ReturnType<typeof subscriber>>;

    before(async () => {
      broker = await LocalMosquitto.start(MOSQUITTO_LINES);
      other = dialsIn ? broker : await LocalMosquitto.start([]);
      agent = new AgentProcess({
        cluster: "b",
        local: broker.url,
        links: { a: dialsIn ? null : other.url },
        topics: { a: ["c/#"] },
      });
      await agent.start();
      c = await subscriber(broker.url, "c/#");
      peer = new ForeignPeer({ me: "a", peer: "b", url: broker.url, inboxUrl: other.url }, "f0f1f2f3f4f5f6f7", NOW);
    });

    after(async () => {
      await peer.stop();
      await c.client.endAsync(true);
      await agent.stop("SIGKILL");
      await broker.stop();
      await other.stop();
    });

    test("greets, and both hold each other's routes", async () => {
      peer.announce({ op: "add", filter: "t/+", groups: [] });
      await peer.connect();
      await until("the agent holds our routes", () => peer.state === "online" || peer.state);
      await until("we hold the agent's", () => peer.theirs.filters.has("c/#") || [...peer.theirs.filters].join());
      await agent.linked("a");
      assert.deepEqual(peer.problems, []);
    });

    test("gives a message, which arrives marked and is settled", async () => {
      peer.publish("c/1", "from a");
      await until("the client of b has it", () => texts(c.got).includes("c/1 from a") || texts(c.got).join());
      await until("it is settled", () => peer.settledUpTo === 1);
      const { properties, qos } = c.got[0] ?? {};
      assert.equal(qos, 1);
      assert.equal(properties?.contentType, "text/plain");
      assert.deepEqual(
        { ...properties?.userProperties },
        { k: "v", "brokerlink-origin": "a", "brokerlink-check": plainCheck("c/1") },
      );
    });

    test("repeats a number, which is settled again and not delivered again", async () => {
      const settledBefore = peer.heard.filter(({ type }) => type === "settled").length;
      peer.publish("c/1", "from a", 1);
      await until("settled again", () => peer.heard.filter(({ type }) => type === "settled").length > settledBefore);
      peer.publish("c/1", "sentinel");
      await until("the sentinel is there", () => texts(c.got).includes("c/1 sentinel"));
      assert.deepEqual(texts(c.got), ["c/1 from a", "c/1 sentinel"]);
    });

    test("gives and asks for what makes the broker close the connection: dropped, and the rest goes on", async () => {
      peer.announce({ op: "add", filter: "t/\u0007", groups: [] });
      await until("the route is taken", () => heard(peer, "routes_ack", { op: 2 }));
      peer.publish("c/\u0001", "rings no bell");
      peer.publish("c/deep".padEnd(600, "/"), "too deep");
      peer.publish("c/3", "good");
      await until("the good one is there", () => texts(c.got).includes("c/3 good"));
      await until("all are settled", () => peer.settledUpTo === 5 || String(peer.settledUpTo));
      const [link] = (await agent.status()).hub.links;
      const dropped = link?.dropped.filter(({ reason }) => ["bad_text", "bad_topic"].includes(reason));
      assert.deepEqual(
        dropped?.map(({ reason, count }) => [reason, count]),
        [
          ["bad_text", 1],
          ["bad_topic", 1],
        ],
      );
    });

    test("gets a message of its route, and none of another", async () => {
      await c.client.publishAsync("u/1", "nobody wants it", { qos: 1 });
      await c.client.publishAsync("t/1", "from b", { qos: 1, properties: { userProperties: { x: "y" } } });
      await until("it is there", () => peer.received.length > 0);
      const [framed] = peer.received;
      assert.equal(framed?.message.topic, "t/1");
      assert.equal(Buffer.from(framed?.message.payload ?? []).toString(), "from b");
      assert.equal(framed?.number, 1);
      assert.deepEqual(framed?.message.properties?.["userProperties"], [["x", "y"]]);
      await agent.untilStatus("settled", ({ hub }) => hub.links.every(({ queue }) => queue.spooled === 0));
    });

    test("changes its routes by numbered operations, in force before the frame that names them", async () => {
      peer.announce({ op: "add", filter: "u/#", groups: ["g1"] }, { op: "delete", filter: "t/+" });
      await until("confirmed", () => heard(peer, "routes_ack", { op: 4 }));
      const before = peer.received.length;
      await agent.untilStatus("subscribed", ({ hub }) => hub.demand.pending === 0 || JSON.stringify(hub.demand));
      await c.client.publishAsync("t/1", "not any more", { qos: 1 });
      await c.client.publishAsync("u/1/2", "now", { qos: 1 });
      await until("it is there", () => peer.received.length > before);
      assert.deepEqual(
        peer.received.slice(before).map(({ message }) => message.topic),
        ["u/1/2"],
      );
    });

    test("says that its set is another one, and is asked for it", async () => {
      const { op, count, digest } = peer.ours.mark();
      peer.heartbeat({ op, count, digest: { high: digest.high ^ 1, low: digest.low } });
      await until("asked", () => heard(peer, "again", { what: "bootstrap", reason: "digest_mismatch" }));
      await until("mended", () => peer.state === "online" || peer.state);
    });

    test("speaks of what a later version may add: passed over, or refused with a new greeting", async () => {
      const body = { type: "heartbeat", mark: peer.ours.mark() };
      const [heartbeat] = [encodePlainControl({ speaker: peer.speaker, body })];
      const behindType = (bytes: readonly number[]) => [...heartbeat.slice(0, 3), ...bytes, ...heartbeat.slice(5)];
      const greetings = () => peer.heard.filter(({ type }) => type === "hello").length;
      const greetingsBefore = greetings();
      // A path and an even extension; then a type that may be passed over.
      peer.sendBytes(Uint8Array.from(behindType([0x06, 8, 1, 1, 0x63, 3, 2, 1, 0xff])));
      peer.sendBytes(Uint8Array.from(behindType([0, 0x80])));
      peer.publish("c/2", "still linked");
      await until("the link goes on", () => texts(c.got).includes("c/2 still linked"));
      assert.equal(greetings(), greetingsBefore);
      // An odd extension.
      peer.sendBytes(Uint8Array.from(behindType([0x04, 8, 3, 1, 1, 0xff])));
      await until("refused", () => heard(peer, "again", { what: "hello", reason: "bad_message" }));
      await until("greeted anew", () => peer.state === "online" && greetings() > greetingsBefore);
      await agent.linked("a");
      const problem = (await agent.status()).hub.links[0]?.lastProblem;
      assert.equal(problem?.code, "PROTOCOL_MISMATCH");
      assert.match(problem?.reason ?? "", /unknown_extension/);
    });

    test("speaks only a later version, and both sides learn which", async () => {
      const hello = peer.heard.find(({ type }) => type === "hello");
      peer.send({ ...hello, type: "hello", greeting: 9_999, to: "b", from: "a", protocolMin: 2, protocolMax: 3 });
      await until("refused", () => heard(peer, "ack", { result: "protocol_mismatch", greeting: 9_999 }));
      assert.equal(last(peer, "ack")?.["protocolMax"], 1);
      const problem = (await agent.status()).hub.links[0]?.lastProblem;
      assert.match(problem?.reason ?? "", /speaks protocol 2 to 3, this agent 1/);
    });

    test("vanishes: its Will is heard at once, its routes stay, and its next life takes them over", async () => {
      peer.vanish();
      await agent.untilStatus("the Will is heard", ({ hub }) => hub.links[0]?.status !== "connected");
      await c.client.publishAsync("u/2", "while away", { qos: 1 });
      peer.speaker = { incarnation: NOW + 1, instance: "0706050403020100" };
      await peer.connect();
      await until("back", () => peer.state === "online" || peer.state);
      await until("what was published meanwhile is here", () =>
        peer.received.some(({ message }) => Buffer.from(message.payload).toString() === "while away"),
      );
    });

    test("takes leave, and its routes are gone at once", async () => {
      peer.leave();
      await agent.untilStatus(
        "nothing is subscribed for it",
        ({ hub }) => hub.demand.filters === 0 || JSON.stringify(hub.demand),
      );
    });
  });
}
