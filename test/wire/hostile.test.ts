/** Whatever arrives on a control topic: no decoder throws, reads on for long, or takes more memory than the bytes justify. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ZlibCodec } from "../../src/agent/zlib-codec.ts";
import { receiveFrame } from "../../src/hub/receive-frame.ts";
import { CONTROL_BYTES_MAX, decodeControl, encodeControl } from "../../src/wire/control.ts";
import { decodeFrame, encodeFrame, FRAME_BYTES_MAX } from "../../src/wire/frame.ts";
import type { Decoded, Frame } from "../../src/wire/message.ts";
import { CONTROL_CASES } from "../cases/control-messages.ts";
import { FRAME_CASES } from "../cases/frames.ts";
import { PACKED_FRAME_CASES } from "../cases/packed-frames.ts";
import { WIRE_ERROR_CASES } from "../cases/wire-errors.ts";
import { anyControl, anyFrame } from "./arbitraries.ts";
import { fromHex, plainBytes } from "./hex.ts";
import { decodePlainControl, decodePlainFrame } from "./plain-codec.ts";

/** Short ones: every bit and every cut of them is tried. */
const SEEDS = [...CONTROL_CASES, ...FRAME_CASES, ...PACKED_FRAME_CASES, ...WIRE_ERROR_CASES]
  .map(({ hex }) => fromHex(hex))
  .filter((bytes) => bytes.length < 200);

const CODEC = new ZlibCodec();

/** Compressed or not, as an agent reads it. */
function decodeAnyFrame(bytes: Uint8Array): Decoded<Frame> {
  const received = receiveFrame(bytes, CODEC);
  return received.ok ? { ok: true, value: received.value.frame } : received;
}

/** Both decoders of both kinds agree on whether the bytes mean something, and on what. Answers how many did. */
function agreed(bytes: Uint8Array): number {
  let understood = 0;
  for (const [ours, plain] of [
    [decodeControl(bytes), decodePlainControl(bytes)],
    [decodeAnyFrame(bytes), decodePlainFrame(bytes)],
  ] as const) {
    assert.equal(ours.ok, plain.ok, `${Buffer.from(bytes).toString("hex")}: ${JSON.stringify([ours, plain])}`);
    if (!ours.ok || !plain.ok) continue;
    assert.deepEqual(plainBytes(ours.value), plainBytes(plain.value));
    understood += 1;
  }
  return understood;
}

describe("nothing throws, and two decoders agree,", () => {
  test("wherever a message is cut", () => {
    for (const bytes of SEEDS) {
      for (let length = 0; length < bytes.length; length += 1) {
        agreed(bytes.subarray(0, length));
      }
    }
    for (const { hex } of [...CONTROL_CASES, ...FRAME_CASES, ...PACKED_FRAME_CASES]) {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length += 1) {
        assert.equal(agreed(bytes.subarray(0, length)), 0, "a part of a message means nothing");
      }
    }
  });

  test("whichever bit is flipped", () => {
    let tried = 0;
    let understood = 0;
    for (const bytes of SEEDS) {
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        understood += agreed(flipped);
        tried += 1;
      }
    }
    assert.ok(tried > 20_000 && understood > 1_000, `${understood} of ${tried}`);
  });

  test("whichever byte is replaced, left out or doubled", () => {
    const message = fc.oneof(anyControl.map(encodeControl), anyFrame.map(encodeFrame));
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), fc.constantFrom(0, 1, 2), (bytes, place, byte, width) => {
        const at = place % bytes.length;
        agreed(Uint8Array.from([...bytes.subarray(0, at), byte, ...bytes.subarray(at + width)]));
      }),
      { numRuns: 3_000 },
    );
  });

  test("whatever follows a good beginning", () => {
    const beginning = fc.constantFrom(...SEEDS).chain((bytes) => fc.nat(30).map((length) => bytes.subarray(0, length)));
    fc.assert(
      fc.property(beginning, fc.uint8Array({ maxLength: 60 }), (begun, rest) => {
        agreed(Uint8Array.from([...begun, ...rest]));
      }),
      { numRuns: 5_000 },
    );
  });

  test("and nothing behind the bytes handed in is read", () => {
    for (const bytes of SEEDS) {
      const pool = new Uint8Array(bytes.length + 64).fill(0x41);
      pool.set(bytes, 32);
      const view = pool.subarray(32, 32 + bytes.length);
      assert.deepEqual(plainBytes(decodeControl(view)), plainBytes(decodeControl(bytes)));
      assert.deepEqual(plainBytes(decodeFrame(view)), plainBytes(decodeFrame(bytes)));
    }
  });
});

const SPEAKER = "80d0eab6b733 a1a2a3a4a5a6a7a8";
const FRAME_START = `424c010040 ${SPEAKER} 05 5172656d61696e73 08`;

/** The time and the memory that one call takes. */
function cost(run: () => unknown): { ms: number; heapBytes: number } {
  globalThis.gc?.();
  const heap = process.memoryUsage();
  const startMs = performance.now();
  const kept = run();
  const ms = performance.now() - startMs;
  const after = process.memoryUsage();
  assert.notEqual(kept, undefined);
  return { ms, heapBytes: after.heapUsed + after.arrayBuffers - heap.heapUsed - heap.arrayBuffers };
}

describe("a message that announces more than it holds costs nothing:", () => {
  const huge = "ffffffffffffff0f";
  const bombs: readonly (readonly [string, string])[] = [
    ["a path", `424c010208 ${huge}`],
    ["extensions", `424c010408 ${huge}`],
    ["operations", `424c010003 ${SPEAKER} 01 00 ${huge}`],
    ["as many operations as are allowed", `424c010003 ${SPEAKER} 01 00 808010`],
    ["a filter", `424c010003 ${SPEAKER} 01 00 01 01 ${huge}`],
    ["groups", `424c010003 ${SPEAKER} 01 00 01 01 0174 ${huge}`],
    ["ranges", `424c01000c ${SPEAKER} ${SPEAKER} 5172656d61696e73 07 ${huge}`],
    ["messages", `${FRAME_START} ${huge}`],
    ["as many messages as are allowed", `${FRAME_START} ffff03`],
    ["a topic", `${FRAME_START} 01 05 08 ${huge}`],
    ["user properties", `${FRAME_START} 01 45 08 0174 20 ${huge}`],
    ["as many user properties as are allowed", `${FRAME_START} 01 45 08 0174 20 ffff03`],
    ["correlation data", `${FRAME_START} 01 45 08 0174 10 ${huge}`],
    ["a payload", `${FRAME_START} 01 05 08 0174 ${huge}`],
    ["a payload of 16 MiB", `${FRAME_START} 01 05 08 0174 80808008`],
  ];
  for (const [what, hex] of bombs) {
    test(what, () => {
      const bytes = fromHex(hex);
      for (const decode of [decodeControl, decodeFrame]) {
        const decoded = decode(bytes);
        assert.ok(!decoded.ok && decoded.problem !== "bad_magic");
        const { heapBytes } = cost(() => decode(bytes));
        assert.ok(heapBytes < 1_000_000, `${heapBytes} bytes`);
      }
    });
  }
});

/** The bytes of `hex`, then `unit` as often as fits below `bytesMax`. */
function filled(hex: string, unit: string, times: number, end = ""): Uint8Array {
  const [start, repeated, last] = [hex, unit, end].map(fromHex);
  assert.ok(start && repeated && last);
  const bytes = new Uint8Array(start.length + repeated.length * times + last.length);
  bytes.set(start);
  for (let i = 0; i < times; i += 1) bytes.set(repeated, start.length + i * repeated.length);
  bytes.set(last, bytes.length - last.length);
  return bytes;
}

describe("the largest messages that are allowed stay within tens of megabytes and a second:", () => {
  const largest: readonly (readonly [string, () => { ok: boolean }, boolean])[] = [
    ["65,535 empty messages", () => decodeFrame(filled(`${FRAME_START} ffff03 04 08 0174 00`, "0800", 65_534)), true],
    [
      "65,535 empty user properties",
      () => decodeFrame(filled(`${FRAME_START} 01 45 08 0174 20 ffff03`, "0000", 65_535, "00")),
      true,
    ],
    [
      "16 MiB of user properties, in messages of 1,000 each",
      () => {
        const message = `4d 01 20 e807 ${"0000".repeat(1_000)} 00`;
        return decodeFrame(filled(`${FRAME_START} a83f 05 08 0174 00`, message, 8_103));
      },
      false,
    ],
    [
      "a control message full of operations",
      () => decodeControl(filled(`424c010003 ${SPEAKER} 01 00 80aa05`, "020174", 87_296)),
      true,
    ],
    ["16 MiB and a byte", () => decodeFrame(new Uint8Array(FRAME_BYTES_MAX + 1).fill(0x42)), false],
    ["256 KiB and a byte", () => decodeControl(new Uint8Array(CONTROL_BYTES_MAX + 1).fill(0x42)), false],
  ];
  for (const [what, decode, ok] of largest) {
    test(what, () => {
      let decoded: { ok: boolean } | null = null;
      const { ms, heapBytes } = cost(() => {
        decoded = decode();
        return decoded;
      });
      assert.deepEqual({ ok: (decoded as { ok: boolean } | null)?.ok }, { ok }, JSON.stringify(decoded).slice(0, 200));
      assert.ok(ms < 1_000, `${ms} ms`);
      assert.ok(heapBytes < 64 * 1024 * 1024, `${heapBytes} bytes`);
    });
  }
});
