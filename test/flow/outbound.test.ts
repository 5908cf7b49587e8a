import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FRAME_BYTES_MAX, framedSize } from "../../src/wire/frame.ts";
import { framesOf, message, numbers, outbound, STREAM } from "./rig.ts";

const FRAME_ROOM = 1_000_000;

describe("frames", () => {
  test("a lone message leaves at once; a burst shares frames of at most 400 messages", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "a"), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1]]);
    for (let i = 0; i < 500; i += 1) out.offer(message("t", "b"), null, 0);
    assert.deepEqual(
      framesOf(out, 0).map(({ messages }) => messages.length),
      [400, 100],
    );
  });

  test("what is confirmed was under way since its last frame, and with us since it came", () => {
    const { out } = outbound();
    out.offer(message("t", "a"), null, 0);
    out.opened(FRAME_ROOM);
    framesOf(out, 40);
    out.offer(message("t", "b"), null, 40);
    framesOf(out, 40);
    out.settled(STREAM, 1, [], 50);
    assert.deepEqual([out.delays.roundTrip.value.sumMs, out.delays.forward.value.sumMs], [10, 50]);
    out.settled(STREAM, 1, [], 60);
    out.settled(STREAM, 2, [], 70);
    assert.deepEqual([out.delays.roundTrip.value.sumMs, out.delays.forward.value.sumMs], [40, 80]);
  });

  test("close at 64 KiB; a larger message has a frame of its own", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    for (const size of [30_000, 30_000, 30_000, 100_000, 10]) out.offer(message("t", "x".repeat(size)), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1, 2], [3], [4], [5]]);
  });

  test("at most 2,000 messages are under way, and the window opens as the peer confirms", () => {
    const { out } = outbound(10_000_000, "drop_oldest", 64);
    out.opened(FRAME_ROOM);
    for (let i = 0; i < 3_000; i += 1) out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    assert.equal(out.inflight, 2_000);
    assert.deepEqual(framesOf(out, 0), []);
    out.settled(STREAM, 0, [[2, 51]], 1);
    assert.equal(out.inflight, 1_950);
    assert.equal(framesOf(out, 1)[0]?.messages.length, 50);
    assert.equal(out.inflight, 2_000);
  });

  test("at most 4 MiB are under way, a larger message alone; the window opens as the peer confirms", () => {
    const { out } = outbound(100_000_000, "drop_oldest", 64);
    out.opened(16 * 1024 * 1024);
    const mebibyte = "x".repeat(1024 * 1024);
    for (let i = 0; i < 6; i += 1) out.offer(message("t", i === 5 ? mebibyte.repeat(5) : mebibyte), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1], [2], [3]], "a fourth would be a little more than 4 MiB");
    out.settled(STREAM, 1, [], 1);
    assert.deepEqual(numbers(framesOf(out, 1)), [[4]]);
    out.settled(STREAM, 4, [], 2);
    assert.deepEqual(numbers(framesOf(out, 2)), [[5]]);
    out.settled(STREAM, 5, [], 3);
    assert.deepEqual(numbers(framesOf(out, 3)), [[6]]);
  });

  test("a congested connection gets one frame at a time, and what it holds back is known", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    assert.equal(out.isHeldBack, false);
    for (let i = 0; i < 3; i += 1) out.offer(message("t", "x".repeat(60_000)), null, 0);
    out.congested(true);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1]], "with nothing under way nothing would ever go on");
    assert.equal(out.isHeldBack, true);
    out.settled(STREAM, 1, [], 1);
    assert.deepEqual(numbers(framesOf(out, 1)), [[2]]);
    out.congested(false);
    assert.equal(out.isHeldBack, false);
    assert.deepEqual(numbers(framesOf(out, 2)), [[3]]);
    out.congested(true);
    assert.equal(out.isHeldBack, false, "nothing is left");
  });

  test("the first after a connect and every repeated one asks the broker for an answer, the others do not", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    const confirms: boolean[] = [];
    for (let i = 0; i < 3; i += 1) {
      out.offer(message("t", "x"), null, i);
      confirms.push(...framesOf(out, i).map(({ confirm }) => confirm));
    }
    assert.deepEqual(confirms, [true, false, false]);
    out.restart();
    assert.deepEqual(
      framesOf(out, 9).map(({ confirm, resend }) => ({ confirm, resend })),
      [{ confirm: true, resend: true }],
    );
  });

  test("every frame names its base: what is below was settled or given up", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    for (let i = 0; i < 3; i += 1) out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    out.settled(STREAM, 2, [], 1);
    out.offer(message("t", "y"), null, 2);
    assert.deepEqual(
      framesOf(out, 2).map(({ base }) => base),
      [3],
    );
  });
});

describe("resending", () => {
  test("waits a second at first, then twice as long each time, up to the retry interval", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 6; i += 1) {
      waits.push(out.deadlineMs - nowMs);
      nowMs = out.deadlineMs;
      assert.equal(out.tick(nowMs), true);
      assert.deepEqual(numbers(framesOf(out, nowMs)), [[1]]);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    out.settled(STREAM, 1, [], nowMs + 10);
    assert.equal(out.inflight, 0);
    out.offer(message("t", "y"), null, nowMs + 20);
    framesOf(out, nowMs + 20);
    assert.equal(out.deadlineMs - (nowMs + 20), 1_000, "a confirmation ends the long waits");
  });

  test("repeats only what is not settled, and what comes new follows behind", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    for (let i = 0; i < 4; i += 1) out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    out.settled(STREAM, 1, [[3, 3]], 1);
    out.offer(message("t", "x"), null, 2);
    out.tick(out.deadlineMs);
    assert.deepEqual(numbers(framesOf(out, 5_000)), [[2, 4, 5]]);
    assert.equal(out.inflight, 3);
  });

  test("a slow link waits four round trips before it repeats", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    out.settled(STREAM, 1, [], 600);
    assert.equal(out.roundTripMs, 600);
    out.offer(message("t", "y"), null, 700);
    framesOf(out, 700);
    assert.equal(out.deadlineMs, 700 + 2_400);
  });

  test("a confirmation older than the connection, or of what was never sent, harms nothing", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "a"), null, 0);
    framesOf(out, 0);
    out.settled(STREAM, 1, [], 1);
    assert.deepEqual(out.settled(STREAM, 1, [[1, 1]], 2), []);
    assert.deepEqual(out.settled(STREAM, 99, [[100, 2 ** 40]], 3), []);
    out.offer(message("t", "b"), null, 4);
    assert.deepEqual(numbers(framesOf(out, 4)), [[2]]);
    assert.equal(out.inflight, 1);
  });

  test("what the peer settled while the connection was away does not go again", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    for (const text of ["a", "b"]) out.offer(message("t", text), null, 0);
    framesOf(out, 0);
    out.closed();
    assert.deepEqual(
      out.settled(STREAM, 1, [], 5).map(({ payload }) => new TextDecoder().decode(payload)),
      ["a"],
    );
    out.opened(FRAME_ROOM);
    assert.deepEqual(numbers(framesOf(out, 6)), [[2]]);
    assert.equal(out.inflight, 1);
  });

  test("a clock that goes back makes no round trip negative and no message live longer", () => {
    const { out } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x", 1, 1_000), null, 100_000);
    const [frame] = framesOf(out, 50_000);
    assert.equal(frame?.messages[0]?.message.expiryMs, 1_000);
    out.settled(STREAM, 1, [], 20_000);
    assert.equal(out.roundTripMs, 0);
  });
});

describe("limits of what goes out", () => {
  test("messages too old for the spool go at its deadline, also while the peer is away", () => {
    const { out, drops } = outbound();
    out.offer(message("t", "x"), null, 5);
    assert.equal(out.deadlineMs, 5 + 60_000 + 1);
    assert.equal(out.tick(out.deadlineMs), false);
    assert.deepEqual(drops, ["spool_age 1"]);
    assert.equal(out.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("a dropped message that was under way leaves its place in the window", () => {
    const { out, drops } = outbound(3 * (framedSize(message("t", "x")) ?? 0));
    out.opened(FRAME_ROOM);
    for (let i = 0; i < 3; i += 1) out.offer(message("t", "x"), null, 0);
    framesOf(out, 0);
    assert.equal(out.inflight, 3);
    out.offer(message("t", "x"), null, 1);
    assert.deepEqual(drops, ["spool_full 1"]);
    assert.equal(out.inflight, 2);
    assert.deepEqual(numbers(framesOf(out, 1)), [[4]]);
    assert.equal(out.inflight, 3);
    out.settled(STREAM, 4, [], 2);
    assert.equal(out.inflight, 0);
  });

  test("a message that expires under way is not repeated, and counted once", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x", 1, 500), null, 0);
    framesOf(out, 0);
    out.tick(out.deadlineMs);
    assert.deepEqual(framesOf(out, 1_000), []);
    assert.deepEqual(drops, ["expired 1"]);
    assert.equal(out.lanes.main.spool.depth, 0);
    assert.equal(out.inflight, 0);
  });

  test("what waits when a peer with a smaller limit connects is dropped then, with its reason", () => {
    const { out, drops } = outbound();
    out.offer(message("t", "x".repeat(600)), null, 0);
    out.offer(message("t", "small"), null, 0);
    out.opened(500);
    assert.deepEqual(numbers(framesOf(out, 0)), [[2]]);
    assert.deepEqual(drops, ["too_large 1"]);
  });

  test("no peer can raise the limit of a frame above the wire format's own", () => {
    const { out, drops } = outbound();
    out.opened(2 ** 50);
    out.offer({ ...message("t", "", 0), payload: new Uint8Array(FRAME_BYTES_MAX) }, null, 0);
    assert.deepEqual(drops, ["too_large 1"]);
  });

  test("best-effort messages that wait for a congested connection go with it, counted", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.congested(true);
    for (let i = 0; i < 3; i += 1) out.offer(message("t", "x", 0), null, 0);
    assert.equal(out.bestEffortQueued, 3);
    out.closed();
    assert.deepEqual(drops, ["peer_away 3"]);
    out.opened(FRAME_ROOM);
    assert.deepEqual(framesOf(out, 1), []);
  });

  test("best-effort messages past 16 MiB push out the oldest", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_BYTES_MAX);
    out.congested(true);
    const payload = new Uint8Array(5_000_000);
    for (let i = 0; i < 4; i += 1) out.offer({ ...message(`t/${i}`, "", 0), payload }, null, 0);
    assert.deepEqual(drops, ["best_effort_full 1"]);
    out.congested(false);
    assert.deepEqual(
      framesOf(out, 0).flatMap(({ messages }) => messages.map(({ message: { topic } }) => topic)),
      ["t/1", "t/2", "t/3"],
    );
  });

  test("a best-effort message that expires in the queue is dropped with that reason", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.congested(true);
    out.offer(message("t", "x", 0, 100), null, 0);
    out.offer(message("t", "y", 0, 1_000), null, 0);
    out.congested(false);
    assert.deepEqual(
      framesOf(out, 100).flatMap(({ messages }) => messages.map(({ message: { expiryMs } }) => expiryMs)),
      [900],
    );
    assert.deepEqual(drops, ["expired 1"]);
  });

  test("best-effort messages fill up frames of reliable ones, and do not wait for their window", () => {
    const { out } = outbound(10_000_000, "drop_oldest", 1);
    out.opened(FRAME_ROOM);
    out.offer(message("t", "a"), null, 0);
    out.offer(message("t", "b", 0), null, 0);
    assert.deepEqual(numbers(framesOf(out, 0)), [[1, null]]);
    out.offer(message("t", "c"), null, 1);
    out.offer(message("t", "d", 0), null, 1);
    assert.deepEqual(numbers(framesOf(out, 1)), [[null]], "the window is full, best effort goes on");
  });
});

describe("a broker's refusal of a frame", () => {
  test("for its size, of one message alone, costs that message and its place in the window", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x"), null, 0);
    const [frame] = framesOf(out, 0);
    assert.ok(frame);
    out.refused(frame.id, 0x95);
    out.refused(frame.id, 0x95);
    assert.deepEqual(drops, ["too_large 1"]);
    assert.equal(out.inflight, 0);
  });

  test("for another reason, or of a frame long gone, changes nothing: the messages come again", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x"), null, 0);
    const [frame] = framesOf(out, 0);
    assert.ok(frame);
    for (const reasonCode of [0x80, 0x87, 0x97]) out.refused(frame.id, reasonCode);
    out.refused(frame.id + 1_000, 0x95);
    assert.deepEqual(drops, []);
    out.tick(out.deadlineMs);
    assert.deepEqual(numbers(framesOf(out, 2_000)), [[1]]);
  });

  test("of best-effort messages alone changes nothing", () => {
    const { out, drops } = outbound();
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x", 0), null, 0);
    const [frame] = framesOf(out, 0);
    assert.ok(frame?.confirm);
    out.refused(frame.id, 0x95);
    assert.deepEqual(drops, []);
  });

  test("can be placed for the last 256 frames that asked for an answer", () => {
    const { out, drops } = outbound(1_000_000, "drop_oldest", 4, 3_600_000_000);
    const ids: number[] = [];
    out.opened(FRAME_ROOM);
    out.offer(message("t", "x"), null, 0);
    for (let i = 0, nowMs = 0; i < 257; i += 1) {
      ids.push(...framesOf(out, nowMs).map(({ id }) => id));
      nowMs += 15_000;
      assert.ok(out.tick(nowMs), "repeated");
    }
    assert.equal(ids.length, 257);
    out.refused(ids[0] ?? 0, 0x95);
    assert.deepEqual(drops, [], "forgotten");
    out.refused(ids[1] ?? 0, 0x95);
    assert.deepEqual(drops, ["too_large 1"]);
  });
});
