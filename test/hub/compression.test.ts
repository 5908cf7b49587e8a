import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeFrame } from "../../src/wire/frame.ts";
import { packFrame } from "../../src/wire/packed-frame.ts";
import { ToyCodec } from "../support/toy-codec.ts";
import { type Agent, pair, type World } from "./world.ts";

/** Behind an envelope of five bytes, two of incarnation and eight of instance, and the algorithm. */
const LENGTH_AT = 16;
const LONG = "x".repeat(2_000);

/** `b` publishes, `a` receives. */
function subscribed(made: { world: World; a: Agent; b: Agent }): { world: World; a: Agent; b: Agent } {
  made.a.subscribe("t/#");
  made.world.settle();
  return made;
}

/** The bytes of a compressed frame of the agent, whose body says something else than it is. */
function lying(of: Agent, change: (bytes: Uint8Array) => void): Uint8Array {
  const link = of.hub.link("a");
  assert.ok(link !== undefined);
  const frame = encodeFrame({
    speaker: of.hub.identity.speaker(),
    routeOp: 0,
    stream: link.outbound.lanes.main.spool.stream,
    base: 1,
    messages: [
      {
        number: 1,
        message: {
          topic: "t/1",
          payload: new Uint8Array(2_000),
          qos: 1,
          retain: false,
          properties: null,
          expiryMs: null,
        },
        origin: null,
      },
    ],
  });
  const packed = packFrame(frame, "deflate", new ToyCodec());
  assert.ok(packed !== null);
  change(packed);
  return packed;
}

describe("two agents that compress", () => {
  test("send fewer bytes, and count what they would have been", () => {
    const { world, a, b } = subscribed(
      pair({ codec: new ToyCodec() }, { codec: new ToyCodec(), compression: "deflate" }),
    );
    b.publish("t/1", LONG);
    b.publish("t/2", "short");
    world.settle();
    assert.deepEqual(a.delivered, [`t/1=${LONG}`, "t/2=short"]);
    const { sent, compression } = b.link("a");
    assert.deepEqual([sent.frames, sent.packed, compression.inUse], [1, 1, "deflate"]);
    assert.ok(sent.bytes < 200 && sent.plainBytes > 2_000, JSON.stringify(sent));
    const { received } = a.link("b");
    assert.deepEqual([received.packed, received.bytes, received.plainBytes], [1, sent.bytes, sent.plainBytes]);
  });

  test("use what the receiver has, not what it has not", () => {
    const { world, a, b } = subscribed(
      pair({ codec: new ToyCodec(["deflate"]) }, { codec: new ToyCodec(), compression: "zstd" }),
    );
    b.publish("t/1", LONG);
    world.settle();
    assert.deepEqual(a.delivered, [`t/1=${LONG}`]);
    assert.deepEqual([b.link("a").sent.packed, b.link("a").compression.inUse], [0, null]);
  });

  test("keep the order of frames that are compressed and of those that are not", () => {
    const { world, a, b } = subscribed(
      pair({ codec: new ToyCodec() }, { codec: new ToyCodec(), compression: "brotli" }),
    );
    const texts = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? `${at} ${LONG}` : `${at}`));
    for (const text of texts) {
      b.publish("t/1", text);
      b.turn();
    }
    world.settle();
    assert.deepEqual(
      a.delivered,
      texts.map((text) => `t/1=${text}`),
    );
    assert.equal(b.link("a").sent.packed, 10);
  });
});

test("an agent without compression and one with it understand each other, in both directions", () => {
  const { world, a, b } = pair({}, { codec: new ToyCodec(), compression: "zstd" });
  a.subscribe("t/#");
  b.subscribe("t/#");
  world.settle();
  a.publish("t/1", LONG);
  b.publish("t/2", LONG);
  world.settle();
  assert.deepEqual([a.delivered, b.delivered], [[`t/2=${LONG}`], [`t/1=${LONG}`]]);
  assert.deepEqual([a.link("b").sent.packed, b.link("a").sent.packed], [0, 0]);
});

describe("a compressed frame is refused and counted, and the link goes on,", () => {
  const cases: readonly [string, ToyCodec | undefined, (bytes: Uint8Array) => void][] = [
    [
      "when it is a bomb: it holds more than it says",
      new ToyCodec(),
      (bytes) => bytes.fill(0x80 | 1, LENGTH_AT, LENGTH_AT + 1),
    ],
    ["when it is rubbish", new ToyCodec(), (bytes) => bytes.fill(0, LENGTH_AT + 2)],
    ["when nobody offered to take one", undefined, () => {}],
  ];
  for (const [name, codec, change] of cases) {
    test(name, () => {
      const { world, a, b } = subscribed(pair(codec === undefined ? {} : { codec }));
      a.hub.frame("b", lying(b, change), 0, world.nowMs);
      world.settle();
      assert.deepEqual(a.delivered, []);
      assert.equal(a.counted("b", "bad_message"), 1);
      assert.equal(a.link("b").received.frames, 0);
      b.publish("t/1", "next");
      world.pass(1_000);
      assert.deepEqual(a.delivered, ["t/1=next"]);
      assert.equal(a.link("b").status, "connected");
    });
  }
});

test("what waits of compressed frames counts with the bytes that it takes", () => {
  const { world, a, b } = subscribed(
    pair({ codec: new ToyCodec() }, { codec: new ToyCodec(), compression: "deflate" }),
  );
  a.hub.dataDown();
  b.publish("t/1", LONG);
  b.turn();
  // Delivered, and not opened yet: nothing was flushed.
  const held = a.hub.link("b")?.inbound;
  assert.ok(held !== undefined);
  let most = 0;
  for (let round = 0; round < 5; round += 1) {
    b.turn();
    most = Math.max(most, held.waitingBytes);
  }
  assert.ok(most > 2_000, `${most} bytes`);
  world.settle();
});
