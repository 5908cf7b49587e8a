/** Messages from a broker that a test holds in its hand: when and how they are acknowledged, and what ends the connection. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generate, type Packet } from "mqtt-packet";
import { until } from "../support/until.ts";
import { FakeBroker, type FakePeer, obliging, packetsOf } from "./fake-broker.ts";
import { SessionRig } from "./session-rig.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const message = (messageId: number, qos: 0 | 1 | 2 = 1, more: object = {}): Packet => ({
  cmd: "publish",
  topic: "t",
  payload: `m${messageId}`,
  qos,
  messageId,
  dup: false,
  retain: false,
  ...more,
});
const answers = (peer: FakePeer): string[] =>
  peer.packets.flatMap((packet) =>
    packet.cmd === "puback" || packet.cmd === "pubrec" || packet.cmd === "pubcomp"
      ? [`${packet.cmd} ${packet.messageId} ${packet.reasonCode ?? 0}`]
      : [],
  );

/** Everything that was written before has been read by the broker. */
async function settled(rig: SessionRig): Promise<void> {
  assert.equal((await rig.publish("sentinel", "x")).ok, true);
}

describe("acknowledged later", () => {
  test("nothing is until it is asked for, then in the order and with the codes of the calls, and once", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], acknowledge: "later" });
    for (const id of [1, 2, 3, 65_535]) broker.last.send(message(id));
    await rig.got("m1", "m2", "m3", "m65535");
    await settled(rig);
    assert.deepEqual(answers(broker.last), []);
    const { connection = 0 } = rig.messages[0]?.about ?? {};
    rig.session.acknowledge(connection, 65_535);
    rig.session.acknowledge(connection, 2, 0x83);
    rig.session.acknowledge(connection, 1, 0x10);
    rig.session.acknowledge(connection, 1);
    rig.session.acknowledge(connection, 4_711);
    rig.session.acknowledge(connection + 1, 3);
    await settled(rig);
    assert.deepEqual(answers(broker.last), ["puback 65535 0", "puback 2 131", "puback 1 16"]);
  });

  test("from within the message too; and an identifier that was answered may come again", async () => {
    await using broker = await FakeBroker.start();
    await using rig = new SessionRig({ urls: [broker.url], acknowledge: "later" });
    rig.onMessage = ({ about }) => rig.session.acknowledge(about.connection, about.packetId);
    rig.session.start();
    await rig.connected();
    for (let i = 0; i < 3; i += 1) broker.last.send(message(7));
    await until("all are answered", () => answers(broker.last).length === 3);
    assert.equal(rig.messages.length, 3);
  });

  test("3.1.1 hears no reason, and what it lets go of is acknowledged all the same", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({
      urls: [broker.url],
      acknowledge: "later",
      endpoint: { protocolVersion: 4 },
    });
    broker.last.send(message(1));
    await rig.got("m1");
    rig.session.acknowledge(1, 1, 0x97);
    await packetsOf(() => broker.last, "puback", 1);
  });

  test("after the connection an acknowledgement is nobody's: not even of the same identifier on the next", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], acknowledge: "later" });
    broker.last.send(message(1));
    await rig.got("m1");
    broker.last.socket.destroy();
    await rig.failed();
    rig.session.acknowledge(1, 1);
    await rig.connected(2);
    broker.last.send(message(1, 1, { dup: true }));
    await until("it comes again", () => rig.messages.length === 2);
    assert.deepEqual(
      rig.messages.map(({ about }) => [about.connection, about.packetId, about.dup]),
      [
        [1, 1, false],
        [2, 1, true],
      ],
    );
    rig.session.acknowledge(1, 1);
    await settled(rig);
    assert.deepEqual(answers(broker.last), []);
    rig.session.acknowledge(2, 1);
    await settled(rig);
    assert.deepEqual(answers(broker.last), ["puback 1 0"]);
  });

  test("while it stops until the goodbye, not behind it", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "publish") obliging(peer, packet);
    });
    const rig = await SessionRig.up({ urls: [broker.url], acknowledge: "later" });
    broker.last.send(message(1));
    broker.last.send(message(2));
    await rig.got("m1", "m2");
    void rig.publish("t", "unanswered");
    await packetsOf(() => broker.last, "publish", 1);
    const stopping = rig.session.stop(5_000);
    rig.session.acknowledge(1, 1);
    await packetsOf(() => broker.last, "puback", 1);
    broker.last.send({ cmd: "puback", messageId: broker.last.of("publish")[0]?.messageId ?? 0, reasonCode: 0 });
    await packetsOf(() => broker.last, "disconnect", 1);
    rig.session.acknowledge(1, 2);
    await stopping;
    assert.deepEqual(answers(broker.last), ["puback 1 0"]);
  });
});

test("acknowledged at return is the default, behind what the owner did with the message", async () => {
  await using broker = await FakeBroker.start();
  await using rig = new SessionRig({ urls: [broker.url] });
  rig.onMessage = ({ about }) => {
    if (about.packetId === 2) rig.session.acknowledge(about.connection, 2, 0x97);
  };
  rig.session.start();
  await rig.connected();
  for (const id of [1, 2, 3]) broker.last.send(message(id));
  await until("all are answered", () => answers(broker.last).length === 3);
  assert.deepEqual(answers(broker.last), ["puback 1 0", "puback 2 151", "puback 3 0"]);
});

describe("QoS 2, which nothing of ours asks for", () => {
  test("is told once, as 1, and released", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "pubrec") peer.send({ cmd: "pubrel", messageId: packet.messageId ?? 0 });
      else obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    broker.last.send(message(9, 2));
    await packetsOf(() => broker.last, "pubcomp", 1);
    assert.deepEqual(answers(broker.last), ["pubrec 9 0", "pubcomp 9 0"]);
    assert.deepEqual(
      rig.messages.map(({ text, about }) => [text, about.qos, about.packetId]),
      [["m9", 1, 9]],
    );
  });

  test("is received when it is acknowledged, and what an earlier connection received is released", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], acknowledge: "later" });
    broker.last.send(message(9, 2));
    broker.last.send({ cmd: "pubrel", messageId: 8 });
    await rig.got("m9");
    await settled(rig);
    assert.deepEqual(answers(broker.last), ["pubcomp 8 0"]);
    rig.session.acknowledge(1, 9, 0x83);
    await settled(rig);
    assert.deepEqual(answers(broker.last), ["pubcomp 8 0", "pubrec 9 131"]);
  });
});

describe("order", () => {
  test("an answer comes before the messages that were written behind it, and before those before it never", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "subscribe") return obliging(peer, packet);
      const version = { protocolVersion: peer.version };
      const suback: Packet = { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] };
      peer.socket.write(Buffer.concat([message(1), suback, message(2)].map((packet) => generate(packet, version))));
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    rig.session.subscribe([{ filter: "t", qos: 1 }], (codes) => rig.order.push(`granted ${codes}`));
    await rig.got("m2");
    assert.deepEqual(rig.order, ["connected", "message m1", "granted 1", "message m2"]);
  });

  test("what is published behind a SUBSCRIBE does not overtake it", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], ackByPing: false });
    void rig.publish("t", "a");
    void rig.subscribe("x");
    void rig.publish("t", "b", { qos: 0 });
    void rig.unsubscribe("x");
    await rig.publish("t", "c");
    assert.deepEqual(
      broker.last.packets.map(({ cmd }) => cmd),
      ["connect", "publish", "subscribe", "publish", "unsubscribe", "publish"],
    );
  });

  test("identifiers of requests and of publishes never meet", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url] });
    for (let i = 0; i < 5_000; i += 1) await Promise.all([rig.publish("t", `${i}`), rig.subscribe(`f/${i}`)]);
    const requests = broker.last.of("subscribe").map(({ messageId = 0 }) => messageId);
    const publishes = broker.last.of("publish").map(({ messageId = 0 }) => messageId);
    assert.deepEqual([Math.min(...requests), Math.max(...requests)], [1, 4_095]);
    assert.deepEqual([Math.min(...publishes), Math.max(...publishes)], [4_096, 9_095]);
  });

  test("any reason code that answers a publish is told, and the connection goes on", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "publish") return obliging(peer, packet);
      const id = packet.messageId ?? 0;
      peer.socket.write(Buffer.of(0x40, 3, id >> 8, id & 0xff, Number(packet.payload.toString())));
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    for (const reasonCode of [0x00, 0x10, 0x42, 0x95, 0xff]) {
      assert.deepEqual(await rig.publish("t", `${reasonCode}`), { ok: true, reasonCode });
    }
    assert.equal(rig.ups.length, 1);
  });
});

describe("what a broker must not send ends the connection, is named, and the next one is clean", () => {
  const publish = (...body: number[]): Buffer => Buffer.of(0x32, body.length, ...body);
  const cases: readonly [name: string, bytes: Buffer, reason: RegExp][] = [
    ["text that is not UTF-8", publish(0, 1, 0xff, 0, 1, 0), /sent a PUBLISH with text that is not UTF-8/],
    ["identifier 0", publish(0, 1, 0x74, 0, 0, 0), /a PUBLISH with packet identifier 0/],
    ["a topic alias", publish(0, 0, 0, 1, 3, 0x23, 0, 1), /a PUBLISH with a topic alias, though we allow none/],
    ["properties that go beyond the packet", publish(0, 1, 0x74, 0, 1, 9), /a PUBLISH with properties that go beyond/],
    ["a PUBACK without an identifier", Buffer.of(0x40, 0), /a PUBACK with a field that goes beyond its end/],
    ["a PUBREL without an identifier", Buffer.of(0x62, 0), /a PUBREL with a field that goes beyond its end/],
    ["a SUBACK without an identifier", Buffer.of(0x90, 0), /a SUBACK with a field that goes beyond its end/],
    ["a packet that only clients send", Buffer.of(0x82, 0), /no MQTT/],
    ["a length of five bytes", Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff), /more than four bytes/],
  ];
  for (const [name, bytes, reason] of cases) {
    test(name, async () => {
      await using broker = await FakeBroker.start();
      await using rig = await SessionRig.up({ urls: [broker.url] });
      const peer = broker.last;
      peer.socket.write(Buffer.concat([bytes, generate(message(5), { protocolVersion: 5 })]));
      const problem = await rig.failed();
      assert.match(problem.reason, reason);
      assert.equal(problem.code, "LOCAL_UNREACHABLE");
      await rig.connected(2);
      await settled(rig);
      assert.deepEqual(rig.texts, [], "nothing behind it is taken");
      assert.deepEqual(answers(peer), []);
    });
  }

  test("a PUBLISH before the CONNACK", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "connect") peer.send(message(1));
    });
    await using rig = new SessionRig({ urls: [broker.url], endpoint: { protocolVersion: 5 } });
    rig.session.start();
    assert.match((await rig.failed()).reason, /a PUBLISH before its CONNACK/);
    assert.deepEqual(rig.messages, []);
  });

  test("a packet above the largest that we take", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], maximumPacketSize: 1_000 });
    broker.last.send(message(1, 1, { payload: "x".repeat(1_000) }));
    assert.match((await rig.failed()).reason, /a packet of 10\d\d bytes, more than we take/);
  });
});

describe("a broker without a window", () => {
  test("is told ours, where MQTT can", async () => {
    for (const [receiveMaximum, expected] of [
      [undefined, 500],
      [7, 7],
    ] as const) {
      await using broker = await FakeBroker.start();
      const more = receiveMaximum === undefined ? {} : { receiveMaximum };
      await using five = await SessionRig.up({ urls: [broker.url], ...more });
      assert.equal(broker.last.connect?.properties?.receiveMaximum, expected);
      await using four = await SessionRig.up({ urls: [broker.url], ...more, endpoint: { protocolVersion: 4 } });
      assert.equal(broker.last.connect?.properties, undefined);
      assert.deepEqual([...five.problems, ...four.problems], []);
    }
  });

  test("may exceed it, but not fill the memory: then the connection ends, and is counted", async () => {
    await using broker = await FakeBroker.start();
    const limits = { acknowledge: "later", receiveMaximum: 2, openBytesMax: 1_000 } as const;
    await using rig = await SessionRig.up({ urls: [broker.url], ...limits });
    for (let id = 1; id <= 5; id += 1) broker.last.send(message(id));
    await rig.got("m5");
    rig.session.acknowledge(1, 1);
    broker.last.send(message(6, 1, { payload: "x".repeat(900) }));
    await until("six are told", () => rig.messages.length === 6);
    assert.equal(rig.session.counters.receiveOverruns, 0);
    broker.last.send(message(7, 1, { payload: "x".repeat(100) }));
    assert.match((await rig.failed()).reason, /delivered more than we allow: 6 messages of 10\d\d bytes wait/);
    assert.equal(rig.session.counters.receiveOverruns, 1);
    assert.equal(rig.messages.length, 6, "what was too much is not told");
    await rig.connected(2);
    broker.last.send(message(1, 1, { payload: "x".repeat(1_000) }));
    assert.match((await rig.failed(2)).reason, /too much is not acknowledged: 1 messages/);
  });

  test("gets room by every acknowledgement", async () => {
    await using broker = await FakeBroker.start();
    await using rig = new SessionRig({ urls: [broker.url], acknowledge: "later", openBytesMax: 1_000 });
    rig.onMessage = ({ about }) => rig.session.acknowledge(about.connection, about.packetId);
    rig.session.start();
    await rig.connected();
    for (let id = 1; id <= 200; id += 1) broker.last.send(message(id, 1, { payload: "x".repeat(900) }));
    await until("all are answered", () => answers(broker.last).length === 200);
    assert.deepEqual(rig.problems, []);
    await turn();
  });
});
