import assert from "node:assert/strict";
import { test } from "node:test";
import { steadyNowMs } from "../../src/ops/steady-clock.ts";

test("starts at the time of day and does not follow the wall clock when that is set", (t) => {
  const before = steadyNowMs();
  assert.ok(Number.isInteger(before));
  assert.ok(Math.abs(before - Date.now()) < 60_000);
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  const after = steadyNowMs();
  assert.equal(Date.now(), 0);
  assert.ok(after >= before && after < before + 60_000);
});
