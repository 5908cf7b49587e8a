import assert from "node:assert/strict";
import { test } from "node:test";
import { digestEquals, EMPTY_DIGEST } from "../../src/base/digest.ts";
import { LOG_OPS_MAX, RouteLog } from "../../src/link/route-log.ts";
import type { RouteOp } from "../../src/route/route.ts";

const add = (filter: string): RouteOp => ({ op: "add", filter, groups: [] });
const digest = (low: number) => ({ high: 0, low });

test("numbers operations from 1 and hands out any stretch of them", () => {
  const log = new RouteLog();
  log.append([add("a"), add("b")], digest(1), 2);
  log.append([add("c")], digest(2), 3);
  assert.equal(log.lastOp, 3);
  assert.deepEqual(log.slice(2, 3), [add("b"), add("c")]);
  assert.equal(log.holds(1), true);
  assert.equal(log.holds(4), true);
});

test("past the limit the oldest go, and it says so", () => {
  const log = new RouteLog();
  for (let i = 0; i <= LOG_OPS_MAX; i += 1) log.append([add(`f/${i}`)], digest(i), i);
  assert.equal(log.lastOp, LOG_OPS_MAX + 1);
  assert.equal(log.holds(1), false);
  assert.equal(log.holds(LOG_OPS_MAX), true);
});

test("agrees only with a mark whose digest and count are those of the same operation", () => {
  const log = new RouteLog();
  log.append([add("a")], digest(1), 1);
  log.append([add("b")], digest(2), 2);
  const now = { op: 2, count: 2, digest: digest(2) };
  assert.equal(log.agrees({ op: 2, count: 2, digest: digest(2) }, now, digestEquals), true);
  assert.equal(log.agrees({ op: 1, count: 1, digest: digest(1) }, now, digestEquals), true);
  assert.equal(log.agrees({ op: 1, count: 1, digest: digest(2) }, now, digestEquals), false, "digest of another op");
  assert.equal(log.agrees({ op: 2, count: 1, digest: digest(2) }, now, digestEquals), false);
  assert.equal(log.agrees({ op: 3, count: 2, digest: digest(2) }, now, digestEquals), false, "an op that never was");
  assert.equal(
    new RouteLog().agrees(
      { op: 0, count: 0, digest: EMPTY_DIGEST },
      { op: 0, count: 0, digest: EMPTY_DIGEST },
      digestEquals,
    ),
    true,
  );
});
