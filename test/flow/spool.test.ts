import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemorySpoolLog } from "../../src/flow/memory-spool-log.ts";
import { Spool, type SpoolOptions } from "../../src/flow/spool.ts";
import { message, STREAM } from "./rig.ts";

const AGE_MAX_MS = 1_000;

function spool(options: Partial<SpoolOptions> = {}) {
  const givenUp: number[] = [];
  const made = new Spool(
    new MemorySpoolLog(STREAM),
    { bytesMax: 100, ageMaxMs: AGE_MAX_MS, whenFull: "drop_oldest", ...options },
    (number) => givenUp.push(number),
  );
  const push = (bytes: number, nowMs = 0) => {
    const room = made.makeRoom(bytes);
    if (room !== "full") made.append(message("t", "x"), bytes, nowMs);
    return room;
  };
  return { made, givenUp, push };
}

describe("a spool", () => {
  test("numbers from 1 without gaps and keeps each message until it is settled", () => {
    const { made, push } = spool();
    assert.deepEqual([made.base, made.lastNumber, made.depth, made.bytes], [1, 0, 0, 0]);
    for (let i = 0; i < 3; i += 1) assert.equal(push(10), null);
    assert.deepEqual([made.base, made.lastNumber, made.depth, made.bytes], [1, 3, 3, 30]);
    assert.equal(made.get(2)?.number, 2);
    assert.equal(made.get(0), undefined);
    assert.equal(made.get(4), undefined);
  });

  test("settles in any order, frees from the front", () => {
    const { made, push } = spool();
    for (let i = 0; i < 3; i += 1) push(10);
    assert.equal(made.settle(2), true);
    assert.equal(made.settle(2), false, "only once");
    assert.equal(made.settle(9), false);
    made.trim();
    assert.deepEqual([made.base, made.depth, made.bytes], [1, 2, 30]);
    made.settle(1);
    made.trim();
    assert.deepEqual([made.base, made.depth, made.bytes], [3, 1, 10]);
    assert.equal(made.get(1), undefined);
    assert.equal(made.settle(1), false);
  });

  test("full, it gives up the oldest that are not settled, and says how many", () => {
    const { made, givenUp, push } = spool();
    for (let i = 0; i < 10; i += 1) push(10);
    made.settle(2);
    assert.deepEqual(push(30), { reason: "spool_full", count: 2 });
    assert.deepEqual(givenUp, [1, 3], "a settled one that goes is no loss");
    assert.deepEqual([made.base, made.lastNumber, made.bytes], [4, 11, 100]);
  });

  test("full, with drop_newest, it refuses what comes, which gets no number", () => {
    const { made, givenUp, push } = spool({ whenFull: "drop_newest" });
    for (let i = 0; i < 10; i += 1) push(10);
    assert.equal(push(1), "full");
    assert.deepEqual([made.base, made.lastNumber, givenUp.length], [1, 10, 0]);
  });

  test("a message larger than all of it costs no other message", () => {
    const { made, push } = spool();
    push(40);
    assert.equal(push(101), "full");
    assert.equal(made.depth, 1);
    assert.deepEqual(push(100), { reason: "spool_full", count: 1 }, "one that fits alone takes all the room");
    assert.deepEqual([made.depth, made.bytes], [1, 100]);
  });

  test("gives up what is older than its age, at its deadline and not before", () => {
    const { made, givenUp, push } = spool();
    assert.equal(made.deadlineMs, Number.POSITIVE_INFINITY);
    push(10, 0);
    push(10, 500);
    assert.equal(made.deadlineMs, AGE_MAX_MS + 1);
    assert.equal(made.expire(made.deadlineMs - 1), null);
    assert.deepEqual(made.expire(made.deadlineMs), { reason: "spool_age", count: 1 });
    assert.deepEqual(givenUp, [1]);
    assert.equal(made.deadlineMs, 500 + AGE_MAX_MS + 1);
  });

  test("a clock that goes back gives up nothing", () => {
    const { made, push } = spool();
    push(10, 1_000_000);
    assert.equal(made.expire(0), null);
    assert.equal(made.depth, 1);
  });

  test("numbers stay right while many thousand messages pass through", () => {
    const { made, push } = spool();
    for (let i = 1; i <= 50_000; i += 1) {
      push(10);
      if (i % 3 === 0) made.settle(i);
      if (i % 7 === 0) made.trim();
      assert.equal(made.get(i)?.number, i);
    }
    assert.ok(made.bytes <= 100 && made.depth <= 10);
    assert.equal(made.lastNumber, 50_000);
  });
});
