import assert from "node:assert/strict";
import { test } from "node:test";
import { clockMs } from "../../src/ops/clock.ts";

test("starts at the time of day and does not follow the wall clock when that is set", (t) => {
  const before = clockMs();
  assert.ok(Number.isInteger(before));
  assert.ok(Math.abs(before - Date.now()) < 60_000);
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  const after = clockMs();
  assert.equal(Date.now(), 0);
  assert.ok(after >= before && after < before + 60_000);
});
