import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { combine, digestEquals, digestHex, EMPTY_DIGEST, routeDigest } from "../../src/base/digest.ts";
import { hash32 } from "../../src/base/hash.ts";

const utf8 = new TextEncoder();

test("a route's digest is the two hashes of its filter and its groups, each behind a zero byte", () => {
  assert.deepEqual(routeDigest("test", []), { high: 0x704b81dc, low: 0xba6bd213 });
  assert.equal(digestHex(routeDigest("test", [])), "704b81dcba6bd213");
  const bytes = utf8.encode("t/ü\0a\0b");
  assert.deepEqual(routeDigest("t/ü", ["b", "a"]), {
    high: hash32(bytes, 0x9747b28c),
    low: hash32(bytes, 0),
  });
});

test("groups count in the order of their UTF-8 bytes, not of their UTF-16 units", () => {
  const bytes = utf8.encode("t\0a\0ab\0\uffee\0\u{1f600}");
  assert.deepEqual(routeDigest("t", ["\u{1f600}", "\uffee", "ab", "a"]), {
    high: hash32(bytes, 0x9747b28c),
    low: hash32(bytes, 0),
  });
});

test("the groups handed in stay as they were", () => {
  const groups = Object.freeze(["b", "a"]);
  routeDigest("t", groups);
  assert.deepEqual(groups, ["b", "a"]);
});

test("a set has one digest in any order, and taking a member out undoes putting it in", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 })), fc.string({ minLength: 1 }), (filters, extra) => {
      const of = (list: readonly string[]) =>
        list.map((filter) => routeDigest(filter, [])).reduce(combine, EMPTY_DIGEST);
      const digest = of(filters);
      assert.ok(digestEquals(digest, of(filters.toReversed())));
      const more = combine(digest, routeDigest(extra, []));
      assert.ok(!digestEquals(more, digest));
      assert.ok(digestEquals(combine(more, routeDigest(extra, [])), digest));
    }),
  );
});

test("digests differ when either half differs", () => {
  assert.ok(!digestEquals({ high: 1, low: 0 }, EMPTY_DIGEST));
  assert.ok(!digestEquals({ high: 0, low: 1 }, EMPTY_DIGEST));
  assert.equal(digestHex(EMPTY_DIGEST), "0000000000000000");
  assert.deepEqual(combine({ high: 0xffffffff, low: 0x80000000 }, EMPTY_DIGEST), {
    high: 0xffffffff,
    low: 0x80000000,
  });
});
