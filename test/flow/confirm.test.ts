import assert from "node:assert/strict";
import { test } from "node:test";
import { message, outbound } from "./rig.ts";

const FRAME_ROOM = 1_000_000;

/** Whether the broker is asked for an answer to a frame of these moments. */
function confirms(...momentsMs: readonly number[]): boolean[] {
  const { out } = outbound();
  out.opened(FRAME_ROOM);
  return momentsMs.map((nowMs) => {
    out.offer(message("t", "x", 0), null, nowMs);
    return out.nextFrame(nowMs)?.confirm ?? assert.fail("no frame");
  });
}

test("one frame a second asks the broker for an answer", () => {
  assert.deepEqual(confirms(0, 999, 1_000, 1_500, 1_999, 2_000), [true, false, true, false, false, true]);
});

test("a clock that went back does not put it off", () => {
  assert.deepEqual(confirms(3_600_000, 3_600_500, 0, 500, 1_000), [true, false, true, false, true]);
});

test("an empty frame carries nothing, asks, and counts as having asked", () => {
  const { out } = outbound();
  out.opened(FRAME_ROOM);
  out.offer(message("t", "x", 0), null, 0);
  out.nextFrame(0);
  const empty = out.emptyFrame(5_000);
  assert.deepEqual([empty.messages, empty.base, empty.confirm, empty.resend], [[], 1, true, false]);
  out.offer(message("t", "x", 0), null, 5_500);
  assert.equal(out.nextFrame(5_500)?.confirm, false);
});
