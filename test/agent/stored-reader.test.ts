/** The session that reads what the local broker has retained, against a broker of a few lines and a real one. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import mqtt from "mqtt";
import type { Packet } from "mqtt-packet";
import { STORED_MESSAGES_MAX, StoredReader, type StoredReaderOptions } from "../../src/agent/stored-reader.ts";
import type { StoredAnswer } from "../../src/hub/stored.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { FakeBroker, type FakePeer, obliging } from "../mqtt/fake-broker.ts";
import { until } from "../support/until.ts";

const TOPIC = "$LINK/v1/a/a/probe-retained";
const TIMES = { askAgainMs: 20, giveUpMs: 300, idleMs: 50 };

interface Rig {
  readonly reader: StoredReader;
  readonly answers: Map<number, StoredAnswer>;
  answer(reading: number): Promise<StoredAnswer>;
}

function rig(t: TestContext, url: string, change: Partial<StoredReaderOptions> = {}): Rig {
  const answers = new Map<number, StoredAnswer>();
  const endpoint = { urls: [url], username: null, password: null, tls: null, protocolVersion: null };
  const reader = new StoredReader(
    { endpoint, clientId: "a-retained", topic: TOPIC, leavesEarly: true, random: Math.random, times: TIMES, ...change },
    (reading, answer) => answers.set(reading, answer),
  );
  t.after(() => reader.stop());
  return {
    reader,
    answers,
    async answer(reading) {
      await until(`reading ${reading} is answered`, () => answers.has(reading));
      return answers.get(reading) ?? { outcome: "failed", messages: [] };
    },
  };
}

function topics({ messages }: StoredAnswer): string[] {
  return messages.map(({ topic }) => topic).toSorted();
}

test("a real broker: what is retained comes, whole, and live messages do not count", async (t) => {
  const broker = await LocalMosquitto.start([]);
  t.after(() => broker.stop());
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  t.after(() => client.endAsync(true));
  const properties = { contentType: "x", userProperties: { k: "v" }, messageExpiryInterval: 600 };
  await client.publishAsync("t/1", "one", { qos: 1, retain: true, properties });
  await client.publishAsync("t/2", "two", { qos: 0, retain: true });
  await client.publishAsync("u/1", "other", { qos: 1, retain: true });
  for (const leavesEarly of [true, false]) {
    const { reader, answer } = rig(t, broker.url, { leavesEarly, clientId: `a-retained-${leavesEarly}` });
    const noise = setInterval(() => client.publish("t/live", "live", { qos: 0 }), 1);
    reader.read(1, ["t/#"]);
    reader.read(2, ["t/2", "u/1", "u/2"]);
    reader.read(3, ["none/#"]);
    const first = await answer(1);
    assert.equal(first.outcome, "whole");
    assert.deepEqual(topics(first), ["t/1", "t/2"]);
    const one = first.messages.find(({ topic }) => topic === "t/1");
    assert.equal(Buffer.from(one?.payload ?? []).toString(), "one");
    assert.deepEqual(one?.properties, { contentType: "x", userProperties: [["k", "v"]] });
    assert.ok((one?.expirySeconds ?? 0) > 500);
    assert.deepEqual(topics(await answer(2)), ["t/2", "u/1"]);
    assert.deepEqual(await answer(3), { outcome: "whole", messages: [] });
    clearInterval(noise);
    await until("the session ends when there is nothing to read", () => !reader.connected);
    reader.read(4, ["u/#"]);
    assert.deepEqual(topics(await answer(4)), ["u/1"], "and begins anew");
    await reader.stop();
  }
});

test("a broker that denies the filter", async (t) => {
  const broker = await LocalMosquitto.start(["acl_file %d/acl", "allow_anonymous true"], {
    acl: "topic readwrite $LINK/#\n",
  });
  t.after(() => broker.stop());
  const { reader, answer } = rig(t, broker.url);
  reader.read(1, ["t/#"]);
  // Mosquitto 2.0.11 grants what it then keeps back.
  assert.deepEqual((await answer(1)).messages, []);
});

/** Answers as `obliging` does, and `also`. */
async function fake(t: TestContext, also: (peer: FakePeer, packet: Packet) => boolean): Promise<FakeBroker> {
  const broker = await FakeBroker.start((peer, packet) => {
    if (!also(peer, packet)) obliging(peer, packet);
  });
  t.after(() => broker.stop());
  return broker;
}

function sends(peer: FakePeer, topic: string, text: string, retain: boolean): void {
  peer.send({ cmd: "publish", topic, payload: text, qos: 0, dup: false, retain });
}

test("a broker that sends what it stored at its leisure: a round in which something came is followed by another", async (t) => {
  let markers = 0;
  const broker = await fake(t, (peer, packet) => {
    if (packet.cmd !== "publish") return false;
    markers += 1;
    if (markers <= 3) sends(peer, `t/${markers}`, "value", true);
    sends(peer, TOPIC, String(packet.payload), false);
    return false;
  });
  const { reader, answer } = rig(t, broker.url);
  reader.read(1, ["t/#"]);
  assert.deepEqual(topics(await answer(1)), ["t/1", "t/2", "t/3"]);
  assert.equal(markers, 4);
});

test("a marker that is lost is sent again, and what came before it is not forgotten", async (t) => {
  let markers = 0;
  const broker = await fake(t, (peer, packet) => {
    if (packet.cmd !== "publish") return false;
    markers += 1;
    if (markers === 1) sends(peer, "t/1", "value", true);
    else if (markers > 2) sends(peer, TOPIC, String(packet.payload), false);
    return false;
  });
  const { reader, answer } = rig(t, broker.url);
  reader.read(1, ["t/#"]);
  assert.deepEqual(topics(await answer(1)), ["t/1"]);
});

test("a connection that ends in the middle: the reading begins anew", async (t) => {
  let connections = 0;
  const broker = await fake(t, (peer, packet) => {
    if (packet.cmd === "connect") connections += 1;
    if (packet.cmd !== "publish") return false;
    if (connections === 1) {
      sends(peer, "t/1", "value", true);
      peer.socket.end();
      return true;
    }
    sends(peer, TOPIC, String(packet.payload), false);
    return false;
  });
  const { reader, answer } = rig(t, broker.url, { times: { ...TIMES, giveUpMs: 5_000 } });
  reader.read(1, ["t/#"]);
  assert.deepEqual(await answer(1), { outcome: "whole", messages: [] }, "what the lost one brought does not count");
});

test("a broker that answers nothing, one of 3.1.1, one that retains nothing, one that is not there: all readings fail", async (t) => {
  const silent = await fake(t, (_peer, packet) => packet.cmd === "publish");
  const old = await fake(t, (peer, packet) => {
    if (packet.cmd !== "connect" || packet.protocolVersion !== 5) return false;
    peer.refuse(0x84);
    return true;
  });
  const forgets = await fake(t, (peer, packet) => {
    if (packet.cmd !== "connect") return false;
    peer.accept({ retainAvailable: false });
    return true;
  });
  for (const url of [silent.url, old.url, forgets.url, "mqtt://127.0.0.1:1"]) {
    const { reader, answer } = rig(t, url);
    reader.read(1, ["t/#"]);
    reader.read(2, ["u/#"]);
    for (const reading of [1, 2]) assert.deepEqual(await answer(reading), { outcome: "failed", messages: [] });
  }
});

test("past the limit a reading is cut", async (t) => {
  let isSent = false;
  const broker = await fake(t, (peer, packet) => {
    if (packet.cmd !== "publish") return false;
    if (!isSent) for (let n = 0; n <= STORED_MESSAGES_MAX; n += 1) sends(peer, `t/${n}`, "", true);
    isSent = true;
    sends(peer, TOPIC, String(packet.payload), false);
    return false;
  });
  const { reader, answer } = rig(t, broker.url, { times: { ...TIMES, giveUpMs: 30_000, askAgainMs: 1_000 } });
  reader.read(1, ["t/#"]);
  await until("it is cut", async () => (await answer(1)).outcome === "cut", 30_000);
  assert.equal((await answer(1)).messages.length, STORED_MESSAGES_MAX);
});
