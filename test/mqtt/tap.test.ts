import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { after, before, describe, mock, test } from "node:test";
import { generate } from "mqtt-packet";
import { Tap } from "../../src/mqtt/tap.ts";
import { until } from "../support/until.ts";

const PINGREQ = generate({ cmd: "pingreq" });
const PINGRESP = generate({ cmd: "pingresp" });
const SMALL = generate({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: false });
/** Something that arrives, is passed on, and is nothing else to the tap. */
const ARRIVES = generate({ cmd: "suback", messageId: 7, granted: [1] });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The socket below: keeps what is written, takes it when the test lets it. */
class Socket extends Duplex {
  readonly writes: Buffer[] = [];
  stalled = false;
  #held: (() => void)[] = [];

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(Buffer.from(chunk));
    if (this.stalled) this.#held.push(done);
    else done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }
  flow(): void {
    this.stalled = false;
    const held = this.#held;
    this.#held = [];
    for (const done of held) done();
  }
}

function stream(options: Partial<ConstructorParameters<typeof Tap>[1]> = {}) {
  const socket = new Socket();
  const told: string[] = [];
  const stream = new Tap(
    socket,
    { version: 4, bridge: false, ackByPing: false, framed: false, maximumPacketSize: 1_000_000, ...options },
    {
      publish: ({ topic }) => told.push(`publish ${topic}`),
      answer: (packetId, codes) => told.push(`answer ${packetId}: ${codes}`),
      alive: () => {},
      drained: () => told.push("drained"),
      problem: (reason) => told.push(reason),
    },
  );
  const read: Buffer[] = [];
  const happened: string[] = [];
  stream.on("data", (chunk: Buffer) => {
    read.push(chunk);
    happened.push(`data ${chunk.length}`);
  });
  stream.on("end", () => happened.push("end"));
  stream.on("close", () => happened.push("close"));
  stream.on("error", (error) => happened.push(`error ${error.message}`));
  return { socket, stream, read, happened, told };
}

function published(topic: string, payload: string, messageId: number): Buffer {
  const qos = messageId === 0 ? 0 : 1;
  return generate({ cmd: "publish", topic, payload, qos, messageId, dup: false, retain: false });
}

describe("the bridge bit", () => {
  const connect = generate({ cmd: "connect", clientId: "me", protocolVersion: 4, clean: true, keepalive: 20 });
  const long = generate({
    cmd: "connect",
    clientId: "me",
    protocolVersion: 4,
    clean: true,
    keepalive: 20,
    username: "u",
    password: Buffer.from("p".repeat(300)),
  });
  for (const [name, packet, level] of [
    ["a short CONNECT", connect, 8],
    ["one with a remaining length of two bytes", long, 9],
  ] as const) {
    test(`is set in ${name}, wherever it is cut, and nowhere else`, async () => {
      const expected = Buffer.from(packet);
      assert.equal(expected[level], 4);
      expected[level] = 0x84;
      for (let cut = 1; cut <= packet.length; cut += 1) {
        const { socket, stream: under } = stream({ bridge: true });
        under.write(packet.subarray(0, cut));
        if (cut < packet.length) assert.equal(socket.bytes.length, 0, "nothing of it leaves before it is complete");
        if (cut < packet.length) under.write(packet.subarray(cut));
        under.write(SMALL);
        await turn();
        assert.deepEqual(socket.bytes, Buffer.concat([expected, SMALL]));
      }
    });
  }

  test("is not set unless it is asked for", async () => {
    const { socket, stream: under } = stream();
    under.write(connect);
    await turn();
    assert.deepEqual(socket.bytes, connect);
  });

  test("a CONNECT that came in one write with what follows is changed all the same", async () => {
    const { socket, stream: under } = stream({ bridge: true });
    under.write(Buffer.concat([connect, SMALL]));
    await turn();
    assert.equal(socket.writes.length, 1);
    assert.equal(socket.bytes[8], 0x84);
    assert.deepEqual(socket.bytes.subarray(connect.length), SMALL);
  });
});

describe("drawing acknowledgements out of the kernel", () => {
  let nowMs = 1_000;
  before(() => mock.method(performance, "now", () => nowMs));
  after(() => mock.reset());

  test("none where we only read: there the kernel does it at once, until we begin to write", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    const arrives = async (): Promise<number> => {
      socket.push(ARRIVES);
      await turn();
      await turn();
      return under.pings;
    };
    nowMs += 101;
    assert.equal(await arrives(), 0);
    under.write(SMALL);
    await turn();
    nowMs += 100;
    assert.equal(await arrives(), 1);
    nowMs += 1;
    assert.equal(await arrives(), 1);
    under.destroy();
  });

  test("a small read that nobody answers is answered by one PINGREQ", async () => {
    const { socket, stream: under, read } = stream({ ackByPing: true });
    socket.push(ARRIVES);
    socket.push(ARRIVES);
    await turn();
    await turn();
    assert.deepEqual(socket.bytes, PINGREQ);
    assert.equal(under.pings, 1);
    assert.deepEqual(Buffer.concat(read), Buffer.concat([ARRIVES, ARRIVES]));
  });

  test("a read that comes behind one gets its own, and never are there three without an answer", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { socket, stream: under } = stream({ ackByPing: true });
    const arrives = async (packet: Buffer): Promise<number> => {
      socket.push(packet);
      await turn();
      await turn();
      return under.pings;
    };
    assert.equal(await arrives(ARRIVES), 1);
    assert.equal(await arrives(ARRIVES), 2);
    assert.equal(await arrives(ARRIVES), 2);
    assert.equal(await arrives(PINGRESP), 2, "none for an answer alone, at once");
    assert.equal(await arrives(ARRIVES), 3);
    assert.equal(await arrives(ARRIVES), 3);
    under.destroy();
  });

  test("answers are followed by four more, 2, 4, 8 and 16 ms apart, and then there is silence", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { socket, stream: under } = stream({ ackByPing: true });
    const answered = async (): Promise<void> => {
      socket.push(PINGRESP);
      await turn();
      await turn();
    };
    socket.push(ARRIVES);
    await turn();
    await turn();
    for (const [index, waitMs] of [2, 4, 8, 16].entries()) {
      await answered();
      t.mock.timers.tick(waitMs - 1);
      assert.equal(under.pings, index + 1);
      t.mock.timers.tick(1);
      assert.equal(under.pings, index + 2);
    }
    await answered();
    t.mock.timers.tick(10_000);
    assert.equal(under.pings, 5);
    socket.push(ARRIVES);
    await turn();
    await turn();
    assert.equal(under.pings, 6, "another read begins anew");
    assert.deepEqual(socket.bytes, Buffer.concat(new Array(6).fill(PINGREQ)));
  });

  test("no more follow when something was written, nor after the end", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    for (const interrupt of [
      (under: Tap) => void under.write(SMALL),
      (under: Tap) => void under.destroy(),
      (_under: Tap, socket: Socket) => void socket.push(null),
    ]) {
      const { socket, stream: under } = stream({ ackByPing: true });
      socket.push(ARRIVES);
      await turn();
      await turn();
      socket.push(PINGRESP);
      await turn();
      interrupt(under, socket);
      await turn();
      await turn();
      t.mock.timers.tick(1_000);
      assert.equal(under.pings, 1);
    }
  });

  test("what we wrote behind one has its answer held back by the answer to it: that is answered at once", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    socket.push(ARRIVES);
    await turn();
    await turn();
    under.write(SMALL);
    await turn();
    socket.push(PINGRESP);
    await turn();
    await turn();
    assert.deepEqual(socket.bytes, Buffer.concat([PINGREQ, SMALL, PINGREQ]));
  });

  test("a read while a follow-up waits begins anew, with its own", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { socket, stream: under } = stream({ ackByPing: true });
    const arrives = async (packet: Buffer): Promise<void> => {
      socket.push(packet);
      await turn();
      await turn();
    };
    await arrives(ARRIVES);
    await arrives(PINGRESP);
    under.write(SMALL);
    await turn();
    await arrives(ARRIVES);
    await arrives(PINGRESP);
    assert.equal(under.pings, 2);
    t.mock.timers.tick(2);
    assert.equal(under.pings, 3);
  });

  test("the library's own counts among those without an answer", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    under.write(PINGREQ);
    for (let i = 0; i < 3; i += 1) {
      socket.push(ARRIVES);
      await turn();
      await turn();
    }
    assert.deepEqual(socket.bytes, Buffer.concat([PINGREQ, PINGREQ]));
    assert.equal(under.pings, 1);
  });

  test("none when the turn's own writing carries the acknowledgement", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    socket.push(ARRIVES);
    await new Promise((resolve) => process.nextTick(resolve));
    under.write(SMALL);
    await turn();
    await turn();
    assert.deepEqual(socket.bytes, SMALL);
    assert.equal(under.pings, 0);
  });

  test("none in the middle of a packet, nor while something waits to be written", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    under.write(SMALL.subarray(0, 3));
    socket.push(ARRIVES);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    under.write(SMALL.subarray(3));
    await turn();
    socket.stalled = true;
    under.write(SMALL);
    await turn();
    socket.push(ARRIVES);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    socket.flow();
    await turn();
    socket.push(ARRIVES);
    await turn();
    await turn();
    assert.equal(under.pings, 1);
    assert.deepEqual(socket.bytes, Buffer.concat([SMALL, SMALL, PINGREQ]));
  });

  test("none for a read of a full segment, and none after the end", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    socket.push(Buffer.concat(new Array(292).fill(ARRIVES)));
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    socket.push(ARRIVES);
    socket.push(null);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
  });
});

describe("writing", () => {
  test("what is written in one turn leaves as one piece, in the order of the calls", async () => {
    const { socket, stream: under } = stream();
    const expected: Buffer[] = [];
    for (let i = 0; i < 10; i += 1) {
      under.cork();
      under.write(SMALL.subarray(0, 1));
      under.write(SMALL.subarray(1));
      under.publish({ topic: `t/${i}`, payload: Buffer.from("x"), qos: 1, retain: false }, 5_000 + i);
      under.acknowledge(i + 1, 1, 0);
      expected.push(SMALL, published(`t/${i}`, "x", 5_000 + i), generate({ cmd: "puback", messageId: i + 1 }));
    }
    assert.equal(socket.writes.length, 0);
    await turn();
    assert.equal(socket.writes.length, 1);
    assert.deepEqual(socket.bytes, Buffer.concat(expected));
  });

  test("a packet of the library's that comes in pieces is never cut by ours", async () => {
    const { socket, stream: under } = stream();
    for (let at = 0; at < SMALL.length; at += 1) {
      under.write(SMALL.subarray(at, at + 1));
      under.publish({ topic: "own", payload: Buffer.from("x"), qos: 0, retain: false }, 0);
      await turn();
    }
    const own = published("own", "x", 0);
    const before = new Array(SMALL.length - 1).fill(own);
    assert.deepEqual(socket.bytes, Buffer.concat([...before, SMALL, own]));
  });

  test("a payload that is large is written where it lies, between what is before and behind it", async () => {
    const { socket, stream: under } = stream();
    const payload = Buffer.alloc(200_000, "abc");
    const texts = ["a", payload.toString(), "b", payload.toString()];
    for (const text of texts) under.publish({ topic: "t", payload: Buffer.from(text), qos: 1, retain: false }, 9_000);
    await turn();
    assert.deepEqual(socket.bytes, Buffer.concat(texts.map((text) => published("t", text, 9_000))));
  });

  test("memory that the socket still holds is not written again", async () => {
    const { socket, stream: under } = stream();
    const expected: Buffer[] = [];
    for (let round = 0; round < 200; round += 1) {
      if (round % 7 === 0) socket.stalled = true;
      const text = `${round}`.repeat(100 + round * 3);
      under.publish({ topic: "t", payload: Buffer.from(text), qos: 0, retain: false }, 0);
      expected.push(published("t", text, 0));
      await turn();
      if (round % 7 === 5) socket.flow();
    }
    socket.flow();
    await until("all is written", () => under.waitingBytes === 0);
    assert.ok(Buffer.concat(expected).equals(socket.bytes));
  });

  test("to a framed socket it goes in pieces of 16 KiB, in order and whole", async () => {
    const { socket, stream: under } = stream({ framed: true });
    const bytes = published("t", "abcdefg".repeat(6_000), 0);
    under.write(bytes);
    await turn();
    assert.equal(Math.max(...socket.writes.map(({ length }) => length)), 16_384);
    assert.equal(socket.writes.length, 3);
    assert.deepEqual(socket.bytes, bytes);
  });

  test("what the socket does not take counts once, and its taking is told", async () => {
    const { socket, stream: under, told } = stream();
    socket.stalled = true;
    const packet = { topic: "t", payload: new Uint8Array(2_000_000), qos: 0, retain: false } as const;
    under.publish(packet, 0);
    assert.equal(under.waitingBytes, 2_000_007);
    await turn();
    assert.equal(under.waitingBytes, 2_000_007);
    under.publish({ ...packet, payload: new Uint8Array(0) }, 0);
    assert.equal(under.waitingBytes, 2_000_012);
    await turn();
    socket.flow();
    await until("a drain", () => told.includes("drained"));
    assert.equal(under.waitingBytes, 0);
  });

  test("a broker that sends and does not read our answers is left when it must have used an identifier twice", async () => {
    const { socket, stream: under, told } = stream();
    socket.stalled = true;
    for (let i = 0; i < 65_535; i += 1) under.acknowledge(1 + i, 1, 0);
    await turn();
    assert.deepEqual(told, []);
    under.acknowledge(1, 1, 0);
    assert.deepEqual(told, ["the broker sends and does not read our answers"]);
    under.destroy();
    const { socket: other, stream: again, told: nothing } = stream();
    for (let i = 0; i < 200_000; i += 1) {
      again.acknowledge(1 + (i % 65_535), 1, 0);
      if (i % 50_000 === 0) await turn();
    }
    assert.ok(other.bytes.length > 0);
    assert.deepEqual(
      nothing.filter((line) => line !== "drained"),
      [],
    );
  });

  test("a goodbye goes behind everything, and closes", async () => {
    const { socket, stream: under } = stream();
    under.cork();
    under.write(SMALL);
    under.disconnect();
    await until("the socket ends", () => socket.writableEnded);
    assert.deepEqual(socket.bytes, Buffer.concat([SMALL, Buffer.of(0xe0, 0)]));
    under.disconnect();
    assert.equal(socket.bytes.length, SMALL.length + 2, "said once");
  });
});

describe("reading", () => {
  const connack = generate({ cmd: "connack", returnCode: 0, sessionPresent: false });

  test("what the tap takes is told, the rest is passed on, and what follows the CONNACK waits for the owner", async () => {
    const { socket, stream: under, read, told } = stream();
    const puback = generate({ cmd: "puback", messageId: 4_096 });
    socket.push(Buffer.concat([connack, SMALL, puback, ARRIVES, PINGRESP]));
    await turn();
    socket.push(SMALL);
    await turn();
    assert.deepEqual(Buffer.concat(read), connack);
    assert.deepEqual(told, []);
    under.open();
    await until("all of it is told", () => told.length === 4);
    assert.deepEqual(told, ["publish t", "answer 4096: 0", "answer 7: 1", "publish t"]);
    assert.deepEqual(Buffer.concat(read), Buffer.concat([connack, ARRIVES, PINGRESP]));
  });

  test("an owner that ends it in the middle of what was read hears nothing more", async () => {
    const { socket, stream: under, told } = stream();
    socket.push(connack);
    await turn();
    under.open();
    const push = told.push.bind(told);
    told.push = (...items: string[]) => {
      under.destroy();
      return push(...items);
    };
    socket.push(Buffer.concat([SMALL, SMALL, ARRIVES]));
    await until("one is told", () => told.length > 0);
    await turn();
    assert.deepEqual([...told], ["publish t"]);
  });

  test("a reader that does not take what comes stops the socket, and goes on when it does", async () => {
    const { socket, stream: under, read } = stream();
    under.pause();
    await turn();
    for (let i = 0; i < 20 && !socket.isPaused(); i += 1) {
      socket.push(Buffer.concat(new Array(3_000).fill(ARRIVES)));
      await turn();
    }
    assert.equal(socket.isPaused(), true);
    under.resume();
    socket.push(PINGRESP);
    await until("the rest comes", () => read.at(-1)?.length === PINGRESP.length);
  });

  test("what was read before the end is handed on before it", async () => {
    const { socket, stream: under, happened } = stream();
    socket.push(ARRIVES);
    socket.push(null);
    await until("the stream closes", () => happened.includes("close"));
    assert.deepEqual(happened, [`data ${ARRIVES.length}`, "end", "close"]);
    assert.equal(under.problem, null);
    assert.equal(socket.destroyed, true);
  });

  test("also before an error, which is kept and is nobody's event", async () => {
    const { socket, stream: under, happened } = stream();
    under.pause();
    socket.push(ARRIVES);
    await turn();
    socket.destroy(new Error("reset"));
    await turn();
    under.resume();
    await until("the stream closes", () => happened.includes("close"));
    assert.deepEqual(happened, [`data ${ARRIVES.length}`, "end", "close"]);
    assert.equal(under.problem?.message, "reset");
  });

  test("after destroy nothing comes any more, and the socket is gone", async () => {
    const { socket, stream: under, happened } = stream();
    under.destroy();
    socket.push(ARRIVES);
    await until("the stream closes", () => happened.includes("close"));
    await turn();
    assert.deepEqual(happened, ["close"]);
    assert.equal(socket.destroyed, true);
  });

  test("a socket that fails late fails silently", async () => {
    const { socket, stream: under, happened } = stream();
    under.destroy();
    socket.emit("error", new Error("late"));
    await until("the stream closes", () => happened.includes("close"));
    assert.deepEqual(happened, ["close"]);
  });
});
