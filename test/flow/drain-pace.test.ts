import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DrainPace } from "../../src/flow/drain-pace.ts";
import { MemorySpoolLog } from "../../src/flow/memory-spool-log.ts";

/** Messages come at `perSecond` for `forMs`; answers when it ends. */
function live(pace: DrainPace, perSecond: number, forMs: number, fromMs = 0): number {
  const stepMs = 1_000 / perSecond;
  let nowMs = fromMs;
  for (; nowMs < fromMs + forMs; nowMs += stepMs) pace.offered(nowMs);
  return nowMs;
}

/** How many go in `forMs`, asked each millisecond, all of them old. */
function drained(pace: DrainPace, fromMs: number, forMs: number): number {
  const lane = pace.lane();
  let gone = 0;
  for (let nowMs = fromMs; nowMs <= fromMs + forMs; nowMs += 1) {
    const count = lane.allowance(nowMs - 60_000, nowMs);
    assert.ok(count <= 250, `${count} at once`);
    lane.went(count);
    gone += count;
  }
  lane.stop();
  return gone;
}

describe("the pace of a backlog", () => {
  test("what is fresh is not paced, however much it is", () => {
    const pace = new DrainPace(10);
    const lane = pace.lane();
    for (let nowMs = 0; nowMs < 5_000; nowMs += 1) {
      assert.equal(lane.allowance(nowMs - 1_000, nowMs), Number.POSITIVE_INFINITY);
      lane.went(1_000);
    }
    assert.equal(pace.draining, false);
  });

  test("is half more than the live rate, of which a mean and what it has reached are known", () => {
    const pace = new DrainPace(null);
    const nowMs = live(pace, 1_000, 60_000);
    const gone = drained(pace, nowMs, 10_000);
    assert.ok(gone > 14_000 && gone < 15_600, `${gone} in 10 s`);
    const later = drained(pace, nowMs + 60_000, 10_000);
    assert.ok(later > 12_500, `${later} in 10 s a minute later`);
  });

  test("without a live rate is a hundred a second, the first of them at once", () => {
    const pace = new DrainPace(null);
    const lane = pace.lane();
    assert.equal(lane.allowance(-2000, 0), 25);
    lane.went(25);
    assert.equal(lane.allowance(-2000, 0), 0);
    assert.equal(lane.deadlineMs, 20, "two at a time");
    assert.equal(lane.allowance(-1990, 10), 0);
    assert.equal(lane.deadlineMs, 20);
    assert.equal(lane.allowance(-1980, 20), 2);
    assert.equal(lane.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("is capped by what the configuration says", () => {
    const pace = new DrainPace(40);
    const nowMs = live(pace, 1_000, 20_000);
    const gone = drained(pace, nowMs, 10_000);
    assert.ok(gone >= 400 && gone <= 411, `${gone}`);
    assert.equal(pace.perSecond, 40);
  });

  test("goes slower when the broker behind drops messages, but not below 25 a second", () => {
    const pace = new DrainPace(null);
    const nowMs = live(pace, 1_000, 60_000);
    const full = pace.perSecond;
    pace.slow(50);
    assert.equal(pace.perSecond, full / 2);
    pace.slow(1);
    assert.equal(pace.perSecond, 25);
    const gone = drained(pace, nowMs, 10_000);
    assert.ok(gone >= 250 && gone <= 260, `${gone}`);
    pace.slow(100);
    assert.ok(Math.abs(pace.perSecond - full) < full * 0.05);
    const capped = new DrainPace(10);
    capped.slow(1);
    assert.equal(capped.perSecond, 10, "the configuration asks for less than that already");
  });

  test("knows when it last drained", () => {
    const pace = new DrainPace(null);
    const lane = pace.lane();
    assert.equal(pace.drainedAtMs, Number.NEGATIVE_INFINITY);
    lane.allowance(-2_000, 0);
    lane.allowance(50, 60);
    assert.deepEqual([pace.draining, pace.drainedAtMs], [false, 0]);
  });

  test("ends when what goes is fresh again, and begins anew", () => {
    const pace = new DrainPace(null);
    const lane = pace.lane();
    assert.equal(lane.allowance(-1001, 0), 25);
    assert.equal(pace.draining, true);
    assert.equal(lane.allowance(-249, 1), 25, "not yet fresh");
    assert.equal(lane.allowance(-247, 2), Number.POSITIVE_INFINITY);
    assert.equal(lane.allowance(-997, 3), Number.POSITIVE_INFINITY);
    assert.equal(lane.allowance(-997, 4), 25);
  });

  test("knows the rate of an earlier life by what it left", () => {
    const pace = new DrainPace(null);
    const log = new MemorySpoolLog("0011223344556677");
    pace.seen(log);
    assert.equal(pace.perSecond, 100, "it left nothing");
    const message = {
      topic: "t",
      payload: new Uint8Array(0),
      qos: 1,
      retain: false,
      properties: null,
      expiryMs: null,
    } as const;
    for (let n = 0; n <= 300; n += 1) log.append(message, 10, 5_000 + n * 2);
    pace.seen(log);
    assert.equal(pace.perSecond, 750);
  });

  test("a clock that goes back stops nothing", () => {
    const pace = new DrainPace(null);
    const lane = pace.lane();
    live(pace, 100, 10_000, 1_000_000);
    lane.went(lane.allowance(1005000, 1_010_000));
    assert.equal(lane.allowance(495000, 500_000), 0);
    assert.ok(lane.deadlineMs < 500_100);
    assert.ok(lane.allowance(495100, 500_100) > 0);
    live(pace, 2_000, 60_000, 500_100);
    assert.ok(pace.perSecond > 2_500);
  });
});
