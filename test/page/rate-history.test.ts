import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkAnswer } from "../../src/page/overview.ts";
import { RateHistory } from "../../src/page/rate-history.ts";

function link(out: number, back: number): LinkAnswer {
  const counters = { sent: { messages: out, bytes: out * 10 }, received: { messages: back, bytes: back * 10 } };
  return { brokerlink: { counters } } as unknown as LinkAnswer;
}

test("a rate is what two readings differ by, for a second", () => {
  const history = new RateHistory();
  history.add(link(100, 5), 1_000);
  assert.equal(history.now, null);
  history.add(link(120, 5), 3_000);
  assert.deepEqual(history.now, { atSeconds: 3, messagesOut: 10, messagesIn: 0, bytesOut: 100, bytesIn: 0 });
});

test("an agent that began anew makes no rate, and none below nothing", () => {
  const history = new RateHistory();
  history.add(link(100, 100), 1_000);
  history.add(link(3, 3), 2_000);
  assert.equal(history.now, null);
  history.add(link(5, 3), 3_000);
  assert.deepEqual(
    history.points.map(({ messagesOut }) => messagesOut),
    [2],
  );
});

test("two minutes are kept, and a link that is disabled adds nothing", () => {
  const history = new RateHistory();
  for (let n = 0; n <= 500; n += 1) history.add(link(n, 0), n * 1_000);
  assert.equal(history.points.length, 120);
  history.add({ brokerlink: { counters: null } } as unknown as LinkAnswer, 501_000);
  assert.equal(history.points.length, 120);
  assert.equal(history.points[0]?.atSeconds, 381);
});
