import assert from "node:assert/strict";
import { test } from "node:test";
import { LogBudget } from "../../src/ops/log-budget.ts";

test("so many lines of one key pass in a window, and the next window tells how many did not", () => {
  const budget = new LogBudget(2, 1_000);
  assert.deepEqual(
    [0, 1, 2, 3, 999].map((atMs) => budget.take("a", atMs)),
    [0, 0, null, null, null],
  );
  assert.equal(budget.take("a", 1_000), 3);
  assert.equal(budget.take("a", 1_001), 0);
  assert.equal(budget.take("a", 1_002), null);
});

test("keys do not share their windows", () => {
  const budget = new LogBudget(1, 1_000);
  assert.equal(budget.take("a", 0), 0);
  assert.equal(budget.take("b", 0), 0);
  assert.equal(budget.take("a", 1), null);
});

test("a clock that goes back does not silence a key", () => {
  const budget = new LogBudget(1, 1_000);
  assert.equal(budget.take("a", 1_000_000), 0);
  assert.equal(budget.take("a", 0), 0);
});

test("past a thousand keys the oldest is forgotten, which costs a line and no memory", () => {
  const budget = new LogBudget(1, 1_000);
  for (let key = 0; key <= 1_000; key += 1) assert.equal(budget.take(String(key), 0), 0);
  assert.equal(budget.take("1000", 1), null);
  assert.equal(budget.take("0", 1), 0);
});
