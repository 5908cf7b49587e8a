import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame, framesOf, inbound, message, numbers, outbound, STREAM } from "./rig.ts";

describe("outbound", () => {
  test("numbers reliable messages from 1, and frees them only on the peer's word", () => {
    const { out } = outbound();
    out.opened(1_000_000);
    for (const text of ["a", "b", "c"]) out.offer(message("t", text), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1, 2, 3]]);
    assert.deepEqual(numbers(framesOf(out, 1)), []);
    assert.equal(out.lanes.main.spool.depth, 3);
    out.settled(STREAM, 1, [[3, 3]], 10);
    assert.equal(out.lanes.main.spool.depth, 1);
    assert.equal(out.lanes.main.spool.base, 2);
    out.settled(STREAM, 2, [], 20);
    assert.equal(out.lanes.main.spool.depth, 0);
    assert.equal(out.lanes.main.spool.base, 4);
    assert.equal(out.inflight, 0);
  });

  test("repeats with the same numbers what is not confirmed in time, asking for an answer", () => {
    const { out } = outbound();
    out.opened(1_000_000);
    out.offer(message("t", "a"), null, 0);
    out.offer(message("t", "b"), null, 0);
    framesOf(out, 0);
    out.settled(STREAM, 0, [[2, 2]], 10);
    assert.equal(out.tick(out.deadlineMs - 1), false);
    const atMs = out.deadlineMs;
    assert.equal(out.tick(atMs), true);
    const [frame] = framesOf(out, atMs);
    assert.ok(frame);
    assert.deepEqual(numbers([frame]), [[1]]);
    assert.equal(frame.confirm, true);
    assert.equal(frame.resend, true);
    assert.ok(out.deadlineMs - atMs > 1_000, "the next wait is longer");
  });

  test("after a reconnect what was under way goes first, and again with its numbers", () => {
    const { out } = outbound();
    out.opened(1_000_000);
    out.offer(message("t", "a"), null, 0);
    framesOf(out, 0);
    out.closed();
    out.offer(message("t", "b"), null, 5);
    assert.deepEqual(framesOf(out, 5), []);
    out.opened(1_000_000);
    assert.deepEqual(numbers(framesOf(out, 6)), [[1, 2]]);
  });

  test("keeps to the window of frames", () => {
    const { out } = outbound();
    out.opened(1_000_000);
    for (let i = 0; i < 2_500; i += 1) out.offer(message("t", `${i}`), null, 0);
    const frames = framesOf(out, 0);
    assert.equal(frames.length, 4);
    assert.equal(out.inflight, 1_600);
    out.settled(STREAM, 400, [], 1);
    assert.equal(framesOf(out, 1).length, 1);
  });

  test("a full spool gives up the oldest, counted, and the base says so", () => {
    const { out, drops } = outbound(1_000);
    out.opened(1_000_000);
    for (let i = 0; i < 20; i += 1) out.offer(message("t", `${i}`), null, 0);
    assert.ok(drops.length > 0 && drops.every((drop) => drop.startsWith("spool_full")));
    const [frame] = framesOf(out, 0);
    assert.ok(frame);
    assert.equal(frame.base, frame.messages[0]?.number);
    assert.ok(frame.base > 1);
    assert.equal(frame.messages.at(-1)?.number, 20);
    assert.ok(out.lanes.main.spool.bytes <= 1_000);
  });

  test("or refuses the newest, as configured", () => {
    const { out, drops } = outbound(1_000, "drop_newest");
    for (let i = 0; i < 20; i += 1) out.offer(message("t", `${i}`), null, 0);
    assert.ok(drops.length > 0);
    assert.equal(out.lanes.main.spool.base, 1);
    assert.equal(out.lanes.main.spool.lastNumber + drops.length, 20);
  });

  test("gives up what is too old, and what has expired, each with its reason", () => {
    const { out, drops } = outbound();
    out.offer(message("t", "short", 1, 500), null, 0);
    out.offer(message("t", "long", 1, 5_000), null, 0);
    out.opened(1_000_000);
    const [frame] = framesOf(out, 1_000);
    assert.deepEqual(drops, ["expired 1"]);
    assert.deepEqual(
      frame?.messages.map(({ message: { expiryMs } }) => expiryMs),
      [4_000],
    );
    out.closed();
    out.tick(60_001);
    assert.deepEqual(drops, ["expired 1", "spool_age 1"]);
    assert.equal(out.lanes.main.spool.depth, 0);
  });

  test("best-effort messages have no number, wait for no window, and are dropped when the peer is away", () => {
    const { out, drops } = outbound();
    out.offer(message("t", "a", 0), null, 0);
    assert.deepEqual(drops, ["peer_away 1"]);
    out.opened(1_000_000);
    out.offer(message("t", "b", 0), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[null]]);
    out.congested(true);
    for (let i = 0; i < 20_005; i += 1) out.offer(message("t", "c", 0), null, 0);
    assert.deepEqual(framesOf(out, 1), []);
    assert.equal(drops.filter((drop) => drop === "best_effort_full 1").length, 5);
  });

  test("a message above the peer's limit is dropped with its reason, the link goes on", () => {
    const { out, drops } = outbound();
    out.opened(500);
    out.offer(message("t", "x".repeat(600)), null, 0);
    out.offer(message("t", "small"), null, 0);
    assert.deepEqual(drops, ["too_large 1"]);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1]]);
  });

  test("a frame that a broker finds too large is tried in smaller ones, a lone message is given up", () => {
    const { out, drops } = outbound();
    out.opened(1_000_000);
    out.offer(message("t", "a".repeat(100)), null, 0);
    out.offer(message("t", "b".repeat(100)), null, 0);
    const [both] = framesOf(out, 0);
    assert.ok(both?.confirm);
    for (let i = 0; i < 12; i += 1) out.refused(both.id, 0x95);
    const single = framesOf(out, 1);
    assert.deepEqual(numbers(single), [[1], [2]]);
    assert.ok(single[0]);
    out.refused(single[0].id, 0x95);
    assert.deepEqual(drops, ["too_large 1"]);
    assert.equal(out.lanes.main.spool.base, 2);
  });

  test("a broker's limit is learnt once: frames stay just below half of what it refused, larger messages go no more", () => {
    const LIMIT_BYTES = 20_000;
    const { out, drops } = outbound();
    out.opened(1_000_000);
    for (let n = 0; n < 40; n += 1) {
      out.offer(message("t", "x".repeat(n % 10 === 5 ? LIMIT_BYTES : 4_000)), null, 0);
    }
    let rounds = 0;
    for (let nowMs = 0; out.lanes.main.spool.depth > 0 && rounds < 20; nowMs += 10) {
      const frames = framesOf(out, nowMs);
      rounds += frames.length > 0 ? 1 : 0;
      const sizes = frames.map(({ messages }) =>
        messages.reduce((sum, { message: { payload } }) => sum + payload.length, 0),
      );
      frames.forEach((frame, at) => {
        const fits = (sizes[at] ?? 0) < LIMIT_BYTES;
        if (fits)
          out.settled(
            STREAM,
            0,
            numbers([frame]).flatMap(([first]) =>
              frame.messages.map((_, n) => [(first ?? 0) + n, (first ?? 0) + n] as const),
            ),
            nowMs,
          );
        else if (frame.confirm) out.refused(frame.id, 0x95);
      });
      if (out.deadlineMs <= nowMs + 10) out.tick(nowMs + 10);
    }
    assert.equal(out.lanes.main.spool.depth, 0);
    assert.ok(rounds <= 12, `${rounds} rounds`);
    assert.deepEqual(drops, ["too_large 1", "too_large 1", "too_large 1", "too_large 1"]);
    out.offer(message("t", "x".repeat(4_000)), null, 0);
    out.offer(message("t", "x".repeat(4_000)), null, 0);
    assert.deepEqual(framesOf(out, 9_000).length, 1, "and they are no smaller than they must be");
    out.offer(message("t", "x".repeat(LIMIT_BYTES)), null, 0);
    assert.deepEqual(drops.length, 5, "known to be too large, it is not even tried");
  });
});

describe("inbound", () => {
  test("settles a message only after the local broker has taken it", () => {
    const { into } = inbound();
    into.frame(frame(1, ["a", "b"]), 10, 0, 0);
    const [a, b] = into.pump(0, 0);
    assert.deepEqual(into.settlements(), []);
    assert.ok(a?.token != null && b?.token != null);
    into.republished(b.token, 0x10, 1);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 0, ranges: [[2, 2]] }]);
    into.republished(a.token, 0, 2);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 2, ranges: [] }]);
    assert.deepEqual(into.settlements(), []);
  });

  test("a repeated number is not republished, and settled again if it was", () => {
    const { into, drops } = inbound();
    into.frame(frame(1, ["a"]), 10, 0, 0);
    const [first] = into.pump(0, 0);
    into.frame(frame(1, ["a"]), 10, 0, 1);
    assert.deepEqual(into.pump(0, 1), []);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 0, ranges: [] }], "in hand, and said to be so");
    assert.ok(first?.token != null);
    into.republished(first.token, 0, 2);
    into.settlements();
    into.frame(frame(1, ["a"]), 10, 0, 3);
    assert.deepEqual(into.pump(0, 3), []);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
    assert.deepEqual(drops, ["duplicate 1", "duplicate 1"]);
  });

  test("a frame waits for the route operation it names, one second at most", () => {
    const { into, timeouts } = inbound();
    into.frame(frame(1, ["a"], { routeOp: 7 }), 10, 0, 0);
    assert.deepEqual(into.pump(6, 0), []);
    assert.equal(into.deadlineMs, 1_000);
    assert.equal(into.pump(7, 500).length, 1);
    into.frame(frame(2, ["b"], { routeOp: 9 }), 10, 0, 600);
    assert.deepEqual(into.pump(8, 1_599), []);
    assert.equal(into.pump(8, 1_600).length, 1);
    assert.equal(timeouts(), 1);
  });

  test("takes only what the link asked for: no reserved, wildcard or control topics", () => {
    const { into, drops } = inbound(["t/#"]);
    for (const topic of ["$SYS/x", "_link/v1/a/b/ctl", "t/+", "u"]) into.frame(frame(1, ["x"], { topic }), 10, 0, 0);
    assert.deepEqual(into.pump(0, 0), []);
    assert.deepEqual(drops.map((drop) => drop.split(" ")[0]).slice(0, 1), ["reserved_topic"]);
    const { into: other, drops: reasons } = inbound(["t/#"]);
    ["$SYS/x", "_link/v1/a/b/ctl", "t/+", "u"].forEach((topic, at) => {
      other.frame(frame(at + 1, ["x"], { topic }), 10, 0, 0);
    });
    assert.deepEqual(other.pump(0, 0), []);
    assert.deepEqual(reasons, ["reserved_topic 1", "reserved_topic 1", "bad_topic 1", "not_in_topics 1"]);
    assert.deepEqual(other.settlements(), [{ stream: STREAM, upTo: 4, ranges: [] }], "never asked for again");
  });

  test("what was under way when the data session broke goes again, first and in order", () => {
    const { into } = inbound();
    into.frame(frame(1, ["a", "b", "c"]), 10, 0, 0);
    into.pump(0, 0);
    into.localDown();
    into.frame(frame(4, ["d"]), 10, 0, 1);
    assert.deepEqual(into.pump(0, 1), []);
    into.localUp();
    const texts = into.pump(0, 2).map(({ message: { payload } }) => new TextDecoder().decode(payload));
    assert.deepEqual(texts, ["a", "b", "c", "d"]);
  });

  test("a busy broker gets the message again, in order; one that refuses for good settles it", () => {
    const { into, drops } = inbound();
    into.frame(frame(1, ["a"]), 10, 0, 0);
    const [first] = into.pump(0, 0);
    assert.ok(first?.token != null);
    into.republished(first.token, 0x97, 10);
    assert.deepEqual(into.pump(0, 500), []);
    const [again] = into.pump(0, 1_010);
    assert.ok(again?.token != null);
    into.republished(again.token, 0x87, 1_020);
    assert.deepEqual(drops, ["refused_by_broker 1"]);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
  });

  test("numbers below the sender's base are never waited for", () => {
    const { into } = inbound();
    into.frame(frame(5, ["e"], { base: 5 }), 10, 0, 0);
    const [e] = into.pump(0, 0);
    assert.ok(e?.token != null);
    into.republished(e.token, 0, 1);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 5, ranges: [] }]);
  });

  test("the time a frame lay in a broker is taken off the expiry", () => {
    const { into, drops } = inbound();
    const framed = { number: 1, message: message("t", "x", 1, 3_000), origin: null };
    into.frame({ ...frame(1, []), messages: [framed] }, 10, 2_000, 0);
    assert.deepEqual(
      into.pump(0, 0).map(({ message: { expiryMs } }) => expiryMs),
      [1_000],
    );
    into.frame({ ...frame(1, []), messages: [{ ...framed, number: 2 }] }, 10, 4_000, 0);
    assert.deepEqual(into.pump(0, 0), []);
    assert.deepEqual(drops, ["expired 1"]);
  });

  test("frames past the waiting limit are dropped whole, counted, and may come again", () => {
    const { into, drops } = inbound();
    into.frame(frame(1, ["a"], { routeOp: 9 }), 16 * 1024 * 1024, 0, 0);
    into.frame(frame(2, ["b"], { routeOp: 9 }), 10, 0, 0);
    assert.deepEqual(drops, ["gate_full 1"]);
    assert.equal(into.pump(9, 1).length, 1);
    into.frame(frame(2, ["b"], { routeOp: 9 }), 10, 0, 2);
    assert.equal(into.pump(9, 2).length, 1);
  });
});
