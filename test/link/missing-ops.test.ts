import assert from "node:assert/strict";
import { test } from "node:test";
import { MissingOps } from "../../src/link/missing-ops.ts";

test("nothing for half a minute after the same operation is too long; progress begins anew", () => {
  const missing = new MissingOps();
  assert.deepEqual(
    [10_000, 39_999, 40_000].map((nowMs) => missing.behind(7, nowMs)),
    [false, false, true],
  );
  assert.equal(missing.behind(8, 50_000), false);
  missing.none();
  assert.equal(missing.behind(8, 90_000), false);
  assert.equal(missing.behind(8, 120_000), true);
});
