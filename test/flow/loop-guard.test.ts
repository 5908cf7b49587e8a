import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LoopGuard } from "../../src/flow/loop-guard.ts";

const QUIET_MIN_MS = 100;
const HOLD_MIN_MS = 500;
const TRUST_MS = 10_000;
const LOOPING_MS = 60_000;

const bytes = (text: string) => new TextEncoder().encode(text);

/** A guard, its clock, and the messages it let through. */
class Rig {
  readonly guard = new LoopGuard<string>((text) => text.length);
  readonly passed: string[] = [];
  nowMs = 1_000;

  offer(text: string, topic = "t"): string {
    const verdict = this.guard.offer(topic, bytes(text), text, this.nowMs);
    if (verdict === "pass") this.passed.push(text);
    return verdict;
  }

  settled(text: string, topic = "t"): void {
    this.guard.settled(topic, bytes(text), this.nowMs);
  }

  /** Forwarded, confirmed after `confirmMs`, and back after `backMs` in all. */
  circle(text: string, backMs = 10, confirmMs = 5): string {
    const verdict = this.offer(text);
    this.nowMs += confirmMs;
    this.settled(text);
    this.nowMs += backMs - confirmMs;
    return verdict;
  }

  release(): string[] {
    return this.guard.release(this.nowMs);
  }

  /** To the end of a hold that nothing more arrives for. */
  fallQuiet(): string[] {
    assert.ok(Number.isFinite(this.guard.deadlineMs));
    this.nowMs = this.guard.deadlineMs - 1;
    assert.deepEqual(this.release(), []);
    this.nowMs += 1;
    return this.release();
  }

  untilHeld(text: string): void {
    for (let i = 0; i < 3; i += 1) assert.equal(this.circle(text), "pass");
    assert.equal(this.circle(text), "hold");
  }
}

describe("the loop guard, watching", () => {
  test("lets through what is different, and what comes again later than soon", () => {
    const rig = new Rig();
    for (let i = 0; i < 50; i += 1) {
      assert.equal(rig.circle(`${i}`), "pass");
      assert.equal(rig.circle("on", 150), "pass");
    }
    assert.equal(rig.guard.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("holds a payload that returned three times in a row, soon after it was confirmed", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    assert.deepEqual(rig.passed, ["x", "x", "x"]);
  });

  test("starts to count anew when one return was late", () => {
    const rig = new Rig();
    for (const backMs of [10, 10, 500, 10, 10, 10]) assert.equal(rig.circle("x", backMs), "pass");
    assert.equal(rig.circle("x"), "hold");
  });

  test("finds a circle that is faster than its confirmation, or has none (QoS 0)", () => {
    const rig = new Rig();
    const verdicts: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      verdicts.push(rig.offer("x"));
      rig.nowMs += 3;
    }
    assert.deepEqual(verdicts, ["pass", "pass", "pass", "hold"]);
  });

  test("a burst of equal messages within a millisecond is no circle", () => {
    const rig = new Rig();
    for (let i = 0; i < 100; i += 1) assert.equal(rig.offer("x"), "pass");
  });

  test("on a slow link a return within four round trips is soon", () => {
    const rig = new Rig();
    for (let i = 0; i < 3; i += 1) assert.equal(rig.circle("x", 700, 400), "pass");
    assert.equal(rig.offer("x"), "hold");
  });

  test("tells topics apart", () => {
    const rig = new Rig();
    for (let i = 0; i < 12; i += 1) {
      assert.equal(rig.offer("x", `t/${i % 4}`), "pass");
      rig.nowMs += 5;
    }
  });

  test("a confirmation of what was never offered changes nothing; of several, as of copies that circle, the last counts", () => {
    const rig = new Rig();
    rig.settled("never");
    rig.offer("x");
    rig.settled("x");
    rig.nowMs += 500;
    rig.settled("x");
    for (let i = 0; i < 2; i += 1) assert.equal(rig.circle("x"), "pass");
    assert.equal(rig.circle("x"), "hold", "the first return came right after the second confirmation");
  });
});

describe("the loop guard, holding", () => {
  test("keeps everything of the topic in order, whatever its payload, and nothing of other topics", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    assert.equal(rig.offer("y"), "hold");
    assert.equal(rig.offer("x"), "hold");
    assert.equal(rig.offer("z", "other"), "pass");
    assert.deepEqual(rig.fallQuiet(), ["x", "y", "x"]);
    assert.deepEqual(rig.release(), []);
    assert.equal(rig.guard.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("each arrival puts the quiet off; at least 100 ms, or four intervals of the suspect", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    const heldAtMs = rig.nowMs - 10;
    assert.equal(rig.guard.deadlineMs, heldAtMs + QUIET_MIN_MS);
    rig.nowMs = heldAtMs + 60;
    rig.offer("x");
    assert.equal(rig.guard.deadlineMs, heldAtMs + 60 + QUIET_MIN_MS);
    const slow = new Rig();
    for (let i = 0; i < 3; i += 1) slow.circle("x", 80);
    slow.offer("x");
    assert.equal(slow.guard.deadlineMs, slow.nowMs + 4 * 80);
  });

  test("what goes on arriving although it is held has a publisher: released in order, and trusted", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    const startMs = rig.nowMs - 10;
    let held = 1;
    while (rig.nowMs < startMs + HOLD_MIN_MS) {
      rig.offer(`x`);
      held += 1;
      rig.nowMs += 50;
      if (rig.nowMs < startMs + HOLD_MIN_MS) assert.deepEqual(rig.release(), []);
    }
    assert.equal(rig.release().length, held);
    for (let i = 0; i < 100; i += 1) assert.equal(rig.circle("x", 20), "pass");
  });

  test("ten thousand messages, or four mebibytes, end a hold: nothing is lost for a suspicion", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    for (let i = 0; i < 9_998; i += 1) assert.equal(rig.offer(`${i}`), "hold");
    assert.deepEqual(rig.release(), []);
    assert.equal(rig.offer("last"), "hold");
    assert.equal(rig.guard.deadlineMs, 0, "they go at once");
    const released = rig.release();
    assert.deepEqual([released.length, released[0], released.at(-1)], [10_000, "x", "last"]);
    assert.deepEqual(rig.guard.status.cutShort, [{ reason: "topic_messages", count: 1 }]);
    const large = new Rig();
    large.untilHeld("x");
    large.offer("y".repeat(4 * 1024 * 1024));
    assert.equal(large.release().length, 2);
    assert.deepEqual(large.guard.status.cutShort, [{ reason: "topic_bytes", count: 1 }]);
  });

  test("past 64 MiB of all topics the largest hold ends: its messages go on in order, the others and what circles stay held", () => {
    const rig = new Rig();
    const held = (topic: string) => rig.guard.holds(topic);
    const large = "z".repeat(1024 * 1024);
    const hold = (topic: string, more: number) => {
      for (let i = 0; i < 3; i += 1) {
        rig.offer("x", topic);
        rig.nowMs += 1;
      }
      assert.equal(rig.offer("x", topic), "hold");
      for (let i = 0; i < more; i += 1) assert.equal(rig.offer(`${topic} ${i} ${large}`, topic), "hold");
    };
    hold("circle", 0);
    for (let number = 0; number < 21; number += 1) hold(`t/${number}`, number === 7 ? 3 : 2);
    hold("last", 1);
    hold("a little", 0);
    assert.deepEqual(rig.guard.released(), []);
    const full = rig.guard.status;
    assert.ok(full.bytes > 43 * large.length);
    for (let number = 0; number < 19; number += 1) hold(`u/${number}`, 1);
    assert.deepEqual(rig.guard.status.cutShort, []);
    hold("one more", 1);
    assert.deepEqual(rig.guard.status.cutShort, [{ reason: "total_bytes", count: 1 }]);
    assert.deepEqual(
      rig.guard.released().map((text) => text.slice(0, 5)),
      ["x", "t/7 0", "t/7 1", "t/7 2"],
    );
    assert.deepEqual(["t/7", "circle", "t/0", "last", "one more"].map(held), [false, true, true, true, true]);
    assert.ok(rig.guard.status.bytes <= 64 * large.length);
    // Nothing was proven: it is watched as before, neither trusted nor looping.
    for (let i = 0; i < 2; i += 1) {
      assert.equal(rig.offer("x", "t/7"), "pass");
      rig.nowMs += 1;
    }
    assert.equal(rig.offer("x", "t/7"), "hold");
  });

  test("past 100,000 messages of all topics the hold with the most ends; the memory is that of what is held, to the end", () => {
    const rig = new Rig();
    let offered = 0;
    const hold = (topic: string, messages: number) => {
      for (let i = 0; i < 3; i += 1) {
        rig.offer("x", topic);
        rig.nowMs += 1;
      }
      for (let i = 0; i < messages; i += 1) rig.offer(i === 0 ? "x" : `${i}`, topic);
      offered += messages;
    };
    hold("most", 9_999);
    for (let number = 0; number < 10; number += 1) hold(`t/${number}`, 9_000);
    assert.deepEqual(rig.guard.status.cutShort, []);
    hold("last", 2);
    assert.deepEqual(rig.guard.status.cutShort, [{ reason: "total_messages", count: 1 }]);
    assert.equal(rig.guard.released().length, 9_999);
    assert.equal(rig.guard.status.messages, offered - 9_999);
    rig.nowMs += 10_000;
    assert.equal(rig.release().length, offered - 9_999);
    assert.deepEqual([rig.guard.status.messages, rig.guard.status.bytes], [0, 0]);
  });

  test("a message larger than all that may be held is not held", () => {
    const rig = new Rig();
    const huge = "x".repeat(65 * 1024 * 1024);
    for (let i = 0; i < 3; i += 1) {
      assert.equal(rig.offer(huge), "pass");
      rig.nowMs += 1;
    }
    rig.offer(huge);
    assert.equal(rig.guard.deadlineMs, 0, "it goes at once");
    assert.equal(rig.release().length, 1);
    assert.deepEqual(rig.guard.status, { messages: 0, bytes: 0, cutShort: [{ reason: "total_bytes", count: 1 }] });
  });

  test("at the limit of topics the oldest is forgotten, its held messages are not", () => {
    const rig = new Rig();
    for (let topic = 0; topic <= 1_024; topic += 1) {
      for (let i = 0; i < 4; i += 1) {
        rig.offer(`${topic}`, `t/${topic}`);
        rig.nowMs += 1;
      }
      if (topic === 1_023) assert.ok(rig.release().every((text) => text !== "1023"));
    }
    rig.nowMs += 10_000;
    const held = new Set(rig.release());
    assert.ok(held.has("1024"));
    assert.equal(rig.guard.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("a clock that goes back delays what is held by that much, and loses nothing", () => {
    const rig = new Rig();
    rig.untilHeld("x");
    rig.nowMs -= 500;
    assert.deepEqual(rig.release(), []);
    rig.nowMs = rig.guard.deadlineMs;
    assert.deepEqual(rig.release(), ["x"]);
  });
});

describe("the loop guard, proving", () => {
  /** Held once and released: if it circles, it is back within twice the quiet. */
  function proving(): Rig {
    const rig = new Rig();
    rig.untilHeld("x");
    assert.deepEqual(rig.fallQuiet(), ["x"]);
    return rig;
  }

  test("a publisher that happened to pause is watched as before", () => {
    const rig = proving();
    rig.nowMs += 2 * QUIET_MIN_MS + 1;
    for (let i = 0; i < 20; i += 1) assert.equal(rig.circle("x", 300), "pass");
  });

  test("another payload of the topic proves nothing", () => {
    const rig = proving();
    assert.equal(rig.offer("other"), "pass");
  });

  test("what comes back is held once more; what then comes back again circles, is dropped and named once", () => {
    const rig = proving();
    rig.nowMs += 10;
    assert.equal(rig.offer("x"), "hold");
    assert.deepEqual(rig.guard.alarms(), []);
    assert.deepEqual(rig.fallQuiet(), ["x"]);
    rig.nowMs += 10;
    assert.equal(rig.offer("x"), "drop");
    assert.deepEqual(rig.guard.alarms(), ["t"]);
    rig.nowMs += 10;
    assert.equal(rig.offer("x"), "drop");
    assert.deepEqual(rig.guard.alarms(), []);
  });

  test("what goes on arriving in the second hold is trusted after all", () => {
    const rig = proving();
    rig.nowMs += 10;
    assert.equal(rig.offer("x"), "hold");
    for (let i = 0; i < 12; i += 1) {
      rig.nowMs += 50;
      rig.offer("x");
      rig.release();
    }
    assert.equal(rig.offer("x"), "pass");
  });
});

describe("the loop guard, looping", () => {
  function looping(): Rig {
    const rig = new Rig();
    rig.untilHeld("x");
    rig.fallQuiet();
    rig.nowMs += 10;
    rig.offer("x");
    rig.fallQuiet();
    rig.nowMs += 10;
    assert.equal(rig.offer("x"), "drop");
    rig.guard.alarms();
    return rig;
  }

  test("a new payload passes once; its return is dropped", () => {
    const rig = looping();
    assert.equal(rig.offer("new"), "pass");
    rig.nowMs += 10;
    assert.equal(rig.offer("new"), "drop");
    assert.equal(rig.offer("x", "other topic"), "pass");
  });

  test("ends 60 s after the last return, and each return puts the end off", () => {
    const rig = looping();
    rig.nowMs += LOOPING_MS;
    assert.equal(rig.offer("x"), "drop");
    rig.nowMs += LOOPING_MS;
    assert.equal(rig.offer("x"), "drop");
    rig.nowMs += LOOPING_MS + 1;
    assert.equal(rig.offer("x"), "pass");
  });
});

test("trust lasts ten seconds, twice as long each further time, an hour at most", () => {
  const rig = new Rig();
  const fourOffers = () =>
    Array.from({ length: 4 }, () => {
      rig.nowMs += 1;
      const verdict = rig.offer("x");
      rig.settled("x");
      return verdict;
    });
  rig.untilHeld("x");
  const doubled = Array.from({ length: 9 }, (_, time) => TRUST_MS * 2 ** time);
  for (const trustMs of [...doubled, 3_600_000, 3_600_000]) {
    // Held, it goes on arriving.
    while (rig.release().length === 0) {
      rig.nowMs += 50;
      rig.offer("x");
    }
    const sinceMs = rig.nowMs;
    rig.nowMs = sinceMs + trustMs - 4;
    assert.deepEqual(fourOffers(), ["pass", "pass", "pass", "pass"]);
    rig.nowMs = sinceMs + trustMs;
    assert.deepEqual(fourOffers(), ["pass", "pass", "hold", "hold"], `after ${trustMs} ms`);
  }
});
