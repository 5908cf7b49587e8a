import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import * as zlib from "node:zlib";
import { ZLIB_ALGORITHMS, ZlibCodec } from "../../src/agent/zlib-codec.ts";

const MIB = 1024 * 1024;
/** Telemetry, more or less: every line differs. */
const TEXT = Buffer.from(Array.from({ length: 200 }, (_, at) => JSON.stringify({ at, temperature: at * 0.1 })).join());

test("zstd comes first where the runtime has it", () => {
  const expected = "zstdCompressSync" in zlib ? ["zstd", "brotli", "deflate"] : ["brotli", "deflate"];
  assert.deepEqual([...ZLIB_ALGORITHMS], expected);
});

for (const algorithm of ZLIB_ALGORITHMS) {
  describe(algorithm, () => {
    test("gives back what it took, in fewer bytes, and counts its time", () => {
      const codec = new ZlibCodec();
      const packed = codec.compress(algorithm, TEXT);
      assert.ok(packed !== null && packed.length < TEXT.length / 2, `${packed?.length} of ${TEXT.length}`);
      assert.deepEqual(Buffer.from(codec.expand(algorithm, packed, TEXT.length) ?? []), TEXT);
      assert.ok(codec.compressMs > 0 && codec.expandMs > 0);
    });

    test("takes the empty and the incompressible", () => {
      const codec = new ZlibCodec();
      const noise = randomBytes(3_000);
      const packed = codec.compress(algorithm, noise);
      assert.ok(packed !== null && packed.length >= 3_000);
      assert.deepEqual(Buffer.from(codec.expand(algorithm, packed, noise.length) ?? []), Buffer.from(noise));
      assert.ok(codec.compress(algorithm, new Uint8Array(0)) !== null);
    });

    test("expands a bomb to nothing: one byte more than the limit is too much", () => {
      const codec = new ZlibCodec();
      const bomb = codec.compress(algorithm, new Uint8Array(64 * MIB));
      assert.ok(bomb !== null && bomb.length < MIB / 2, `${bomb?.length}`);
      const before = process.memoryUsage();
      assert.equal(codec.expand(algorithm, bomb, MIB), null);
      const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
      assert.ok(grown < 4 * MIB, `${grown} bytes more`);
      const packed = codec.compress(algorithm, TEXT);
      assert.equal(codec.expand(algorithm, packed ?? bomb, TEXT.length - 1), null);
    });

    test("makes nothing of what is cut short, of noise and of nothing", () => {
      const codec = new ZlibCodec();
      const packed = codec.compress(algorithm, TEXT) ?? new Uint8Array(0);
      for (const bytes of [
        packed.subarray(0, packed.length - 1),
        Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc),
        new Uint8Array(0),
      ])
        assert.notEqual(codec.expand(algorithm, bytes, TEXT.length)?.length, TEXT.length);
      assert.equal(codec.expand(algorithm, packed, 0), null);
    });
  });
}

test("an algorithm that the runtime has not is refused, not thrown", () => {
  if (ZLIB_ALGORITHMS.includes("zstd")) return;
  const codec = new ZlibCodec();
  assert.equal(codec.compress("zstd", TEXT), null);
  assert.equal(codec.expand("zstd", TEXT, 10_000), null);
});
