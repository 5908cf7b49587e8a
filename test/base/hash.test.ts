import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentKey, hash32, hashText, hex32, topicCheck } from "../../src/base/hash.ts";

const utf8 = new TextEncoder();

/** Any UTF-16 units, halves of pairs too. */
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

/** Published vectors of MurmurHash3_x86_32: bytes, seed, hash. */
const BYTE_VECTORS: readonly (readonly [readonly number[], number, number])[] = [
  [[], 0, 0],
  [[], 1, 0x514e28b7],
  [[], 0xffffffff, 0x81f16f39],
  [[0xff, 0xff, 0xff, 0xff], 0, 0x76293b50],
  [[0x21, 0x43, 0x65, 0x87], 0, 0xf55b516b],
  [[0x21, 0x43, 0x65, 0x87], 0x5082edee, 0x2362f9de],
  [[0x21, 0x43, 0x65], 0, 0x7e4a8634],
  [[0x21, 0x43], 0, 0xa0f7b07a],
  [[0x21], 0, 0x72661cf4],
  [[0, 0, 0, 0], 0, 0x2362f9de],
  [[0, 0, 0], 0, 0x85f0b427],
  [[0, 0], 0, 0x30f4c306],
  [[0], 0, 0x514e28b7],
];

const TEXT_VECTORS: readonly (readonly [string, number, number])[] = [
  ["test", 0, 0xba6bd213],
  ["test", 0x9747b28c, 0x704b81dc],
  ["Hello, world!", 0, 0xc0363e43],
  ["Hello, world!", 0x9747b28c, 0x24884cba],
  ["The quick brown fox jumps over the lazy dog", 0, 0x2e4ff723],
  ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
  ["aaaa", 0x9747b28c, 0x5a97808a],
  ["abc", 0x9747b28c, 0xc84a62dd],
  ["ππππππππ", 0x9747b28c, 0xd58063c1],
  ["a".repeat(256), 0x9747b28c, 0x37405bdc],
];

test("the 32-bit hash is MurmurHash3_x86_32", () => {
  for (const [bytes, seed, expected] of BYTE_VECTORS) {
    assert.equal(hash32(Uint8Array.from(bytes), seed), expected, `${bytes} with seed ${seed}`);
  }
  for (const [text, seed, expected] of TEXT_VECTORS) assert.equal(hashText(text, seed), expected, text);
});

test("a text hashes as its UTF-8 bytes, at every length around the scratch buffer", () => {
  for (const length of [0, 1, 1_365, 1_366, 4_096, 70_000]) {
    for (const unit of ["a", "ü", "€"]) {
      const text = unit.repeat(length);
      assert.equal(hashText(text, 7), hash32(utf8.encode(text), 7), `${length} × ${unit}`);
    }
  }
  fc.assert(fc.property(anyUnits, (text) => hashText(text, 1) === hash32(utf8.encode(text), 1)));
});

test("a topic's check is eight lower-case hex digits of its hash with seed 0", () => {
  assert.equal(topicCheck("test"), "ba6bd213");
  assert.equal(hex32(0x1f), "0000001f");
  fc.assert(fc.property(fc.string(), (topic) => /^[0-9a-f]{8}$/.test(topicCheck(topic))));
});

test("equal content has an equal key wherever its bytes lie in memory", () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 40 }), fc.nat(7), (topic, payload, offset) => {
      const pool = new Uint8Array(offset + payload.length + 3).fill(0xee);
      pool.set(payload, offset);
      assert.equal(contentKey(topic, pool.subarray(offset, offset + payload.length)), contentKey(topic, payload));
    }),
  );
});

test("any changed bit, a longer payload and another topic change the key", () => {
  for (const length of [1, 2, 3, 4, 5, 7, 8, 64, 1_001]) {
    const payload = new Uint8Array(length);
    const keys = new Set([
      contentKey("t", payload),
      contentKey("u", payload),
      contentKey("t", new Uint8Array(length + 1)),
    ]);
    for (let bit = 0; bit < length * 8; bit += 1) {
      const changed = payload.slice();
      changed[bit >> 3] = 1 << (bit & 7);
      keys.add(contentKey("t", changed));
    }
    assert.equal(keys.size, length * 8 + 3, `${length} bytes`);
  }
});

test("the two halves of a key are independent: 100,000 small messages share none of either", () => {
  const halves = [new Set<string>(), new Set<string>()];
  const count = 100_000;
  for (let i = 0; i < count; i += 1) {
    const payload = utf8.encode(`{"value":${i}}`);
    for (const [index, half] of contentKey("t/1", payload).split(".").slice(0, 2).entries()) halves[index]?.add(half);
  }
  // Chance alone makes one or two pairs meet among 2^32.
  for (const half of halves) assert.ok(half.size > count - 20, `${count - half.size} meet`);
});

test("the key of one MiB costs milliseconds, not tens of them", () => {
  const payload = new Uint8Array(1 << 20);
  contentKey("t", payload);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i += 1) {
    const startMs = performance.now();
    contentKey("t", payload);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  assert.ok(bestMs < 20, `${bestMs} ms`);
});
