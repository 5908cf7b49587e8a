import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { KeepAlive } from "../../src/mqtt/keep-alive.ts";

let nowMs = 0;
before(() => mock.method(performance, "now", () => nowMs));
after(() => mock.reset());

/** A client on paper, with the library's rule: a PINGREQ one time after the last rescheduling. */
function keepAlive(seconds: number) {
  nowMs = 1_000;
  const calls: string[] = [];
  const client = {
    sendPing: () => void calls.push("ping"),
    reschedulePing: (force?: boolean) => void calls.push(force === true ? "reschedule" : "maybe"),
  };
  return { calls, keepAlive: new KeepAlive(client, seconds) };
}

test("the library hears of what comes every half of the time, no more often", () => {
  const { calls, keepAlive: alive } = keepAlive(10);
  nowMs += 4_999;
  alive.heard(nowMs);
  assert.deepEqual(calls, []);
  nowMs += 1;
  alive.heard(nowMs);
  alive.heard(nowMs);
  assert.deepEqual(calls, ["reschedule"]);
  nowMs += 5_000;
  alive.heard(nowMs - 2_500);
  assert.deepEqual(calls, ["reschedule", "reschedule"]);
});

test("who has written nothing for a quarter of it sends the PINGREQ that is put off", () => {
  const { calls, keepAlive: alive } = keepAlive(10);
  nowMs += 5_000;
  alive.heard(nowMs - 2_501);
  assert.deepEqual(calls, ["ping", "reschedule"]);
});

test("no keep-alive, nothing to tell", () => {
  const { calls, keepAlive: alive } = keepAlive(0);
  nowMs += 1_000_000;
  alive.heard(0);
  assert.deepEqual(calls, []);
});
