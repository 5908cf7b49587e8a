import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { covers, matches } from "../../src/topic/algebra.ts";
import { LEVELS_MAX, TOPIC_BYTES_MAX } from "../../src/topic/filter.ts";
import { FilterTrie } from "../../src/topic/trie.ts";
import { anyCanonical, anyTopic } from "./arbitraries.ts";

function trieOf(filters: readonly string[]): FilterTrie<string> {
  const trie = new FilterTrie<string>();
  for (const filter of filters) trie.set(filter, filter);
  return trie;
}

function matching(trie: FilterTrie<unknown>, topic: string): string[] {
  const found: string[] = [];
  trie.match(topic, (_, filter) => found.push(filter));
  return found.sort();
}

function coveredBy(trie: FilterTrie<unknown>, filter: string): string[] {
  const found: string[] = [];
  trie.coveredBy(filter, (_, stored) => found.push(stored));
  return found.sort();
}

function covering(trie: FilterTrie<unknown>, filter: string): string[] {
  const found: string[] = [];
  trie.covering(filter, (_, stored) => {
    found.push(stored);
  });
  return found.sort();
}

test("an empty trie finds nothing", () => {
  const trie = new FilterTrie<number>();
  assert.equal(trie.size, 0);
  assert.equal(trie.branches, 1);
  assert.equal(trie.get("a"), undefined);
  assert.equal(trie.delete("a"), false);
  assert.deepEqual([matching(trie, "a"), coveredBy(trie, "#"), covering(trie, "a")], [[], [], []]);
});

test("a filter set again has its new value and is still one", () => {
  const trie = new FilterTrie<number>();
  trie.set("a/b", 1);
  trie.set("a/b", 2);
  assert.equal(trie.size, 1);
  assert.equal(trie.get("a/b"), 2);
  const seen: [number, string][] = [];
  trie.match("a/b", (value, filter) => seen.push([value, filter]));
  assert.deepEqual(seen, [[2, "a/b"]]);
});

test("a value may be undefined", () => {
  const trie = new FilterTrie<undefined>();
  trie.set("a", undefined);
  assert.deepEqual(matching(trie, "a"), ["a"]);
  assert.equal(trie.delete("a"), true);
});

test("neighbours are told apart", () => {
  const trie = trieOf(["a", "a/", "a/b", "a//b", "/a", "/", "a/b/c", "a/+", "a/#", "+", "#", "$s/a", "$s/#", "$s"]);
  assert.deepEqual(matching(trie, "a"), ["#", "+", "a", "a/#"]);
  assert.deepEqual(matching(trie, "a/"), ["#", "a/", "a/#", "a/+"]);
  assert.deepEqual(matching(trie, "a/b"), ["#", "a/#", "a/+", "a/b"]);
  assert.deepEqual(matching(trie, "/"), ["#", "/"]);
  assert.deepEqual(matching(trie, "$s/a"), ["$s/#", "$s/a"]);
  assert.deepEqual(matching(trie, "$s"), ["$s", "$s/#"]);
  assert.deepEqual(coveredBy(trie, "a/#"), ["a", "a/", "a/#", "a/+", "a//b", "a/b", "a/b/c"]);
  assert.deepEqual(coveredBy(trie, "a/+"), ["a/", "a/+", "a/b"]);
  assert.deepEqual(coveredBy(trie, "#"), ["#", "+", "/", "/a", "a", "a/", "a/#", "a/+", "a//b", "a/b", "a/b/c"]);
  assert.deepEqual(coveredBy(trie, "$s/#"), ["$s", "$s/#", "$s/a"]);
  assert.deepEqual(covering(trie, "a/b"), ["#", "a/#", "a/+", "a/b"]);
  assert.deepEqual(covering(trie, "a/#"), ["#", "a/#"]);
  assert.deepEqual(covering(trie, "$s/a"), ["$s/#", "$s/a"]);
});

test("covering stops when the visitor answers true", () => {
  const trie = trieOf(["#", "a/#", "a/+", "a/b"]);
  let visits = 0;
  trie.covering("a/b", () => {
    visits += 1;
    return visits === 2;
  });
  assert.equal(visits, 2);
});

type Move = readonly [kind: "set" | "delete", filter: string];
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.tuple(fc.constantFrom("set" as const, "set" as const, "delete" as const), anyCanonical),
  { maxLength: 60 },
);

test("any sets and deletes leave what a plain list would hold, for every question", () => {
  fc.assert(
    fc.property(
      moves,
      fc.array(anyTopic, { maxLength: 4 }),
      fc.array(anyCanonical, { maxLength: 4 }),
      (all, topics, filters) => {
        const trie = new FilterTrie<number>();
        const model = new Map<string, number>();
        for (const [step, [kind, filter]] of all.entries()) {
          if (kind === "set") {
            trie.set(filter, step);
            model.set(filter, step);
          } else assert.equal(trie.delete(filter), model.delete(filter));
        }
        const stored = [...model.keys()].sort();
        assert.equal(trie.size, stored.length);
        // A branch holds two filters at least, and each level of one filter has at most one.
        assert.ok(trie.branches <= 1 + 5 * stored.length);
        for (const filter of [...stored, ...filters]) assert.equal(trie.get(filter), model.get(filter));
        for (const topic of topics)
          assert.deepEqual(
            matching(trie, topic),
            stored.filter((filter) => matches(filter, topic)),
          );
        for (const filter of filters) {
          assert.deepEqual(
            coveredBy(trie, filter),
            stored.filter((other) => covers(filter, other)),
          );
          assert.deepEqual(
            covering(trie, filter),
            stored.filter((other) => covers(other, filter)),
          );
        }
        for (const filter of stored) {
          trie.match(filter, (value, found) => assert.equal(value, model.get(found)));
          assert.ok(trie.delete(filter));
        }
        assert.deepEqual([trie.size, trie.branches], [0, 1]);
      },
    ),
    { numRuns: 1_500 },
  );
});

test("the shape depends on what is stored and not on what was deleted", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyCanonical), fc.uniqueArray(anyCanonical), (kept, gone) => {
      const trie = trieOf([...gone, ...kept]);
      for (const filter of gone) if (!kept.includes(filter)) trie.delete(filter);
      assert.equal(trie.branches, trieOf(kept).branches);
    }),
  );
});

test("a lone filter takes no branch however deep it is, and deep ones that differ late do not recurse", () => {
  const deep = (last: string, levels = LEVELS_MAX) => `${"a/".repeat(levels - 1)}${last}`;
  const trie = trieOf([deep("x")]);
  assert.equal(trie.branches, 1);
  trie.set(deep("y"), "y");
  trie.set(deep("#"), "#");
  assert.equal(trie.branches, LEVELS_MAX);
  assert.deepEqual(matching(trie, deep("y")), [deep("#"), deep("y")]);
  assert.deepEqual(coveredBy(trie, "#").length, 3);
  for (const last of ["x", "y", "#"]) assert.ok(trie.delete(deep(last)));
  assert.equal(trie.branches, 1);
  // Topics have no limit of levels but their bytes.
  trie.set("#", "all");
  trie.set("/#", "slash");
  assert.deepEqual(matching(trie, "/".repeat(TOPIC_BYTES_MAX)), ["#", "/#"]);
});

test("many filters cost one leaf each, and a question looks only where the answer is", () => {
  const trie = new FilterTrie<number>();
  for (let site = 0; site < 100; site += 1) {
    for (let device = 0; device < 500; device += 1)
      trie.set(`site/${site}/device/${device}/temperature/celsius`, device);
  }
  assert.equal(trie.size, 50_000);
  // Root, `site`, and two per site; nothing for the levels behind the device.
  assert.equal(trie.branches, 1 + 1 + 100 * 2);
  const startMs = performance.now();
  for (let i = 0; i < 10_000; i += 1) {
    let found = 0;
    trie.match(`site/${i % 100}/device/${i % 500}/temperature/celsius`, () => {
      found += 1;
    });
    assert.equal(found, 1);
  }
  assert.equal(coveredBy(trie, "site/7/#").length, 500);
  // A walk through all would make half a billion comparisons.
  assert.ok(performance.now() - startMs < 2_000);
});
