import assert from "node:assert/strict";
import { test } from "node:test";
import { Turn } from "../../src/agent/turn.ts";
import { clockMs } from "../../src/ops/clock.ts";
import { until } from "../support/until.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const NEVER = Number.POSITIVE_INFINITY;

test("whatever is asked for in one round of the event loop is one run, at its end", async () => {
  const order: string[] = [];
  const work = new Turn(
    () => order.push("run"),
    () => NEVER,
  );
  work.request();
  process.nextTick(() => {
    order.push("tick");
    work.request();
  });
  work.request();
  assert.deepEqual(order, []);
  await turn();
  assert.deepEqual(order, ["tick", "run"]);
  work.stop();
});

test("a request made while it runs is another run", async () => {
  let runs = 0;
  const work = new Turn(
    () => {
      runs += 1;
      if (runs < 3) work.request();
    },
    () => NEVER,
  );
  work.request();
  await until("three runs", () => runs === 3);
  work.stop();
});

test("a deadline is met, not before it, and asked for again after each run", async () => {
  const atMs: number[] = [];
  let deadlineMs = clockMs() + 40;
  const work = new Turn(
    (nowMs) => {
      atMs.push(nowMs);
      if (nowMs >= deadlineMs) deadlineMs = atMs.length < 3 ? nowMs + 20 : NEVER;
    },
    () => deadlineMs,
  );
  const firstMs = deadlineMs;
  work.request();
  await until("three runs", () => atMs.length >= 3);
  assert.ok((atMs[1] ?? 0) >= firstMs, `${atMs[1]} is before ${firstMs}`);
  assert.ok((atMs[2] ?? 0) >= firstMs + 20);
  work.stop();
});

test("a deadline that moves nearer is met at its new time", async () => {
  let deadlineMs = clockMs() + 60_000;
  let runs = 0;
  const work = new Turn(
    () => {
      runs += 1;
    },
    () => deadlineMs,
  );
  work.request();
  await turn();
  deadlineMs = clockMs() + 10;
  work.request();
  await turn();
  assert.equal(runs, 2);
  await until("the third run", () => {
    if (runs === 3) deadlineMs = NEVER;
    return runs >= 3;
  });
  work.stop();
});

test("a deadline further away than a timer can wait is looked at again when it can", async (t) => {
  const timers = t.mock.method(globalThis, "setTimeout");
  let runs = 0;
  const work = new Turn(
    () => {
      runs += 1;
    },
    () => clockMs() + 2 ** 40,
  );
  work.request();
  await until("a run", () => runs === 1);
  work.stop();
  // Node takes a longer one for 1 ms.
  assert.ok(timers.mock.calls.some(({ arguments: [, waitMs] }) => waitMs === 2 ** 31 - 1));
});

test("stop ends it: no run that was asked for, no deadline", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let runs = 0;
  const work = new Turn(
    () => {
      runs += 1;
    },
    () => clockMs() + 5,
  );
  work.request();
  await turn();
  assert.equal(runs, 1);
  work.request();
  work.stop();
  work.request();
  t.mock.timers.tick(1_000);
  await turn();
  assert.equal(runs, 1);
});

test("a wall clock that is set back or forth moves no deadline", async (t) => {
  const before = clockMs();
  const real = Date.now;
  t.mock.method(Date, "now", () => real() - 3_600_000);
  let met = false;
  const work = new Turn(
    (nowMs) => {
      met = nowMs >= before + 30;
    },
    () => (met ? NEVER : before + 30),
  );
  work.request();
  await until("the deadline is met", () => met);
  work.stop();
  assert.ok(clockMs() - before < 5_000);
});
