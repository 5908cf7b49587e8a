import assert from "node:assert/strict";
import { test } from "node:test";
import { DelayHistogram } from "../../src/base/delay-histogram.ts";

function bucketsOf(histogram: DelayHistogram): Record<string, number> {
  const { boundsMs, counts } = histogram.value;
  return Object.fromEntries(
    counts.flatMap((count, index) => (count === 0 ? [] : [[String(boundsMs[index] ?? "more"), count]])),
  );
}

test("a delay counts in the first bucket whose bound it does not pass, and past all bounds in the last", () => {
  const histogram = new DelayHistogram();
  for (const ms of [0, 1, 1.5, 2, 10, 10.1, 600_000, 600_001, 1e12]) histogram.add(ms);
  assert.deepEqual(bucketsOf(histogram), { 1: 2, 2: 2, 10: 1, 25: 1, 600000: 1, more: 2 });
});

test("the sum is that of all samples, and its value does not change with what comes later", () => {
  const histogram = new DelayHistogram();
  histogram.add(3);
  histogram.add(4);
  const before = histogram.value;
  histogram.add(100);
  assert.equal(before.sumMs, 7);
  assert.equal(
    before.counts.reduce((sum, count) => sum + count),
    2,
  );
  assert.equal(histogram.value.sumMs, 107);
});

test("a clock that went back makes no sample, and no number is none", () => {
  const histogram = new DelayHistogram();
  histogram.add(-1);
  histogram.add(Number.NaN);
  assert.deepEqual(bucketsOf(histogram), {});
  assert.equal(histogram.value.sumMs, 0);
});

test("bounds ascend", () => {
  const { boundsMs, counts } = new DelayHistogram().value;
  assert.deepEqual(
    [...boundsMs],
    [...boundsMs].sort((a, b) => a - b),
  );
  assert.equal(new Set(boundsMs).size, boundsMs.length);
  assert.equal(counts.length, boundsMs.length + 1);
});
