import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as claim, unreachable } from "../../src/base/assert.ts";

test("a claim that holds is silent and one that does not is named a bug", () => {
  claim(true, "never seen");
  assert.throws(() => claim(false, "the ring is empty"), /^Error: bug: the ring is empty$/);
  assert.throws(() => claim(0, "falsy"), /falsy/);
});

test("an unreachable value is shown", () => {
  assert.throws(() => unreachable({ type: "new" } as never), /unreachable value \{"type":"new"\}/);
});
