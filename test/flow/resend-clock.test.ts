import assert from "node:assert/strict";
import { test } from "node:test";
import { ResendClock } from "../../src/flow/resend-clock.ts";

test("the least round trip is the way without its queues: the shortest since the last connection", () => {
  const clock = new ResendClock(() => 15_000);
  assert.equal(clock.leastMs, Number.POSITIVE_INFINITY);
  for (const sampleMs of [80, 3, 200, -7]) clock.measure(sampleMs);
  assert.equal(clock.leastMs, 3);
  assert.ok(clock.roundTripMs > 50);
  clock.reset();
  assert.equal(clock.leastMs, Number.POSITIVE_INFINITY);
});
