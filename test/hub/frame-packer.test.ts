import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FramePacker } from "../../src/hub/frame-packer.ts";
import { encodeFrame } from "../../src/wire/frame.ts";
import { isPacked, PACKED_BODY_BYTES_MAX } from "../../src/wire/packed-frame.ts";
import { ToyCodec } from "../support/toy-codec.ts";

const NEAR_MS = 4;
const FAR_MS = 5;
const T0 = 1_000_000;

/** A frame that shrinks, or not; `bytes`: of its payload. */
function frame(shrinks: boolean, bytes = 1_000): Uint8Array {
  const payload = Uint8Array.from({ length: bytes }, (_, at) => (shrinks ? 0x61 : (at * 7) % 251));
  return encodeFrame({
    speaker: { incarnation: 1_000, instance: "00000000000000aa" },
    routeOp: 0,
    stream: "00000000000000a1",
    base: 1,
    messages: [
      {
        number: 1,
        message: { topic: "t", payload, qos: 1, retain: false, properties: null, expiryMs: null },
        origin: null,
      },
    ],
  });
}

function packer(choice: ConstructorParameters<typeof FramePacker>[0] = "auto"): {
  packer: FramePacker;
  codec: ToyCodec;
} {
  const codec = new ToyCodec(["brotli", "deflate"]);
  const made = new FramePacker(choice, codec);
  made.opened(["deflate", "brotli"]);
  return { packer: made, codec };
}

describe("a frame is compressed", () => {
  test("over a long way, and not to a neighbour", () => {
    const { packer: auto, codec } = packer();
    const plain = frame(true);
    assert.equal(auto.pack(plain, NEAR_MS, T0), plain);
    assert.deepEqual([auto.inUse, codec.compressed], [null, 0]);
    assert.ok(isPacked(auto.pack(plain, FAR_MS, T0)));
    assert.equal(auto.inUse, "brotli", "the first of ours that the peer has");
  });

  test("to a neighbour whose connection was full a moment ago", () => {
    const { packer: auto } = packer();
    auto.congested(T0);
    assert.ok(isPacked(auto.pack(frame(true), NEAR_MS, T0 + 9_999)));
    assert.ok(!isPacked(auto.pack(frame(true), NEAR_MS, T0 + 10_000)));
  });

  test("with the algorithm that the configuration names, on any way", () => {
    const { packer: named } = packer("deflate");
    assert.ok(isPacked(named.pack(frame(true), 0, T0)));
    assert.equal(named.inUse, "deflate");
  });

  test("never with one that the peer has not offered, nor without a codec", () => {
    const { packer: named } = packer("deflate");
    named.opened(["brotli"]);
    assert.ok(!isPacked(named.pack(frame(true), FAR_MS, T0)));
    const none = new FramePacker("auto", null);
    none.opened(["zstd", "brotli", "deflate"]);
    assert.ok(!isPacked(none.pack(frame(true), FAR_MS, T0)));
    const { packer: auto } = packer();
    auto.opened([]);
    assert.ok(!isPacked(auto.pack(frame(true), FAR_MS, T0)));
    assert.equal(auto.inUse, null);
  });

  test("neither when it is so small that it is not worth it, nor when it is too large", () => {
    const { packer: auto, codec } = packer();
    assert.ok(!isPacked(auto.pack(frame(true, 440), FAR_MS, T0)));
    assert.ok(!isPacked(auto.pack(frame(true, PACKED_BODY_BYTES_MAX), FAR_MS, T0)));
    assert.equal(codec.compressed, 0);
    assert.ok(isPacked(auto.pack(frame(true, PACKED_BODY_BYTES_MAX - 100), FAR_MS, T0)));
  });
});

describe("frames that do not shrink", () => {
  test("leave as they are, are tried three times, and then ever more seldom", () => {
    const { packer: auto, codec } = packer();
    const plain = frame(false);
    const tries: number[] = [];
    for (let ms = 0; ms < 400_000; ms += 100) {
      const before = codec.compressed;
      assert.equal(auto.pack(plain, FAR_MS, T0 + ms), plain);
      if (codec.compressed > before) tries.push(ms);
    }
    assert.deepEqual(tries.slice(0, 9), [0, 100, 200, 1_200, 3_200, 7_200, 15_200, 31_200, 63_200]);
    assert.deepEqual(tries.slice(9), [123_200, 183_200, 243_200, 303_200, 363_200], "once a minute at last");
    assert.equal(auto.inUse, null);
  });

  test("are forgotten when one shrinks again, and when the peer answers a greeting", () => {
    const { packer: auto, codec } = packer();
    for (let time = 0; time < 3; time += 1) auto.pack(frame(false), FAR_MS, T0);
    assert.ok(!isPacked(auto.pack(frame(true), FAR_MS, T0 + 999)), "paused");
    assert.ok(isPacked(auto.pack(frame(true), FAR_MS, T0 + 1_000)));
    assert.ok(isPacked(auto.pack(frame(true), FAR_MS, T0 + 1_001)), "and on");
    for (let time = 0; time < 3; time += 1) auto.pack(frame(false), FAR_MS, T0 + 2_000);
    auto.opened(["brotli"]);
    const before = codec.compressed;
    assert.ok(isPacked(auto.pack(frame(true), FAR_MS, T0 + 2_001)));
    assert.equal(codec.compressed, before + 1);
  });

  test("are tried again at once when the clock has gone back far", () => {
    const { packer: auto } = packer();
    for (let time = 0; time < 3; time += 1) auto.pack(frame(false), FAR_MS, T0);
    assert.ok(isPacked(auto.pack(frame(true), FAR_MS, T0 - 3_600_000)));
  });
});
