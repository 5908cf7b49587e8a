import assert from "node:assert/strict";
import { test } from "node:test";
import { Resubscription } from "../../src/hub/resubscription.ts";

test("at once, then at most every half minute, however often it is wanted", () => {
  const again = new Resubscription();
  assert.equal(again.deadlineMs, Number.POSITIVE_INFINITY);
  assert.equal(again.take(1_000), false);
  again.wanted(1_000);
  assert.equal(again.deadlineMs, 1_000);
  assert.equal(again.take(1_000), true);
  assert.equal(again.take(1_000), false);
  for (const nowMs of [1_001, 2_000, 30_000]) again.wanted(nowMs);
  assert.equal(again.deadlineMs, 31_000);
  assert.equal(again.take(30_999), false);
  assert.equal(again.take(31_000), true);
  again.wanted(90_000);
  assert.equal(again.take(90_000), true);
});
