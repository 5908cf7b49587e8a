import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokerUptime,
  parseUptime,
  UPTIME_BACK_TOLERANCE_S,
  UPTIME_SHIFT_TOLERANCE_MS,
} from "../../src/broker/broker-uptime.ts";

test("a steady connection never sees a restart, whatever the clocks do", () => {
  const uptime = new BrokerUptime();
  assert.equal(uptime.seen(500, 1_000_000), "same");
  assert.equal(uptime.seen(100, 1_001_000), "same");
  assert.equal(uptime.seen(600, 9_001_000), "same");
});

test("after a reconnect an uptime that went back proves a restart, up to the tolerance", () => {
  for (const [back, answer] of [
    [UPTIME_BACK_TOLERANCE_S, "same"],
    [UPTIME_BACK_TOLERANCE_S + 1, "restarted"],
  ] as const) {
    const uptime = new BrokerUptime();
    uptime.seen(500, 1_000_000);
    uptime.reconnected(1_001_000);
    assert.equal(uptime.seen(500 - back, 1_001_000), answer);
    assert.equal(uptime.seen(500 - back, 1_002_000), "same");
  }
});

test("an old value that was queued does not hide the restart behind it", () => {
  const uptime = new BrokerUptime();
  uptime.seen(500, 1_000_000);
  uptime.reconnected(1_010_000);
  assert.equal(uptime.seen(505, 1_010_000), "same");
  assert.equal(uptime.seen(3, 1_010_001), "restarted");
});

test("a start that moved later is a suspicion, said once for a reconnect", () => {
  const uptime = new BrokerUptime();
  uptime.seen(10, 1_000_000);
  uptime.reconnected(1_200_000);
  const stale = 1_000_000 - 10_000 + UPTIME_SHIFT_TOLERANCE_MS + 60_000;
  assert.equal(uptime.seen(60, stale), "same");
  assert.equal(uptime.seen(60, stale + 1), "unsure");
  assert.equal(uptime.seen(60, stale + 500_000), "same");
});

test("only the broker's own text is an uptime", () => {
  assert.deepEqual(["4711 seconds", "1 second", "12", "-1 seconds", "1 seconds ", ""].map(parseUptime), [
    4711,
    1,
    null,
    null,
    null,
    null,
  ]);
});
