import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FramesAhead, type WaitingFrame } from "../../src/flow/frames-ahead.ts";
import { frame } from "./rig.ts";

function waiting(first: number, count: number, bytes: number, stream = "00000000000000ff"): WaitingFrame {
  const texts = Array.from({ length: count }, () => "x");
  return { frame: { ...frame(first, texts), stream }, bytes, stayMs: 0, atMs: 0, untilMs: 0 };
}

const state = (ahead: FramesAhead) => [ahead.size, ahead.bytes, ahead.messages];

describe("frames ahead", () => {
  test("each comes out when the gap before it is closed, and the sums follow", () => {
    const ahead = new FramesAhead();
    for (const first of [7, 5]) assert.equal(ahead.keep(first, waiting(first, 2, 10 * first)), true);
    assert.equal(ahead.keep(5, waiting(5, 9, 9)), false, "once");
    assert.deepEqual(state(ahead), [2, 120, 4]);
    assert.equal(ahead.take("00000000000000ff", 4), null);
    assert.equal(ahead.take("another", 5), null);
    assert.equal(ahead.take("00000000000000ff", 5)?.bytes, 50);
    assert.equal(ahead.take("00000000000000ff", 9)?.bytes, 70, "one that only repeats comes out too");
    assert.deepEqual(state(ahead), [0, 0, 0]);
    assert.deepEqual(ahead.streams(), []);
  });

  test("the one that has longest to wait is evicted first, of any stream", () => {
    const ahead = new FramesAhead();
    ahead.keep(5, waiting(5, 1, 1));
    ahead.keep(9, waiting(9, 1, 2, "0000000000000001"));
    ahead.keep(7, waiting(7, 1, 4));
    assert.deepEqual([ahead.evict()?.bytes, ahead.evict()?.bytes, ahead.evict()?.bytes], [2, 4, 1]);
    assert.equal(ahead.evict(), null);
    assert.deepEqual(state(ahead), [0, 0, 0]);
  });

  test("a stream that is forgotten takes its frames along", () => {
    const ahead = new FramesAhead();
    ahead.keep(5, waiting(5, 3, 10));
    ahead.keep(5, waiting(5, 1, 4, "0000000000000001"));
    ahead.forget("00000000000000ff");
    assert.deepEqual(state(ahead), [1, 4, 1]);
    ahead.clear();
    assert.deepEqual(state(ahead), [0, 0, 0]);
  });
});
