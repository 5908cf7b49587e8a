import assert from "node:assert/strict";
import { test } from "node:test";
import { CountRefresh } from "../../src/agent/count-refresh.ts";

/** A broker that counts every `intervalMs`, and publishes only what changed; answers at which times it did. */
function published(intervalMs: number, untilMs: number): { readonly counts: number[]; readonly asked: number[] } {
  const refresh = new CountRefresh();
  const counts: number[] = [];
  const asked: number[] = [];
  let held = 0;
  let last = 0;
  for (let nowMs = 0; nowMs < untilMs; nowMs += 100) {
    if (nowMs % intervalMs === 0 && held !== last) {
      last = held;
      counts.push(nowMs);
      refresh.counted(nowMs);
    }
    if (nowMs < refresh.deadlineMs(true)) continue;
    refresh.asked(nowMs);
    asked.push(nowMs);
    held = 1 - held;
  }
  return { counts, asked };
}

test("every question is answered, whatever the broker's interval: none takes the one before back", () => {
  for (const intervalMs of [1_000, 2_000, 5_000, 10_000]) {
    const { counts, asked } = published(intervalMs, 120_000);
    assert.ok(
      asked.length - counts.length <= 1,
      `interval ${intervalMs}: ${asked.length} asked, ${counts.length} answered`,
    );
    assert.ok(counts.length >= 4);
  }
});

test("a broker that counts every second is asked again soon, and less and less often when counts do not help", () => {
  const { counts } = published(1_000, 300_000);
  assert.ok((counts[1] ?? Number.POSITIVE_INFINITY) <= 3_000, `second count at ${counts[1]} ms`);
  assert.ok(counts.length < 20, `${counts.length} counts in five minutes`);
});

test("nobody is asked while no count is wanted, and at once when one is", () => {
  const refresh = new CountRefresh();
  assert.equal(refresh.deadlineMs(false), Number.POSITIVE_INFINITY);
  assert.ok(refresh.deadlineMs(true) <= 0);
  refresh.asked(1_000);
  assert.equal(refresh.deadlineMs(false), Number.POSITIVE_INFINITY);
  assert.ok(refresh.deadlineMs(true) <= 1_000, "what was asked before is forgotten");
});

test("a broker that never answers is asked again, rarely", () => {
  const refresh = new CountRefresh();
  let asked = 0;
  for (let nowMs = 0; nowMs < 120_000; nowMs += 100) {
    if (nowMs < refresh.deadlineMs(true)) continue;
    refresh.asked(nowMs);
    asked += 1;
  }
  assert.equal(asked, 10);
});
