import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CoverChange, CoverSet } from "../../src/route/cover-set.ts";
import { minimalCover } from "../../src/topic/algebra.ts";
import { canonical } from "../../src/topic/filter.ts";
import { clientFilter, sorted } from "./arbitraries.ts";
import { countMapReads } from "./map-reads.ts";

function setOf(...filters: string[]): CoverSet {
  const cover = new CoverSet();
  for (const filter of filters) cover.add(filter);
  return cover;
}

function ordered({ up, down }: CoverChange): CoverChange {
  return { up: sorted(up), down: sorted(down) };
}

test("a wider filter takes the place of what it covers, and gives it back when it goes", () => {
  const cover = setOf("t/1", "t/2", "u");
  assert.deepEqual(ordered(cover.add("t/#")), { up: ["t/#"], down: ["t/1", "t/2"] });
  assert.deepEqual(sorted(cover.announced()), ["t/#", "u"]);
  assert.deepEqual(ordered(cover.remove("t/#")), { up: ["t/1", "t/2"], down: ["t/#"] });
  assert.deepEqual(sorted(cover.announced()), ["t/1", "t/2", "u"]);
});

test("what two filters cover stays covered when one of them goes", () => {
  const cover = setOf("a/+", "+/b", "a/b", "a/c");
  assert.deepEqual(ordered(cover.remove("a/+")), { up: ["a/c"], down: ["a/+"] });
  assert.deepEqual([cover.has("a/b"), cover.isUp("a/b")], [true, false]);
  assert.equal(cover.count("a/b"), 1);
});

test("a covered filter comes and goes unseen", () => {
  const cover = setOf("#");
  assert.deepEqual(cover.add("a/+"), { up: [], down: [] });
  assert.deepEqual(cover.add("a/b"), { up: [], down: [] });
  assert.deepEqual(cover.remove("a/+"), { up: [], down: [] });
  assert.deepEqual([cover.size, cover.candidates], [1, 2]);
});

test("references are counted: only the first and the last change anything", () => {
  const cover = setOf("a");
  assert.deepEqual(cover.add("a"), { up: [], down: [] });
  assert.equal(cover.count("a"), 2);
  assert.deepEqual(cover.remove("a"), { up: [], down: [] });
  assert.deepEqual(cover.remove("a"), { up: [], down: ["a"] });
  assert.deepEqual([cover.count("a"), cover.size, cover.candidates], [0, 0, 0]);
});

test("two spellings of one filter are one candidate", () => {
  const cover = setOf("+/#");
  assert.deepEqual(cover.add("#"), { up: [], down: [] });
  assert.deepEqual([...cover.announced()], ["#"]);
  assert.deepEqual([cover.has("+/#"), cover.isUp("+/#")], [true, true]);
  assert.equal(cover.count("#"), 2);
});

test("a blocked filter neither stands nor covers, and comes back when unblocked", () => {
  const cover = setOf("t/#", "t/1", "t/+/x", "t/2/x");
  assert.deepEqual(ordered(cover.block("t/#")), { up: ["t/+/x", "t/1"], down: ["t/#"] });
  assert.deepEqual(cover.block("t/#"), { up: [], down: [] });
  assert.deepEqual(cover.add("t/#"), { up: [], down: [] });
  assert.deepEqual(ordered(cover.add("t/3")), { up: ["t/3"], down: [] });
  assert.deepEqual(ordered(cover.unblock("t/#")), { up: ["t/#"], down: ["t/+/x", "t/1", "t/3"] });
  assert.equal(cover.count("t/#"), 2);
});

test("blocking what is not there does nothing, and the last reference takes a block with it", () => {
  const cover = new CoverSet();
  assert.deepEqual(cover.block("a"), { up: [], down: [] });
  assert.deepEqual(cover.add("a"), { up: ["a"], down: [] });
  cover.block("a");
  assert.deepEqual(cover.remove("a"), { up: [], down: [] });
  assert.deepEqual(cover.add("a"), { up: ["a"], down: [] });
});

test("removing what is no candidate, and adding a reserved one, are bugs", () => {
  const cover = setOf("a");
  assert.throws(() => cover.remove("b"), /b goes and was no candidate/);
  assert.throws(() => cover.add("$SYS/x"), /reserved/);
});

test("after any changes exactly the uncovered candidates are announced, and the changes say so", () => {
  const step = fc.record({
    filter: clientFilter,
    what: fc.constantFrom("add", "add", "remove", "block", "unblock"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cover = new CoverSet();
      const counts = new Map<string, number>();
      const blocked = new Set<string>();
      const folded = new Set<string>();
      for (const { filter, what } of steps) {
        const own = canonical(filter);
        const count = counts.get(own) ?? 0;
        let change: CoverChange = { up: [], down: [] };
        if (what === "add") {
          counts.set(own, count + 1);
          change = cover.add(filter);
        } else if (what === "remove" && count > 0) {
          counts.set(own, count - 1);
          if (count === 1) {
            counts.delete(own);
            blocked.delete(own);
          }
          change = cover.remove(filter);
        } else if (what === "block") {
          if (count > 0) blocked.add(own);
          change = cover.block(filter);
        } else if (what === "unblock") {
          blocked.delete(own);
          change = cover.unblock(filter);
        }
        for (const up of change.up) {
          assert.equal(folded.has(up), false, `${up} comes up twice`);
          folded.add(up);
        }
        for (const down of change.down) assert.equal(folded.delete(down), true, `${down} goes down twice`);
        const expected = sorted(minimalCover([...counts.keys()].filter((held) => !blocked.has(held))));
        assert.deepEqual(sorted(cover.announced()), expected);
        assert.deepEqual(sorted(folded), expected);
        assert.equal(cover.size, expected.length);
        assert.equal(cover.candidates, counts.size);
        assert.equal(cover.count(own), counts.get(own) ?? 0);
        assert.equal(cover.has(own), counts.has(own));
        for (const held of counts.keys()) assert.equal(cover.isUp(held), expected.includes(held));
      }
    }),
    { numRuns: 400 },
  );
});

test("one filter costs the same among 200,000 others", () => {
  const cover = setOf("site/+/alarm/#", "site/1/dev/2/state", "site/1/dev/3/state", "site/2/dev/2/state");
  const cost = (): number =>
    countMapReads(() => {
      assert.deepEqual(cover.add("site/1/dev/x/state"), { up: ["site/1/dev/x/state"], down: [] });
      assert.deepEqual(cover.remove("site/1/dev/x/state"), { up: [], down: ["site/1/dev/x/state"] });
    });
  const before = cost();
  for (let i = 0; i < 200_000; i += 1) cover.add(`site/${i % 200}/dev/${i}/state`);
  const after = cost();
  assert.ok(before > 0, "the count sees the trie");
  assert.ok(after <= before + 4, `${before} lookups among 4 filters, ${after} among 200,000`);
});
