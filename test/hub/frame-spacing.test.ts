import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameSpacing } from "../../src/hub/frame-spacing.ts";

test("to a neighbour everything leaves at once", () => {
  const spacing = new FrameSpacing();
  for (const nowMs of [0, 0, 1, 1]) {
    assert.ok(spacing.mayLeave(1, 9, nowMs));
    spacing.left(nowMs);
  }
  assert.equal(spacing.deadlineMs, Number.POSITIVE_INFINITY);
});

test("over a long way the first message leaves at once, and those behind it wait a tenth of the round trip, at most 10 ms", () => {
  for (const [roundTripMs, gapMs] of [
    [10, 1],
    [55, 5],
    [100, 10],
    [5_000, 10],
    [Number.POSITIVE_INFINITY, 10],
  ] as const) {
    const spacing = new FrameSpacing();
    assert.ok(spacing.mayLeave(1, roundTripMs, 1_000));
    spacing.left(1_000);
    assert.equal(spacing.mayLeave(1, roundTripMs, 1_000 + gapMs - 1), false);
    assert.equal(spacing.deadlineMs, 1_000 + gapMs);
    assert.ok(spacing.mayLeave(1, roundTripMs, 1_000 + gapMs));
    assert.equal(spacing.deadlineMs, Number.POSITIVE_INFINITY);
  }
});

test("a frame that is full waits for nobody", () => {
  const spacing = new FrameSpacing();
  spacing.left(1_000);
  assert.equal(spacing.mayLeave(199, 100, 1_000), false);
  assert.ok(spacing.mayLeave(200, 100, 1_000));
});

test("nothing waits where there is nothing, and a clock that goes back holds nothing back", () => {
  const spacing = new FrameSpacing();
  spacing.left(1_000);
  assert.ok(spacing.mayLeave(0, 100, 1_001));
  assert.equal(spacing.deadlineMs, Number.POSITIVE_INFINITY);
  assert.ok(spacing.mayLeave(1, 100, 999));
});
