import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BudgetChange, FilterBudget } from "../../src/route/budget.ts";
import { covers } from "../../src/topic/algebra.ts";
import { canonical, filterProblem, TOPIC_BYTES_MAX } from "../../src/topic/filter.ts";
import { clientFilter, sorted } from "./arbitraries.ts";

function budgetOf(filtersMax: number, ...filters: string[]): FilterBudget {
  const budget = new FilterBudget(filtersMax);
  for (const filter of filters) budget.add(filter);
  return budget;
}

function ordered({ up, down }: BudgetChange): BudgetChange {
  return { up: sorted(up), down: sorted(down) };
}

const FOUR = ["a/1/x", "a/2/x", "b/1/x", "b/2/x"];

test("up to the limit every filter stands for itself", () => {
  const budget = new FilterBudget(4);
  for (const filter of FOUR) assert.deepEqual(budget.add(filter), { up: [filter], down: [] });
  assert.deepEqual([budget.size, budget.widened, budget.widenings], [4, false, 0]);
  assert.equal(budget.project("a/1/x"), "a/1/x");
});

test("one past the limit widens all, to the most levels that fit half of it", () => {
  const budget = budgetOf(4, ...FOUR);
  assert.deepEqual(ordered(budget.add("b/3/x")), { up: ["a/#", "b/#"], down: FOUR });
  assert.deepEqual([budget.size, budget.held, budget.widened, budget.widenings], [2, 5, true, 1]);
  assert.equal(budget.project("a/b/c/d"), "a/#");
  assert.deepEqual(sorted(budget.projected()), ["a/#", "b/#"]);
});

test("filters short enough keep themselves while the others are widened", () => {
  const budget = budgetOf(4, ...FOUR, "b/3/x");
  assert.deepEqual(budget.add("c"), { up: ["c"], down: [] });
  assert.deepEqual(budget.add("d/#"), { up: ["d/#"], down: [] });
  assert.deepEqual([budget.size, budget.widenings], [4, 1]);
});

test("a widened set that outgrows the limit is widened further, at last to everything", () => {
  const budget = budgetOf(4, ...FOUR, "b/3/x", "c/1", "d/1");
  assert.deepEqual(sorted(budget.projected()), ["a/#", "b/#", "c/#", "d/#"]);
  assert.deepEqual(ordered(budget.add("e/1")), { up: ["#"], down: ["a/#", "b/#", "c/#", "d/#"] });
  assert.deepEqual([budget.size, budget.widenings], [1, 2]);
  assert.deepEqual(budget.add("f/1"), { up: [], down: [] });
});

test("a widened set becomes exact below 80 % of the limit, not at it", () => {
  const filters = Array.from({ length: 11 }, (_, i) => `t/${i}`);
  const budget = budgetOf(10, ...filters);
  assert.deepEqual(sorted(budget.projected()), ["t/#"]);
  for (const filter of filters.slice(8)) assert.deepEqual(budget.remove(filter), { up: [], down: [] });
  assert.deepEqual([budget.held, budget.widened], [8, true]);
  assert.deepEqual(ordered(budget.remove("t/7")), { up: filters.slice(0, 7), down: ["t/#"] });
  assert.deepEqual([budget.size, budget.widened, budget.widenings], [7, false, 1]);
});

test("references are counted, and one filter held often takes no room", () => {
  const budget = budgetOf(2, "a/1", "a/1", "a/1", "b/1");
  assert.equal(budget.widened, false);
  assert.deepEqual(budget.remove("a/1"), { up: [], down: [] });
  assert.deepEqual(budget.remove("a/1"), { up: [], down: [] });
  assert.deepEqual(budget.remove("a/1"), { up: [], down: ["a/1"] });
  assert.throws(() => budget.remove("a/1"), /a\/1 goes/);
});

test("a limit of one filter works", () => {
  const budget = budgetOf(1, "a");
  assert.deepEqual(ordered(budget.add("b")), { up: ["#"], down: ["a"] });
  assert.deepEqual(budget.remove("a"), { up: [], down: [] });
  assert.deepEqual(ordered(budget.remove("b")), { up: [], down: ["#"] });
  assert.deepEqual(budget.add("c"), { up: ["c"], down: [] });
});

test("widening does not reach beyond the filters it was told", () => {
  const budget = new FilterBudget(2, ["site/+/dev/#", "other/#"]);
  for (const filter of ["site/1/dev/1", "site/2/dev/2", "site/3/dev/3", "other/1/2/3"]) budget.add(filter);
  assert.deepEqual(sorted(budget.projected()), ["other/#", "site/+/dev/#"]);
});

test("more boundaries than the limit come out as they are", () => {
  const topics = ["a/#", "b/#", "c/#", "d/#"];
  const budget = new FilterBudget(2, topics);
  for (const filter of ["a/1", "b/1", "c/1", "d/1", "d/2"]) budget.add(filter);
  assert.deepEqual(sorted(budget.projected()), topics);
  assert.equal(budget.widenings, 1);
});

test("a filter as long as can be is not widened to one that is longer", () => {
  const name = "a".repeat(TOPIC_BYTES_MAX - 1);
  const budget = budgetOf(2, `${name}/`, "b/1", "c/1/1");
  assert.equal(budget.widened, true);
  for (const filter of budget.projected()) assert.equal(filterProblem(filter), null);
});

test("after any changes what comes out covers what went in, fits the limit, and the changes say so", () => {
  const step = fc.record({ filter: clientFilter, add: fc.boolean(), bias: fc.boolean() });
  const limits = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), limits, fc.boolean(), (steps, filtersMax, bounded) => {
      const within = bounded ? ["a/#", "+/b/#", "#"] : ["#"];
      const budget = new FilterBudget(filtersMax, within);
      const counts = new Map<string, number>();
      const folded = new Set<string>();
      for (const { filter, add, bias } of steps) {
        const own = canonical(filter);
        const count = counts.get(own) ?? 0;
        let change: BudgetChange = { up: [], down: [] };
        if (add || bias) {
          counts.set(own, count + 1);
          change = budget.add(filter);
        } else if (count > 0) {
          if (count === 1) counts.delete(own);
          else counts.set(own, count - 1);
          change = budget.remove(filter);
        }
        for (const up of change.up) {
          assert.equal(folded.has(up), false, `${up} comes up twice`);
          folded.add(up);
        }
        for (const down of change.down) assert.equal(folded.delete(down), true, `${down} goes down twice`);
        assert.deepEqual(sorted(folded), sorted(new Set([...counts.keys()].map((held) => budget.project(held)))));
        assert.deepEqual(sorted(budget.projected()), sorted(folded));
        assert.ok(budget.size <= Math.max(filtersMax, within.length));
        assert.equal(budget.held, counts.size);
        for (const held of counts.keys()) {
          const projected = budget.project(held);
          assert.ok(covers(projected, held), `${projected} stands for ${held}`);
          assert.equal(budget.project(projected), projected);
          assert.equal(canonical(projected), projected);
          assert.ok(budget.widened || projected === held);
        }
        if (counts.size < 0.8 * filtersMax) assert.equal(budget.widened, false);
        if (counts.size > filtersMax) assert.equal(budget.widened, true);
      }
    }),
    { numRuns: 400 },
  );
});
