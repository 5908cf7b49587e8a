import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import type { PublishResult } from "../../src/mqtt/publish.ts";
import { until } from "../support/until.ts";
import { FakeBroker, type FakePeer, obliging, packetsOf } from "./fake-broker.ts";
import { SessionRig } from "./session-rig.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** CONNACK with this, and obliging in all else. */
function accepting(properties: object): (peer: FakePeer, packet: Parameters<typeof obliging>[1]) => void {
  return (peer, packet) => {
    if (packet.cmd === "connect") peer.accept(properties);
    else obliging(peer, packet);
  };
}

async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return `mqtt://127.0.0.1:${typeof address === "object" ? address?.port : 1}`;
}

describe("connecting", () => {
  test("a port that nobody listens on is named, tried again ever later, and reached when somebody does", async () => {
    const url = await deadUrl();
    await using rig = new SessionRig({ urls: [url], reconnect: { baseMs: 5, capMs: 40, settledMs: 1_000 } });
    rig.session.start();
    await rig.failed(5);
    assert.deepEqual(
      rig.problems.slice(0, 5).map(({ willRetryInMs }) => willRetryInMs),
      [5, 10, 20, 40, 40],
    );
    const [first] = rig.problems;
    assert.equal(first?.code, "LOCAL_UNREACHABLE");
    assert.equal(first.wasConnected, false);
    assert.match(first.reason, new RegExp(`connection refused by ${new URL(url).host}`));
  });

  test("chance takes up to half of a delay away", async () => {
    await using rig = new SessionRig({ urls: [await deadUrl()], random: () => 0.5 });
    rig.session.start();
    assert.equal((await rig.failed()).willRetryInMs, 15);
  });

  test("each attempt that fails moves on to the next URL", async () => {
    await using broker = await FakeBroker.start();
    await using rig = new SessionRig({ urls: [await deadUrl(), "mqtt://nowhere.invalid:1", broker.url] });
    rig.session.start();
    await rig.connected();
    assert.equal(rig.problems.length, 2);
    assert.match(rig.problems[1]?.reason ?? "", /unknown host in nowhere\.invalid:1/);
  });

  test("a connection that ends comes back to the URL that worked", async () => {
    await using broker = await FakeBroker.start();
    await using rig = new SessionRig({ urls: [await deadUrl(), broker.url] });
    rig.session.start();
    await rig.connected();
    broker.last.socket.destroy();
    await rig.connected(2);
    assert.equal(rig.problems.filter(({ wasConnected }) => !wasConnected).length, 1);
  });

  test("not a broker's URL is said without the password in it", async () => {
    await using rig = new SessionRig({ urls: ["ftp://user:secret@host/"] });
    rig.session.start();
    const { code, reason } = await rig.failed();
    assert.equal(code, "LOCAL_UNREACHABLE");
    assert.match(reason, /not a broker's URL: ftp:\/\/…@host/);
  });

  test("a broker that accepts and says nothing is left after the timeout, in each dialect after two silences", async () => {
    await using broker = await FakeBroker.start(() => {});
    await using rig = new SessionRig({ urls: [broker.url], connectTimeoutMs: 60 });
    rig.session.start();
    await until("all dialects were tried", () => broker.peers.some(({ bridged }) => bridged));
    const { code, reason } = await rig.failed();
    assert.equal(code, "LOCAL_UNREACHABLE");
    assert.match(reason, /no answer to CONNECT/);
    assert.deepEqual(
      broker.peers.slice(0, 3).map(({ connect }) => connect?.protocolVersion),
      [5, 5, 4],
    );
  });

  test("a broker that hangs up at once is told apart from one that is not there", async () => {
    await using broker = await FakeBroker.start();
    broker.opened = ({ socket }) => socket.destroy();
    await using rig = new SessionRig({ urls: [broker.url] });
    rig.session.start();
    assert.match((await rig.failed()).reason, /closed the connection without an answer|reset/);
  });

  test("bytes that are no MQTT end the attempt with what is wrong, and nothing is thrown", async () => {
    for (const garbage of [
      Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
      Buffer.of(0x00, 0x00, 0x00, 0x00),
      Buffer.of(0x20, 0xff, 0xff, 0xff, 0xff, 0xff),
      Buffer.of(0x20, 0x00),
      Buffer.of(0xff, 0x02, 0x00, 0x00),
    ]) {
      await using broker = await FakeBroker.start((peer) => {
        peer.socket.end(garbage);
      });
      await using rig = new SessionRig({ urls: [broker.url] });
      rig.session.start();
      assert.equal((await rig.failed()).code, "LOCAL_UNREACHABLE");
    }
  });

  describe("a CONNACK that refuses is named", () => {
    const cases: readonly [code: number, expected: string, slow: boolean, text: RegExp][] = [
      [0x80, "LOCAL_REFUSED", false, /unspecified error/],
      [0x85, "LOCAL_REFUSED", true, /client identifier not valid/],
      [0x86, "LOCAL_REFUSED", true, /bad user name or password \(0x86\)/],
      [0x87, "LOCAL_REFUSED", true, /not authorized/],
      [0x88, "LOCAL_REFUSED", false, /server unavailable/],
      [0x89, "LOCAL_REFUSED", false, /server busy/],
      [0x8a, "LOCAL_REFUSED", true, /banned/],
      [0x97, "LOCAL_REFUSED", false, /quota exceeded/],
      [0x9f, "LOCAL_REFUSED", false, /connection rate exceeded/],
    ];
    for (const [code, expected, slow, text] of cases) {
      test(`0x${code.toString(16)}`, async () => {
        await using broker = await FakeBroker.start((peer) => peer.refuse(code));
        await using rig = new SessionRig({ urls: [broker.url] });
        rig.session.start();
        const problem = await rig.failed();
        assert.equal(problem.code, expected);
        assert.match(problem.reason, text);
        assert.equal(problem.willRetryInMs, slow ? 400 : 20);
      });
    }

    for (const [code, slow, text] of [
      [2, true, /client identifier rejected/],
      [3, false, /server unavailable/],
      [4, true, /bad user name or password/],
      [5, true, /not authorized/],
    ] as const) {
      test(`${code} of 3.1.1`, async () => {
        await using broker = await FakeBroker.start((peer) => peer.refuse(code));
        await using rig = new SessionRig({ urls: [broker.url], endpoint: { protocolVersion: 4 } });
        rig.session.start();
        const problem = await rig.failed();
        assert.equal(problem.code, "LOCAL_REFUSED");
        assert.match(problem.reason, text);
        assert.equal(problem.willRetryInMs, slow ? 400 : 20);
      });
    }
  });

  test("a version that is refused is followed by the next one at once, with no failure told", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "connect" && packet.protocolVersion === 5) peer.socket.end(Buffer.of(0x20, 2, 0, 1));
      else if (packet.cmd === "connect" && peer.bridged) peer.refuse(1);
      else obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    assert.deepEqual(rig.problems, []);
    assert.deepEqual([rig.ups[0]?.protocolVersion, rig.ups[0]?.bridged], [4, false]);
    assert.equal(broker.peers.length, 3);
  });

  test("the bridge bit is on the wire with 3.1.1, and said to be", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], endpoint: { protocolVersion: 4 } });
    assert.equal(broker.last.bridged, true);
    assert.deepEqual([rig.ups[0]?.protocolVersion, rig.ups[0]?.bridged], [4, true]);
  });

  test("a proxy whose broker is not up yet does not cost the better dialect", async () => {
    let answering = false;
    await using broker = await FakeBroker.start((peer, packet) => {
      if (!answering) peer.socket.destroy();
      else obliging(peer, packet);
    });
    await using rig = new SessionRig({ urls: [broker.url] });
    rig.session.start();
    await until("3.1.1 was tried", () => broker.peers.some(({ connect }) => connect?.protocolVersion === 4));
    answering = true;
    assert.equal((await rig.connected()).protocolVersion, 5);
  });

  test("name and password are sent, and a password without a name with an empty one", async () => {
    await using broker = await FakeBroker.start();
    await using one = await SessionRig.up({ urls: [broker.url], endpoint: { username: "u", password: "p" } });
    assert.equal(broker.last.connect?.username, "u");
    assert.equal(broker.last.connect?.password?.toString(), "p");
    await using two = await SessionRig.up({ urls: [broker.url], endpoint: { password: "p" } });
    assert.equal(broker.last.connect?.username, "");
    assert.equal(broker.last.connect?.password?.toString(), "p");
    assert.deepEqual([one.problems, two.problems], [[], []]);
  });

  test("the will is asked for before each connection", async () => {
    await using broker = await FakeBroker.start();
    let life = 0;
    await using rig = await SessionRig.up({
      urls: [broker.url],
      will: () => {
        life += 1;
        return { topic: "will", payload: Buffer.from(`life ${life}`), qos: 1 };
      },
    });
    broker.last.socket.destroy();
    await rig.connected(2);
    assert.deepEqual(
      broker.peers.map(({ connect }) => connect?.will?.payload.toString()),
      ["life 1", "life 2"],
    );
  });
});

describe("sessions", () => {
  const asked = (broker: FakeBroker): unknown[] =>
    broker.peers.map(({ connect }) => [connect?.clean, connect?.properties?.sessionExpiryInterval ?? 0]);

  test("`first` wipes on a connection of its own, without a will, and then goes on", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({
      urls: [broker.url],
      session: { cleanStart: "first", expirySeconds: 300 },
      will: () => ({ topic: "will", payload: Buffer.from("w"), qos: 1 }),
    });
    assert.deepEqual(asked(broker), [
      [true, 0],
      [false, 300],
    ]);
    assert.equal(broker.peers[0]?.of("disconnect").length, 1);
    assert.deepEqual(
      broker.peers.map(({ connect }) => connect?.will !== undefined),
      [false, true],
    );
    assert.equal(rig.ups.length, 1);
    assert.equal(rig.session.counters.connections, 1);
    broker.last.socket.destroy();
    await rig.connected(2);
    assert.deepEqual(asked(broker).slice(2), [[false, 300]]);
  });

  test("`never` goes on from the start, `always` never does", async () => {
    await using broker = await FakeBroker.start();
    await using one = await SessionRig.up({
      urls: [broker.url],
      session: { cleanStart: "never", expirySeconds: 60 },
    });
    await using two = await SessionRig.up({ urls: [broker.url], session: { cleanStart: "always", expirySeconds: 60 } });
    assert.deepEqual(asked(broker), [
      [false, 60],
      [true, 0],
    ]);
    assert.deepEqual([one.problems, two.problems], [[], []]);
  });

  test("messages that come right behind the CONNACK of a resumed session are told after `connected`", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "connect") return obliging(peer, packet);
      peer.socket.cork();
      peer.accept({}, true);
      peer.send({ cmd: "publish", topic: "t", payload: "queued", qos: 1, messageId: 3, dup: true, retain: false });
      peer.socket.uncork();
    });
    await using rig = await SessionRig.up({ urls: [broker.url], session: { cleanStart: "never", expirySeconds: 60 } });
    await packetsOf(() => broker.last, "puback", 1);
    assert.deepEqual(rig.order, ["connected", "message queued"]);
    assert.equal(rig.ups[0]?.sessionPresent, true);
    assert.equal(rig.messages[0]?.about.dup, true);
  });
});

describe("limits of the broker", () => {
  test("Receive Maximum 1 keeps one publish in flight", async () => {
    const held: number[] = [];
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "connect") peer.accept({ receiveMaximum: 1 });
      else if (packet.cmd === "publish") held.push(packet.messageId ?? 0);
      else obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    const results = ["a", "b", "c"].map((text) => rig.publish("t", text));
    for (let sent = 1; sent <= 3; sent += 1) {
      await until(`publish ${sent} arrives`, () => held.length >= sent);
      await rig.subscribe("sentinel");
      assert.equal(held.length, sent, "the next one waits for the answer");
      broker.last.send({ cmd: "puback", messageId: held[sent - 1] ?? 0, reasonCode: 0 });
    }
    assert.deepEqual(await Promise.all(results), new Array(3).fill({ ok: true, reasonCode: 0 }));
  });

  test("a packet above Maximum Packet Size is answered and not sent", async () => {
    await using broker = await FakeBroker.start(accepting({ maximumPacketSize: 100 }));
    await using rig = await SessionRig.up({ urls: [broker.url] });
    assert.deepEqual(await rig.publish("t", "x".repeat(100)), { ok: false, why: "tooLarge" });
    assert.deepEqual(await rig.subscribe("x".repeat(100), "short"), [0x95, 1]);
    assert.deepEqual(await rig.publish("t", "x"), { ok: true, reasonCode: 0 });
    assert.equal(broker.last.of("publish").length, 1);
    assert.equal(rig.session.counters.publishesTooLarge, 1);
    assert.equal(rig.session.limits?.maximumPacketSize, 100);
  });

  test("where identifiers are not available, filters go without", async () => {
    await using broker = await FakeBroker.start(accepting({ subscriptionIdentifiersAvailable: false }));
    await using rig = await SessionRig.up({ urls: [broker.url] });
    await rig.subscribe({ filter: "a", qos: 1, id: 1 }, { filter: "b", qos: 1, id: 2 });
    assert.equal(broker.last.of("subscribe").length, 1);
    assert.equal(broker.last.of("subscribe")[0]?.properties?.subscriptionIdentifier, undefined);
  });
});

describe("answers", () => {
  test("reason codes reach who asked", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "publish") peer.send({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0x10 });
      else if (packet.cmd === "subscribe") {
        peer.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0x87, 1] });
      } else if (packet.cmd === "unsubscribe") {
        peer.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: [0x11] });
      } else obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    assert.deepEqual(await rig.publish("t", "x"), { ok: true, reasonCode: 0x10 });
    assert.deepEqual(await rig.subscribe("a", "b"), [0x87, 1]);
    assert.deepEqual(await rig.unsubscribe("a"), [0x11]);
    assert.deepEqual(rig.problems, []);
  });

  test("a SUBACK with too few codes grants nothing: the connection ends", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "subscribe") {
        peer.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
      } else obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    assert.equal(await rig.subscribe("a", "b"), null);
    assert.match((await rig.failed()).reason, /answered 2 filters with 1 codes/);
  });

  test("an answer that never comes ends the connection, and everything asked on it is told as lost", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "publish") obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url], ackTimeoutMs: 200, inflightMax: 2 });
    const results = await Promise.all(["a", "b", "c"].map((text) => rig.publish("t", text)));
    assert.deepEqual(results, new Array(3).fill({ ok: false, why: "lost" }));
    assert.match((await rig.failed()).reason, /left a packet unanswered for 0\.2 s/);
    await rig.connected(2);
  });

  test("what is asked again from within a lost answer is answered too", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "connect" || packet.cmd === "pingreq") obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    const again: unknown[] = [];
    rig.session.publish({ topic: "t", payload: Buffer.from("1"), qos: 1, retain: false }, (result) => {
      again.push(["first", result]);
      rig.session.publish({ topic: "t", payload: Buffer.from("2"), qos: 1, retain: false }, (second) =>
        again.push(["second", second]),
      );
      rig.session.subscribe([{ filter: "f", qos: 1 }], (codes) => again.push(["subscribe", codes]));
      rig.session.unsubscribe(["f"], (codes) => again.push(["unsubscribe", codes]));
    });
    await packetsOf(() => broker.last, "publish", 1);
    broker.last.socket.destroy();
    await until("all four answers", () => again.length === 4 || JSON.stringify(again));
    const lost = { ok: false, why: "lost" };
    assert.deepEqual(again, [
      ["first", lost],
      ["second", lost],
      ["subscribe", null],
      ["unsubscribe", null],
    ]);
  });

  test("answers come before `disconnected`, and nothing of the connection after it", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "publish") obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    const publishing = rig.publish("t", "x").then(() => rig.order.push("lost"));
    rig.session.publish({ topic: "t", payload: Buffer.from("y"), qos: 1, retain: false }, () => rig.order.push("lost"));
    await packetsOf(() => broker.last, "publish", 2);
    broker.last.socket.destroy();
    await rig.failed();
    await publishing;
    assert.deepEqual(rig.order.slice(0, 3), ["connected", "lost", "disconnected LOCAL_UNREACHABLE"]);
  });

  test("without a connection everything is answered as lost, on a later turn", async () => {
    await using rig = new SessionRig({ urls: [await deadUrl()] });
    const answers: unknown[] = [];
    rig.session.publish({ topic: "t", payload: Buffer.from("x"), qos: 1, retain: false }, (result: PublishResult) =>
      answers.push(result.ok),
    );
    rig.session.subscribe([{ filter: "a", qos: 1 }], (codes) => answers.push(codes));
    rig.session.unsubscribe(["a"], (codes) => answers.push(codes));
    assert.deepEqual(answers, []);
    await turn();
    assert.deepEqual(answers, [false, null, null]);
    assert.deepEqual([rig.session.connected, rig.session.protocolVersion, rig.session.limits], [false, null, null]);
  });
});

describe("ends", () => {
  test("a DISCONNECT of MQTT 5 is told with its reason; a takeover is named and slows down", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url] });
    broker.last.send({ cmd: "disconnect", reasonCode: 0x8e });
    const taken = await rig.failed();
    assert.deepEqual([taken.code, taken.wasConnected, taken.willRetryInMs], ["LOCAL_SESSION_TAKEN", true, 400]);
    await rig.connected(2);
    broker.last.send({ cmd: "disconnect", reasonCode: 0x8b });
    const closing = await rig.failed(2);
    assert.deepEqual([closing.code, closing.willRetryInMs], ["LOCAL_UNREACHABLE", 20]);
    assert.match(closing.reason, /server shutting down/);
    await rig.connected(3);
    broker.last.socket.destroy();
    await rig.connected(4);
    // How each connection but the last was lost, and nothing for the first.
    const { connections, reconnects } = rig.session.counters;
    assert.deepEqual([connections, reconnects], [4, { lost: 0, dropped: 1, ended: 1, taken_over: 1, tls: 0 }]);
  });

  test("a broker that drops each connection soon after it stood is taken for a rival's", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      obliging(peer, packet);
      if (packet.cmd === "publish") peer.socket.end();
    });
    await using rig = await SessionRig.up({ urls: [broker.url] });
    for (let drop = 1; drop <= 5; drop += 1) {
      await rig.connected(drop);
      await rig.publish("t", "x");
      await rig.failed(drop);
    }
    assert.deepEqual(
      rig.problems.map(({ code }) => code),
      [...new Array(4).fill("LOCAL_UNREACHABLE"), "LOCAL_SESSION_TAKEN"],
    );
    assert.equal(rig.problems[4]?.willRetryInMs, 400);
  });

  test("a connection that goes dead without a word is noticed by the keep-alive", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "connect") obliging(peer, packet);
    });
    await using rig = await SessionRig.up({ urls: [broker.url], keepAliveSeconds: 1 });
    const { code, reason } = await rig.failed();
    assert.equal(code, "LOCAL_UNREACHABLE");
    assert.match(reason, /keepalive timeout/i);
    await rig.connected(2);
  });

  test("garbage on a connection that stands ends it, and the next one is clean", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url] });
    broker.last.socket.write(Buffer.of(0x36, 0x03, 0x00, 0x01, 0x61));
    await rig.failed();
    await rig.connected(2);
    assert.deepEqual(await rig.publish("t", "x"), { ok: true, reasonCode: 0 });
  });

  test("a second CONNACK ends the connection", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url] });
    broker.last.accept();
    assert.match((await rig.failed()).reason, /duplicate CONNACK/);
  });

  test("a connection that held for long starts the delays again, one that did not goes on with them", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({
      urls: [broker.url],
      reconnect: { baseMs: 10, capMs: 1_000, settledMs: 300 },
    });
    for (let drop = 1; drop <= 3; drop += 1) {
      await rig.connected(drop);
      broker.last.socket.destroy();
      await rig.failed(drop);
    }
    await rig.connected(4);
    const atMs = performance.now();
    await until("it held", () => performance.now() - atMs > 320);
    broker.last.socket.destroy();
    await rig.failed(4);
    assert.deepEqual(
      rig.problems.map(({ willRetryInMs }) => willRetryInMs),
      [10, 20, 40, 10],
    );
  });
});

describe("stopping", () => {
  test("waits for the answers that are due, takes nothing more, says goodbye, and no event follows", async () => {
    const held: number[] = [];
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "publish") held.push(packet.messageId ?? 0);
      else obliging(peer, packet);
    });
    const rig = await SessionRig.up({ urls: [broker.url] });
    const due = rig.publish("t", "due");
    await until("it arrives", () => held.length === 1);
    const stopping = rig.session.stop(5_000);
    assert.deepEqual(await rig.publish("t", "late"), { ok: false, why: "lost" });
    assert.equal(await rig.subscribe("late"), null);
    assert.equal(broker.last.of("disconnect").length, 0);
    broker.last.send({ cmd: "puback", messageId: held[0] ?? 0, reasonCode: 0 });
    await stopping;
    assert.deepEqual(await due, { ok: true, reasonCode: 0 });
    assert.equal(broker.last.of("disconnect").length, 1);
    assert.deepEqual([rig.order, rig.session.connected], [["connected"], false]);
    assert.equal(rig.session.stop(0), stopping, "a second stop is the first");
    rig.session.start();
    await turn();
    assert.equal(broker.peers.length, 1, "what was stopped does not start again");
  });

  test("past the grace what is not answered is lost; the goodbye still leaves, also when answers come behind it", async () => {
    const held: number[] = [];
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "publish") held.push(packet.messageId ?? 0);
      else if (packet.cmd === "disconnect") {
        // The socket stays open a while: what was asked first is answered first.
        for (const messageId of held) peer.send({ cmd: "puback", messageId, reasonCode: 0 });
        peer.socket.end();
      } else obliging(peer, packet);
    });
    const rig = await SessionRig.up({ urls: [broker.url], inflightMax: 2 });
    const results = ["a", "b", "c", "d"].map((text) => rig.publish("t", text));
    await until("the window is out", () => held.length === 2);
    await rig.session.stop(0);
    const answers = await Promise.all(results);
    assert.deepEqual(answers.slice(2), new Array(2).fill({ ok: false, why: "lost" }));
    assert.equal(broker.last.of("disconnect").length, 1);
    assert.equal(broker.last.of("publish").length, 2);
  });

  test("an answer between goodbye and close sends nothing behind the goodbye", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "publish" && packet.cmd !== "disconnect") obliging(peer, packet);
    });
    broker.lingers = true;
    const rig = await SessionRig.up({ urls: [broker.url], inflightMax: 1 });
    const results = ["a", "b"].map((text) => rig.publish("t", text));
    await packetsOf(() => broker.last, "publish", 1);
    // What the broker had sent before our goodbye reached it.
    broker.last.socket.pause();
    const stopping = rig.session.stop(0);
    broker.last.send({ cmd: "puback", messageId: broker.last.of("publish")[0]?.messageId ?? 0, reasonCode: 0 });
    assert.deepEqual(await Promise.all(results), [
      { ok: true, reasonCode: 0 },
      { ok: false, why: "lost" },
    ]);
    let stopped = false;
    void stopping.then(() => {
      stopped = true;
    });
    broker.last.socket.resume();
    await packetsOf(() => broker.last, "disconnect", 1);
    assert.equal(stopped, false, "the broker closes, not an error of ours");
    broker.last.socket.end();
    await stopping;
    assert.equal(broker.last.of("publish").length, 1);
  });

  test("a message that arrives behind our goodbye is neither told nor acknowledged", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd === "disconnect") {
        peer.send({ cmd: "publish", topic: "t", payload: "late", qos: 1, messageId: 1, dup: false, retain: false });
        peer.socket.end();
      } else obliging(peer, packet);
    });
    const rig = await SessionRig.up({ urls: [broker.url] });
    await rig.session.stop(0);
    assert.deepEqual(rig.order, ["connected"]);
    assert.equal(broker.last.of("puback").length, 0);
  });

  test("a broker that does not close after our goodbye is left after a second", async () => {
    await using broker = await FakeBroker.start((peer, packet) => {
      if (packet.cmd !== "disconnect") obliging(peer, packet);
    });
    broker.lingers = true;
    const rig = await SessionRig.up({ urls: [broker.url] });
    const beganMs = performance.now();
    await rig.session.stop(0);
    assert.ok(performance.now() - beganMs < 3_000);
    broker.lingers = false;
    broker.last.socket.end();
    await until("the socket is gone", () => broker.open === 0);
  });

  const moments: readonly [name: string, start: (broker: FakeBroker) => Promise<SessionRig>][] = [
    ["before it started", async (broker) => new SessionRig({ urls: [broker.url] })],
    [
      "while it dials",
      async (broker) => {
        const rig = new SessionRig({ urls: [broker.url] });
        rig.session.start();
        return rig;
      },
    ],
    [
      "while it waits for the CONNACK",
      async (broker) => {
        broker.answer = () => {};
        const rig = new SessionRig({ urls: [broker.url] });
        rig.session.start();
        await until("CONNECT arrives", () => broker.peers[0]?.connect != null);
        return rig;
      },
    ],
    [
      "while it waits for another try",
      async (broker) => {
        broker.answer = (peer) => peer.refuse(0x87);
        const rig = new SessionRig({ urls: [broker.url] });
        rig.session.start();
        await rig.failed();
        return rig;
      },
    ],
    [
      "while it wipes",
      async (broker) => {
        broker.answer = (peer, packet) => {
          if (packet.cmd !== "disconnect") obliging(peer, packet);
        };
        broker.lingers = true;
        const rig = new SessionRig({ urls: [broker.url], session: { cleanStart: "first", expirySeconds: 60 } });
        rig.session.start();
        await until("its goodbye arrives", () => broker.peers[0]?.of("disconnect").length === 1);
        return rig;
      },
    ],
  ];
  for (const [name, start] of moments) {
    test(`${name}: no socket stays, no event follows`, async () => {
      await using broker = await FakeBroker.start();
      const rig = await start(broker);
      const before = rig.order.length;
      await rig.session.stop(1_000);
      for (const { socket } of broker.peers) socket.end();
      await until("no socket stays", () => broker.open === 0 || `${broker.open}`);
      assert.equal(rig.order.length, before);
      assert.equal(rig.session.connected, false);
    });
  }
});

test("sessions that were stopped, in whatever state, leave no timer and no socket", async () => {
  await using broker = await FakeBroker.start();
  const resources = (): number =>
    process.getActiveResourcesInfo().filter((name) => /Timeout|TCP(?!Server)|TLS|GetAddrInfo/.test(name)).length;
  const before = resources();
  const rigs: SessionRig[] = [];
  for (let i = 0; i < 40; i += 1) {
    const rig = new SessionRig({
      urls: [i % 4 === 0 ? "mqtt://127.0.0.1:1" : broker.url],
      session: { cleanStart: i % 2 === 0 ? "first" : "always", expirySeconds: 60 },
    });
    rigs.push(rig);
    rig.session.start();
    if (i % 4 === 1) await rig.connected();
    if (i % 8 === 1) void rig.publish("t", "x");
  }
  await Promise.all(rigs.map(({ session }) => session.stop(100)));
  for (const { socket } of broker.peers) socket.destroy();
  await until("nothing is left", () => resources() <= before || process.getActiveResourcesInfo().join());
});

describe("a broker that takes nothing", () => {
  test("holds what is bounded: QoS 0 is refused at 4 MiB, QoS 1 waits in the window, and both go on when it reads again", async () => {
    await using broker = await FakeBroker.start();
    await using rig = await SessionRig.up({ urls: [broker.url], sendQueueMax: 100, ackTimeoutMs: 60_000 });
    const warnings: string[] = [];
    const warn = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", warn);
    broker.last.socket.pause();
    const payload = Buffer.alloc(2_000);
    let refused = 0;
    let sent = 0;
    const sending = rig.session;
    while (refused === 0 && sent < 100_000) {
      for (let i = 0; i < 100; i += 1) {
        sent += 1;
        sending.publish({ topic: "t", payload, qos: 0, retain: false }, (result) => {
          if (!result.ok) refused += 1;
        });
      }
      await turn();
    }
    assert.ok(refused > 0, "QoS 0 is refused in the end");
    assert.equal(sending.congested, true);
    const reliable = rig.publish("t", "reliable");
    assert.equal(sending.counters.publishesRefusedFull, refused);
    broker.last.socket.resume();
    assert.deepEqual(await reliable, { ok: true, reasonCode: 0 });
    await until("nothing waits", () => !sending.congested);
    assert.equal(broker.last.of("publish").length, sent - refused + 1);
    await turn();
    process.off("warning", warn);
    assert.deepEqual(warnings, [], "no listener for each packet that waits");
  });
});
