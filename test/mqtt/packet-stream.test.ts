import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { after, before, describe, mock, test } from "node:test";
import { generate } from "mqtt-packet";
import { PacketStream } from "../../src/mqtt/packet-stream.ts";
import { until } from "../support/until.ts";

const PINGREQ = generate({ cmd: "pingreq" });
const PINGRESP = generate({ cmd: "pingresp" });
const SMALL = generate({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: false });
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

function stream(options: Partial<ConstructorParameters<typeof PacketStream>[1]> = {}) {
  const socket = new Socket();
  const stream = new PacketStream(socket, { bridge: false, ackByPing: false, framed: false, ...options });
  const read: Buffer[] = [];
  const happened: string[] = [];
  stream.on("data", (chunk: Buffer) => {
    read.push(chunk);
    happened.push(`data ${chunk.length}`);
  });
  stream.on("end", () => happened.push("end"));
  stream.on("close", () => happened.push("close"));
  stream.on("error", (error) => happened.push(`error ${error.message}`));
  return { socket, stream, read, happened };
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

  test("is not set unless it is asked for", () => {
    const { socket, stream: under } = stream();
    under.write(connect);
    assert.deepEqual(socket.bytes, connect);
  });

  test("a CONNECT that came in one write with what follows is changed all the same", () => {
    const { socket, stream: under } = stream({ bridge: true });
    under.write(Buffer.concat([connect, SMALL]));
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
      socket.push(SMALL);
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
    socket.push(SMALL);
    socket.push(SMALL);
    await turn();
    await turn();
    assert.deepEqual(socket.bytes, PINGREQ);
    assert.equal(under.pings, 1);
    assert.deepEqual(Buffer.concat(read), Buffer.concat([SMALL, SMALL]));
  });

  test("a read that comes behind one gets its own, and never are there three without an answer", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    const arrives = async (packet: Buffer): Promise<number> => {
      socket.push(packet);
      await turn();
      await turn();
      return under.pings;
    };
    assert.equal(await arrives(SMALL), 1);
    assert.equal(await arrives(SMALL), 2);
    assert.equal(await arrives(SMALL), 2);
    assert.equal(await arrives(PINGRESP), 2, "none for an answer alone, at once");
    assert.equal(await arrives(SMALL), 3);
    assert.equal(await arrives(SMALL), 3);
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
    socket.push(SMALL);
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
    socket.push(SMALL);
    await turn();
    await turn();
    assert.equal(under.pings, 6, "another read begins anew");
    assert.deepEqual(socket.bytes, Buffer.concat(new Array(6).fill(PINGREQ)));
  });

  test("no more follow when something was written, nor after the end", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    for (const interrupt of [
      (under: PacketStream) => void under.write(SMALL),
      (under: PacketStream) => void under.destroy(),
      (_under: PacketStream, socket: Socket) => void socket.push(null),
    ]) {
      const { socket, stream: under } = stream({ ackByPing: true });
      socket.push(SMALL);
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
    socket.push(SMALL);
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
    await arrives(SMALL);
    await arrives(PINGRESP);
    under.write(SMALL);
    await arrives(SMALL);
    await arrives(PINGRESP);
    assert.equal(under.pings, 2);
    t.mock.timers.tick(2);
    assert.equal(under.pings, 3);
  });

  test("the library's own counts among those without an answer", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    under.write(PINGREQ);
    for (let i = 0; i < 3; i += 1) {
      socket.push(SMALL);
      await turn();
      await turn();
    }
    assert.deepEqual(socket.bytes, Buffer.concat([PINGREQ, PINGREQ]));
    assert.equal(under.pings, 1);
  });

  test("none when the turn's own writing carries the acknowledgement", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    socket.push(SMALL);
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
    socket.push(SMALL);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    under.write(SMALL.subarray(3));
    await turn();
    socket.stalled = true;
    under.write(SMALL);
    await turn();
    socket.push(SMALL);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    socket.flow();
    await turn();
    socket.push(SMALL);
    await turn();
    await turn();
    assert.equal(under.pings, 1);
    assert.deepEqual(socket.bytes, Buffer.concat([SMALL, SMALL, PINGREQ]));
  });

  test("none for a read of a full segment, and none after the end", async () => {
    const { socket, stream: under } = stream({ ackByPing: true });
    socket.push(Buffer.alloc(1460, SMALL));
    await turn();
    await turn();
    assert.equal(under.pings, 0);
    socket.push(SMALL);
    socket.push(null);
    await turn();
    await turn();
    assert.equal(under.pings, 0);
  });
});

describe("writing", () => {
  test("what is written in one turn leaves as one piece", () => {
    const { socket, stream: under } = stream();
    under.cork();
    for (let i = 0; i < 10; i += 1) under.write(SMALL);
    under.uncork();
    assert.equal(socket.writes.length, 1);
    assert.equal(socket.bytes.length, 10 * SMALL.length);
  });

  test("to a framed socket it goes in pieces of 16 KiB, in order and whole", async () => {
    const { socket, stream: under } = stream({ framed: true });
    const bytes = Buffer.alloc(40_000, "abcdefg");
    under.write(bytes);
    assert.deepEqual(
      socket.writes.map(({ length }) => length),
      [16_384, 16_384, 7_232],
    );
    assert.deepEqual(socket.bytes, bytes);
    await turn();
    under.write(Buffer.alloc(16_384));
    assert.equal(socket.writes.at(-1)?.length, 16_384, "exactly one piece is not cut");
  });

  test("what the socket does not take counts once, and its taking is told", async () => {
    const { socket, stream: under } = stream();
    let drained = 0;
    under.on("drain", () => {
      drained += 1;
    });
    socket.stalled = true;
    under.write(Buffer.alloc(2_000_000));
    assert.equal(under.waitingBytes, 2_000_000);
    assert.equal(under.write(SMALL), false);
    assert.equal(under.waitingBytes, 2_000_000 + SMALL.length);
    socket.flow();
    await until("a drain", () => drained === 1);
    assert.equal(under.waitingBytes, 0);
  });

  test("the library may go on, and read, while up to a megabyte waits; then it has to wait too", () => {
    const { socket, stream: under } = stream();
    socket.stalled = true;
    assert.equal(under.write(Buffer.alloc(1_000_000)), true);
    assert.equal(under.write(Buffer.alloc(100_000)), false);
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
  test("a reader that does not take what comes stops the socket, and goes on when it does", async () => {
    const { socket, stream: under, read } = stream();
    under.pause();
    await turn();
    for (let i = 0; i < 20 && !socket.isPaused(); i += 1) {
      socket.push(Buffer.alloc(16_384));
      await turn();
    }
    assert.equal(socket.isPaused(), true);
    under.resume();
    socket.push(SMALL);
    await until("the rest comes", () => read.at(-1)?.length === SMALL.length);
  });

  test("what was read before the end is handed on before it", async () => {
    const { socket, stream: under, happened } = stream();
    socket.push(SMALL);
    socket.push(null);
    await until("the stream closes", () => happened.includes("close"));
    assert.deepEqual(happened, [`data ${SMALL.length}`, "end", "close"]);
    assert.equal(under.problem, null);
    assert.equal(socket.destroyed, true);
  });

  test("also before an error, which is kept and is nobody's event", async () => {
    const { socket, stream: under, happened } = stream();
    under.pause();
    socket.push(SMALL);
    await turn();
    socket.destroy(new Error("reset"));
    await turn();
    under.resume();
    await until("the stream closes", () => happened.includes("close"));
    assert.deepEqual(happened, [`data ${SMALL.length}`, "end", "close"]);
    assert.equal(under.problem?.message, "reset");
  });

  test("after destroy nothing comes any more, and the socket is gone", async () => {
    const { socket, stream: under, happened } = stream();
    under.destroy();
    socket.push(SMALL);
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
