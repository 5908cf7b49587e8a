import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  canonical,
  filterProblem,
  isReserved,
  LEVELS_MAX,
  splitShared,
  TOPIC_BYTES_MAX,
  topicProblem,
  utf8Length,
  widenDeep,
  withParent,
} from "../../src/topic/filter.ts";
import { PROBLEM_CASES } from "../cases/filters.ts";
import { anyFilter, anyTopic } from "./arbitraries.ts";

const utf8 = new TextEncoder();

for (const [filter, problem] of PROBLEM_CASES) {
  test(`the filter ${JSON.stringify(filter)} ${problem === null ? "is valid" : `has a problem: ${problem}`}`, () => {
    const found = filterProblem(filter);
    if (problem === null) assert.equal(found, null);
    else assert.ok(found?.includes(problem), String(found));
  });
}

test("a topic is a filter without wildcards", () => {
  for (const topic of ["a", "/", "a//b", "$SYS/x", "$share/g/t", "a b/😀"]) assert.equal(topicProblem(topic), null);
  assert.equal(topicProblem(""), "is empty");
  assert.match(topicProblem("a/+") ?? "", /wildcard \+/);
  assert.match(topicProblem("a#b") ?? "", /wildcard #/);
  assert.match(topicProblem("a\0") ?? "", /U\+0000 \(position 2\)/);
  assert.match(topicProblem("\udc00a") ?? "", /surrogate/);
});

test("65,535 bytes of UTF-8 fit and one more does not", () => {
  for (const check of [filterProblem, topicProblem]) {
    for (const [unit, bytes] of [
      ["a", 1],
      ["ü", 2],
      ["€", 3],
      ["😀", 4],
    ] as const) {
      const fits = unit.repeat(Math.floor(TOPIC_BYTES_MAX / bytes)) + "x".repeat(TOPIC_BYTES_MAX % bytes);
      assert.equal(check(fits), null, unit);
      assert.match(check(`${fits}x`) ?? "", /longer than 65535 bytes/, unit);
    }
  }
});

test("two hundred levels are a filter and two hundred and one are not, while a topic may have them", () => {
  const deep = (levels: number) => Array.from({ length: levels }, () => "a").join("/");
  assert.equal(filterProblem(deep(LEVELS_MAX)), null);
  assert.match(filterProblem(deep(LEVELS_MAX + 1)) ?? "", /more than 200 levels \(201\)/);
  assert.equal(filterProblem(`$share/g/${deep(LEVELS_MAX)}`), null);
  assert.match(filterProblem(`$share/g/${deep(LEVELS_MAX + 1)}`) ?? "", /201/);
  assert.equal(topicProblem(deep(LEVELS_MAX + 1)), null);
  assert.match(filterProblem("/".repeat(TOPIC_BYTES_MAX)) ?? "", /65536/);
});

test("a filter that is too deep is widened to two hundred levels, the last of them #", () => {
  const levels = Array.from({ length: LEVELS_MAX + 1 }, (_, index) => `l${index}`);
  const fits = levels.slice(0, LEVELS_MAX).join("/");
  assert.equal(widenDeep(fits), fits);
  const widened = widenDeep(levels.join("/"));
  assert.equal(filterProblem(widened), null);
  assert.deepEqual(widened.split("/"), [...levels.slice(0, LEVELS_MAX - 1), "#"]);
  assert.equal(widenDeep("/".repeat(TOPIC_BYTES_MAX)).split("/").length, LEVELS_MAX);
});

test("a shared filter is taken apart, and a wrong one stays whole and reserved", () => {
  assert.deepEqual(splitShared("$share/g/a/#"), { group: "g", filter: "a/#" });
  assert.deepEqual(splitShared("$share/g//"), { group: "g", filter: "/" });
  assert.deepEqual(splitShared("$share/g/$SYS/x"), { group: "g", filter: "$SYS/x" });
  assert.deepEqual(splitShared("a/$share/g"), { group: null, filter: "a/$share/g" });
  for (const wrong of ["$share", "$share/", "$share/g", "$share/g/", "$share//t"]) {
    assert.deepEqual(splitShared(wrong), { group: null, filter: wrong });
    assert.ok(isReserved(wrong));
  }
});

test("only a dollar at the very beginning is reserved", () => {
  assert.ok(isReserved("$"));
  assert.ok(isReserved("$SYS/#"));
  assert.ok(!isReserved("a/$b"));
  assert.ok(!isReserved("/$b"));
  assert.ok(!isReserved(""));
});

test("only the whole filters +/# and /+/# have another spelling", () => {
  assert.equal(canonical("+/#"), "#");
  assert.equal(canonical("/+/#"), "/#");
  assert.equal(withParent("#"), "+/#");
  assert.equal(withParent("/#"), "/+/#");
  for (const filter of ["#", "/#", "+", "+/+/#", "a/+/#", "+/", "//#", "//+/#"])
    assert.equal(canonical(filter), filter);
  for (const filter of ["+/#", "+", "a/#", "a/+/#", "//#"]) assert.equal(withParent(filter), filter);
});

test("the length in bytes is the encoder's, lone surrogates too", () => {
  assert.equal(utf8Length("aü€😀\ud800"), 1 + 2 + 3 + 4 + 3);
  const text = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.array(fc.constantFrom("a", "ü", "\ud83d", "\ude00", "€")).map((all) => all.join("")),
  );
  fc.assert(fc.property(text, (any) => utf8Length(any) === utf8.encode(any).length));
});

test("random text is never thrown at, and what is made by the rules is valid", () => {
  const piece = fc.constantFrom("$share/", "/", "+", "#", "a", "\0", "\ud800", "ü");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const problem = filterProblem(text);
      assert.ok(problem === null || problem.length > 0);
      const shared = splitShared(text);
      // A valid shared filter is valid without its group, unless what is left looks shared again.
      if (problem === null && shared.group !== null && !shared.filter.startsWith("$share/"))
        assert.equal(filterProblem(shared.filter), null);
    }),
  );
  fc.assert(fc.property(anyFilter, (filter) => filterProblem(filter) === null));
  fc.assert(fc.property(anyTopic, (topic) => topicProblem(topic) === null && filterProblem(topic) === null));
});
