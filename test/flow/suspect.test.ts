/** Messages that never come through: found, proven and given up, and nobody else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { framesOf, message, outbound, STREAM } from "./rig.ts";

const POISON = 5;

type Rig = ReturnType<typeof outbound>;

function sending(count = 8): Rig {
  const rig = outbound(1_000_000, "drop_oldest", 64, 3_600_000);
  rig.out.opened(1e6);
  for (let i = 1; i <= count; i += 1) rig.out.offer(message(`t/${i}`, "x"), null, 0);
  return rig;
}

/**
 * Until nothing waits, or the time is over. The peer says something all the time; `comesThrough` says which frames reach
 * it, and `answers` whether it greets back when it is greeted.
 */
function run(
  { out, drops }: Rig,
  endMs: number,
  comesThrough: (of: readonly (number | null)[]) => boolean,
  answers = true,
) {
  const sizes = new Set<number>();
  let [upTo, droppedAtMs, asked] = [0, Number.POSITIVE_INFINITY, false];
  for (let nowMs = 0; nowMs < endMs && out.lanes.main.spool.depth > 0; nowMs += 500) {
    if (nowMs >= out.deadlineMs) out.tick(nowMs, nowMs - 1);
    if (drops.length > 0) droppedAtMs = Math.min(droppedAtMs, nowMs);
    const isGreeted = out.takeProofRequest();
    asked ||= isGreeted;
    for (const { messages, base } of framesOf(out, nowMs)) {
      const of = messages.map(({ number }) => number);
      if (of.includes(POISON)) sizes.add(of.length);
      if (!comesThrough(of)) continue;
      upTo = Math.max(upTo, base - 1);
      for (const number of of) if (number === upTo + 1) upTo = number;
    }
    if (upTo >= out.lanes.main.spool.base) out.settled(STREAM, upTo, [], nowMs + 1);
    if (!isGreeted || !answers) continue;
    out.closed();
    out.opened(1e6);
  }
  return { sizes: [...sizes], droppedAtMs, asked };
}

const withoutPoison = (of: readonly (number | null)[]): boolean => !of.includes(POISON);

describe("a message that makes its frame get lost on the way", () => {
  test("is found by halves, proven by the peer's answer, given up and named, and all others arrive", () => {
    const rig = sending();
    const { sizes } = run(rig, 600_000, withoutPoison);
    assert.deepEqual(
      [rig.drops, rig.out.lanes.main.suspect.refused, rig.out.lanes.main.spool.depth],
      [["refused_by_broker 1"], [{ number: POISON, topic: `t/${POISON}` }], 0],
    );
    assert.deepEqual(sizes, [8, 4, 2, 1]);
  });

  test("stays while the peer does not answer the greeting: the way may be closed", () => {
    const rig = sending();
    const { asked } = run(rig, 600_000, withoutPoison, false);
    assert.deepEqual([asked, rig.drops, rig.out.lanes.main.suspect.refused], [true, [], []]);
  });
});

describe("nothing is given up", () => {
  const never = (): boolean => false;

  test("while the peer says nothing at all", () => {
    const rig = sending(1);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 500) {
      if (nowMs >= rig.out.deadlineMs) rig.out.tick(nowMs, 0);
      framesOf(rig.out, nowMs);
      assert.equal(rig.out.takeProofRequest(), false);
    }
    assert.deepEqual(rig.drops, []);
  });

  test("while the peer has it in hand: its broker may be away for long", () => {
    const rig = sending(1);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 500) {
      if (nowMs >= rig.out.deadlineMs) rig.out.tick(nowMs, nowMs - 1);
      if (framesOf(rig.out, nowMs).length > 0) rig.out.settled(STREAM, 0, [], nowMs);
      assert.equal(rig.out.takeProofRequest(), false);
    }
    assert.deepEqual(rig.drops, []);
  });

  test("while the connection breaks again and again", () => {
    const rig = sending(1);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 500) {
      if (nowMs >= rig.out.deadlineMs) rig.out.tick(nowMs, nowMs - 1);
      framesOf(rig.out, nowMs);
      rig.out.takeProofRequest();
      if (nowMs % 20_000 === 0) {
        rig.out.disconnected();
        rig.out.opened(1e6);
      }
    }
    assert.deepEqual(rig.drops, []);
  });

  test("when nothing else comes through either, as where an access list closes the way without a word", () => {
    const rig = sending();
    run(rig, 3_600_000, never);
    assert.deepEqual(rig.drops, []);
  });

  test("while the broker says that it refuses the frames", () => {
    const rig = sending(1);
    rig.out.lanes.main.suspect.word(1, true);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 500) {
      if (nowMs >= rig.out.deadlineMs) rig.out.tick(nowMs, nowMs - 1);
      for (const { id } of framesOf(rig.out, nowMs)) rig.out.refused(id, 0x87);
      assert.equal(rig.out.takeProofRequest(), false);
    }
    assert.deepEqual(rig.drops, []);
  });

  test("before a minute has passed, however swiftly the tries went", () => {
    const rig = sending(1);
    rig.out.lanes.main.suspect.word(1, true);
    const { droppedAtMs } = run(rig, 600_000, never);
    assert.ok(droppedAtMs >= 60_000 && droppedAtMs < 120_000, `given up after ${droppedAtMs} ms`);
  });
});
