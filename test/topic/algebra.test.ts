import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { covers, intersect, matches, minimalCover } from "../../src/topic/algebra.ts";
import { canonical, filterProblem, LEVELS_MAX, TOPIC_BYTES_MAX, topicProblem } from "../../src/topic/filter.ts";
import { COVER_CASES, FILTER_CASES, ROUTE_CASES } from "../cases/filters.ts";
import { anyFilter, anyTopic, naiveMatches, SHORT_FILTERS, SHORT_TOPICS } from "./arbitraries.ts";

const RUNS = { numRuns: 5_000 };

for (const { name, a, b, ...expected } of FILTER_CASES) {
  test(`${name}: ${a} and ${b}`, () => {
    assert.equal(covers(a, b), expected.covers);
    assert.equal(intersect(a, b), expected.intersection);
    assert.equal(intersect(b, a), expected.intersection);
    if (expected.matches === null) assert.notEqual(topicProblem(b), null);
    else assert.equal(matches(a, b), expected.matches);
  });
}

for (const { name, filter, topics, routes } of ROUTE_CASES) {
  test(`${name}: ${filter}`, () => {
    const common = topics.flatMap((topic) => intersect(filter, topic) ?? []);
    assert.deepEqual(minimalCover(common), routes);
  });
}

for (const { name, filters, cover } of COVER_CASES) {
  test(`minimal cover: ${name}`, () => assert.deepEqual(minimalCover(filters), cover));
}

test("a match is what the specification says level by level", () => {
  fc.assert(
    fc.property(anyFilter, anyTopic, (filter, topic) => matches(filter, topic) === naiveMatches(filter, topic)),
    RUNS,
  );
});

test("an intersection matches exactly what both filters match", () => {
  fc.assert(
    fc.property(anyFilter, anyFilter, anyTopic, (a, b, topic) => {
      const both = intersect(a, b);
      assert.equal(both !== null && matches(both, topic), matches(a, topic) && matches(b, topic), String(both));
    }),
    RUNS,
  );
});

test("for every pair of short filters, covers and intersect say what the sets of topics say", () => {
  const sets = SHORT_FILTERS.map((filter) => SHORT_TOPICS.map((topic) => naiveMatches(filter, topic)));
  for (const [i, a] of SHORT_FILTERS.entries()) {
    for (const [j, b] of SHORT_FILTERS.entries()) {
      const [inA, inB] = [sets[i] ?? [], sets[j] ?? []];
      assert.equal(covers(a, b), !inB.some((yes, k) => yes && !inA[k]), `${a} covers ${b}`);
      assert.equal(canonical(a) === canonical(b), !inB.some((yes, k) => yes !== inA[k]), `${a} is ${b}`);
      const both = intersect(a, b);
      assert.equal(
        both !== null,
        inB.some((yes, k) => yes && inA[k]),
        `${a} meets ${b}`,
      );
      if (both !== null)
        assert.ok(
          SHORT_TOPICS.every((topic, k) => matches(both, topic) === (inA[k] && inB[k])),
          both,
        );
    }
  }
});

test("intersections are commutative, associative, idempotent, valid and canonical", () => {
  fc.assert(
    fc.property(anyFilter, anyFilter, anyFilter, (a, b, c) => {
      const ab = intersect(a, b);
      assert.equal(ab, intersect(b, a));
      assert.equal(intersect(a, a), canonical(a));
      const bc = intersect(b, c);
      assert.equal(ab === null ? null : intersect(ab, c), bc === null ? null : intersect(a, bc));
      if (ab !== null) {
        assert.equal(filterProblem(ab), null);
        assert.equal(canonical(ab), ab);
      }
    }),
    RUNS,
  );
});

test("one filter covers another exactly when their intersection is the other", () => {
  fc.assert(
    fc.property(anyFilter, anyFilter, (a, b) => covers(a, b) === (intersect(a, b) === canonical(b))),
    RUNS,
  );
});

test("covering is reflexive and transitive", () => {
  fc.assert(
    fc.property(anyFilter, anyFilter, anyFilter, (a, b, c) => {
      assert.ok(covers(a, a));
      if (covers(a, b) && covers(b, c)) assert.ok(covers(a, c));
    }),
    RUNS,
  );
});

test("a minimal cover matches the same topics with filters of which none covers another", () => {
  fc.assert(
    fc.property(fc.array(anyFilter, { maxLength: 12 }), fc.array(anyTopic, { maxLength: 5 }), (filters, topics) => {
      const cover = minimalCover(filters);
      const given = new Set(filters.map(canonical));
      assert.ok(cover.every((filter) => given.has(filter)));
      for (const filter of filters) assert.ok(cover.some((kept) => covers(kept, filter)));
      for (const a of cover) for (const b of cover) assert.equal(covers(a, b), a === b);
      for (const topic of topics) {
        assert.equal(
          cover.some((kept) => matches(kept, topic)),
          filters.some((filter) => matches(filter, topic)),
        );
      }
      assert.deepEqual(minimalCover(cover), cover);
      assert.deepEqual(new Set(minimalCover(filters.toReversed())), new Set(cover));
    }),
    { numRuns: 1_000 },
  );
});

test("filters at the limits are handled without recursion", () => {
  const deep = Array.from({ length: LEVELS_MAX }, () => "+").join("/");
  const name = Array.from({ length: LEVELS_MAX }, () => "a").join("/");
  assert.equal(intersect(deep, name), name);
  assert.ok(covers(deep, name));
  assert.ok(!covers(name, deep));
  const slashes = "/".repeat(TOPIC_BYTES_MAX);
  assert.ok(matches("#", slashes));
  assert.ok(matches("+/+/#", slashes));
  assert.ok(matches(slashes, slashes));
  assert.equal(intersect(slashes, "#"), slashes);
});

test("an intersection too long for MQTT is cut to what covers it", () => {
  const long = (char: string) => char.repeat(40_000);
  const a = `x/+/${long("a")}/+`;
  const b = `x/y/+/${long("b")}`;
  assert.equal(intersect(a, b), `x/y/${long("a")}/#`);
  const wide = `+/${long("ü").slice(0, 30_000)}/+`;
  const narrow = `+/+/${long("b")}`;
  assert.equal(intersect(wide, narrow), `+/${long("ü").slice(0, 30_000)}/#`);
  const head = "h".repeat(TOPIC_BYTES_MAX - 2);
  assert.equal(intersect(`${head}/+`, "+/tail"), `${head}/#`);
  assert.equal(intersect(`+/${head}`, "+/+"), `+/${head}`);
  for (const result of [intersect(a, b), intersect(wide, narrow), intersect(`${head}/+`, "+/tail")]) {
    assert.equal(filterProblem(result ?? ""), null);
  }
});
