import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InboundMessage } from "../../src/flow/inbound.ts";
import type { Frame, FramedMessage } from "../../src/wire/message.ts";
import { frame, inbound, message, STREAM } from "./rig.ts";

const texts = (messages: readonly InboundMessage[]) =>
  messages.map(({ message: { payload } }) => new TextDecoder().decode(payload));
const tokens = (messages: readonly InboundMessage[]) => messages.map(({ token }) => token ?? -1);
const named = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${from + i}`);

function bestEffort(...names: readonly string[]): Frame {
  return {
    ...frame(1, []),
    messages: names.map((text) => ({ number: null, message: message("t", text, 0), origin: null })),
  };
}

/** Takes the next message to the local broker and answers `reasonCode`. */
function answer(into: ReturnType<typeof inbound>["into"], reasonCode: number, nowMs: number): string[] {
  const messages = into.pump(0, nowMs);
  for (const { token } of messages) if (token !== null) into.republished(token, reasonCode, nowMs);
  return texts(messages);
}

describe("what the local broker answers", () => {
  test("0x00 and 0x10 settle the message; refusals for good settle it too, dropped and counted", () => {
    for (const [reasonCode, dropped] of [
      [0x00, false],
      [0x10, false],
      [0x87, true],
      [0x90, true],
      [0x95, true],
      [0x99, true],
    ] as const) {
      const { into, drops } = inbound();
      into.frame(frame(1, ["a"]), 10, 0, 0);
      answer(into, reasonCode, 0);
      assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }], `0x${reasonCode.toString(16)}`);
      assert.deepEqual(drops, dropped ? ["refused_by_broker 1"] : []);
      assert.deepEqual([into.pending, into.inflight, into.deadlineMs], [0, 0, Number.POSITIVE_INFINITY]);
    }
  });

  test("over quota (0x97) the message waits, twice as long each time up to 30 s, and is never given up", () => {
    const { into, drops } = inbound();
    into.frame(frame(1, ["a"]), 10, 0, 0);
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 9; i += 1) {
      assert.deepEqual(answer(into, 0x97, nowMs), ["a"]);
      assert.deepEqual(into.pump(0, into.deadlineMs - 1), []);
      waits.push(into.deadlineMs - nowMs);
      nowMs = into.deadlineMs;
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    assert.deepEqual(into.settlements(), []);
    answer(into, 0x00, nowMs);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
    assert.deepEqual(drops, []);
  });

  test("an unspecified error (0x80, 0x83) that stays holds the others back for half a minute, not for ever", () => {
    for (const reasonCode of [0x80, 0x83]) {
      const { into, drops } = inbound();
      into.frame(frame(1, ["poison"]), 10, 0, 0);
      let nowMs = 0;
      let tries = 0;
      for (; drops.length === 0; nowMs = into.deadlineMs) {
        answer(into, reasonCode, nowMs);
        tries += 1;
      }
      assert.equal(tries, 6);
      assert.deepEqual(drops, ["refused_by_broker 1"]);
      assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
    }
  });

  test("several busy answers put the messages back in their order, before what came later", () => {
    const { into } = inbound();
    into.frame(frame(1, ["a", "b", "c", "d"]), 10, 0, 0);
    const [a = 0, b = 0, c = 0, d = 0] = tokens(into.pump(0, 0));
    into.frame(frame(5, ["e"]), 10, 0, 0);
    into.republished(c, 0x97, 1);
    into.republished(a, 0x97, 2);
    into.republished(d, 0x00, 3);
    into.republished(b, 0x97, 4);
    assert.equal(into.pending, 3);
    assert.deepEqual(into.pump(0, 5), []);
    assert.deepEqual(texts(into.pump(0, into.deadlineMs)), ["a", "b", "c", "e"]);
  });

  test("an answer nobody waits for changes nothing", () => {
    const { into } = inbound();
    into.republished(77, 0x00, 0);
    into.frame(frame(1, ["a"]), 10, 0, 0);
    const [a = 0] = tokens(into.pump(0, 0));
    into.republished(a, 0x00, 1);
    into.republished(a, 0x97, 2);
    assert.deepEqual([into.pending, into.inflight], [0, 0]);
  });
});

describe("while the local broker is away", () => {
  test("reliable messages wait in order; those that were under way go first, also the ones that waited for a busy broker", () => {
    const { into } = inbound();
    into.frame(frame(1, ["a", "b", "c"]), 10, 0, 0);
    const [a = 0, b = 0] = tokens(into.pump(0, 0));
    into.republished(b, 0x97, 1);
    into.republished(a, null, 2);
    into.localDown();
    assert.equal(into.deadlineMs, Number.POSITIVE_INFINITY);
    into.frame(frame(4, ["d"]), 10, 0, 3);
    assert.deepEqual(into.pump(0, 3), []);
    into.localUp();
    assert.deepEqual(texts(into.pump(0, 4)), ["a", "b", "c", "d"]);
    into.republished(a, 0x00, 5);
    assert.equal(into.inflight, 4, "an answer from the lost connection is nobody's");
  });

  test("best-effort messages are dropped, counted, and nothing waits for them", () => {
    const { into, drops } = inbound();
    into.localDown();
    into.frame(bestEffort("x", "y"), 10, 0, 0);
    assert.deepEqual(into.pump(0, 0), []);
    assert.deepEqual(drops, ["local_away 1", "local_away 1"]);
    into.localUp();
    into.frame(bestEffort("z"), 10, 0, 1);
    assert.deepEqual(into.pump(0, 1), [{ token: null, message: message("t", "z", 0), origin: null }]);
  });

  test("the time a message waits here is taken off its expiry, and past it the message is dropped and settled", () => {
    const { into, drops } = inbound();
    into.localDown();
    const framed = (number: number, expiryMs: number): FramedMessage => ({
      number,
      message: message("t", `${number}`, 1, expiryMs),
      origin: null,
    });
    into.frame({ ...frame(1, []), messages: [framed(1, 2_000), framed(2, 5_000)] }, 10, 500, 1_000);
    into.pump(0, 1_000);
    into.localUp();
    assert.deepEqual(
      into.pump(0, 3_000).map(({ message: { expiryMs } }) => expiryMs),
      [2_500],
    );
    assert.deepEqual(drops, ["expired 1"]);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
  });
});

describe("limits of what comes in", () => {
  test("500 messages are under way at the local broker, the next goes when one is answered", () => {
    const { into } = inbound();
    into.frame(frame(1, named(1, 600)), 10, 0, 0);
    const [first = 0, ...rest] = tokens(into.pump(0, 0));
    assert.equal(rest.length, 499);
    assert.deepEqual(into.pump(0, 0), []);
    into.republished(first, 0x00, 1);
    assert.deepEqual(texts(into.pump(0, 1)), ["501"]);
  });

  test("with 20,000 waiting messages no frame is opened; nothing is lost, and all come in order", () => {
    const { into, drops } = inbound();
    into.localDown();
    for (let i = 0; i < 5; i += 1) into.frame(frame(1 + i * 10_000, named(i * 10_000, 10_000)), 10, 0, 0);
    into.pump(0, 0);
    assert.equal(into.pending, 20_000);
    assert.equal(into.deadlineMs, Number.POSITIVE_INFINITY, "a deadline now would only turn the loop");
    into.localUp();
    let delivered = 0;
    for (let nowMs = 1; delivered < 50_000; nowMs += 1) {
      const messages = into.pump(0, nowMs);
      assert.ok(messages.length > 0 && into.pending < 20_000 + 10_000);
      for (const {
        token,
        message: { payload },
      } of messages) {
        assert.equal(new TextDecoder().decode(payload), `${delivered}`);
        delivered += 1;
        if (token !== null) into.republished(token, 0x00, nowMs);
      }
    }
    assert.deepEqual(drops, []);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 50_000, ranges: [] }]);
  });

  test("past 64 MiB of waiting payload no frame is opened either", () => {
    const { into } = inbound();
    into.localDown();
    const payload = new Uint8Array(16 * 1024 * 1024);
    for (let i = 1; i <= 6; i += 1)
      into.frame(
        { ...frame(1, []), messages: [{ number: i, message: { ...message("t", ""), payload }, origin: null }] },
        10,
        0,
        0,
      );
    into.pump(0, 0);
    assert.equal(into.pending, 4);
    into.localUp();
    const messages = into.pump(0, 1);
    for (const token of tokens(messages)) into.republished(token, 0x00, 1);
    assert.equal(messages.length, 4);
    assert.equal(into.pump(0, 2).length, 2);
  });

  test("16,384 frames wait for their operation, the next is dropped whole and may come again", () => {
    const { into, drops } = inbound();
    for (let i = 1; i <= 16_385; i += 1) into.frame(frame(i, ["x"], { routeOp: 1 }), 10, 0, 0);
    assert.deepEqual(drops, ["gate_full 1"]);
  });

  test("16 MiB of frames behind a gap give way, the farthest first, to the frame that closes it", () => {
    const { into, drops } = inbound();
    const mebibyte = 1024 * 1024;
    for (let number = 2; number <= 17; number += 1) into.frame(frame(number, [`${number}`]), mebibyte, 0, 0);
    assert.deepEqual(into.pump(0, 0), []);
    assert.deepEqual([into.waitingBytes, drops], [16 * mebibyte, []]);
    into.frame(frame(1, ["1"]), mebibyte, 0, 1);
    assert.deepEqual(drops, ["gate_full 1"]);
    assert.deepEqual(texts(into.pump(0, 1)), named(1, 16));
    assert.equal(into.waitingBytes, 0);
    into.frame(frame(17, ["17"]), mebibyte, 0, 2);
    assert.deepEqual(texts(into.pump(0, 2)), ["17"], "what gave way comes again");
  });

  test("a number far beyond what an honest sender has under way is no repetition", () => {
    const { into, drops } = inbound();
    into.frame(frame(70_000, ["x"]), 10, 0, 0);
    assert.deepEqual(into.pump(0, 0), []);
    assert.deepEqual(drops, ["beyond_window 1"]);
  });

  test("the records of four streams are kept, the one not heard for longest goes for a fifth", () => {
    const { into } = inbound();
    const streams = ["01", "02", "03", "04", "05"].map((end) => `00000000000000${end}`);
    // The first one goes on all the time.
    for (const stream of streams.flatMap((each) => [each, streams[0] ?? ""])) {
      into.frame({ ...frame(1, ["x"]), stream }, 10, 0, 0);
      answer(into, 0x00, 0);
    }
    into.settlements();
    const repeated = (stream: string) => {
      into.frame({ ...frame(1, ["x"]), stream }, 10, 0, 1);
      return into.pump(0, 1).length === 0;
    };
    assert.deepEqual(
      [streams[0], streams[4], streams[1]].map((stream) => repeated(stream ?? "")),
      [true, true, false],
    );
  });
});

describe("the gate", () => {
  test("opens frames in the order they came, so one that must wait holds back the later ones", () => {
    const { into } = inbound();
    into.frame(frame(1, ["late"], { routeOp: 5 }), 10, 0, 0);
    into.frame(frame(2, ["early"], { routeOp: 1 }), 10, 0, 0);
    assert.deepEqual(into.pump(4, 1), []);
    assert.deepEqual(texts(into.pump(5, 2)), ["late", "early"]);
  });

  test("frames that wait for one lost operation wait for it together, one second from their own arrival", () => {
    const { into, timeouts } = inbound();
    into.frame(frame(1, ["a"], { routeOp: 5 }), 10, 0, 0);
    into.frame(frame(2, ["b"], { routeOp: 5 }), 10, 0, 400);
    assert.deepEqual(texts(into.pump(0, 1_000)), ["a"]);
    assert.equal(into.deadlineMs, 1_400);
    assert.deepEqual(texts(into.pump(0, 1_400)), ["b"]);
    assert.equal(timeouts(), 2);
  });

  test("drops and counts what waits when the peer starts a new life; what was let in before goes on", () => {
    const { into, drops } = inbound();
    into.frame(frame(1, ["in"]), 10, 0, 0);
    const [token = 0] = tokens(into.pump(0, 0));
    into.frame(frame(2, ["b", "c"], { routeOp: 9 }), 10, 0, 0);
    into.speakerChanged();
    assert.deepEqual(drops, ["speaker_changed 2"]);
    assert.deepEqual(into.pump(9, 1), []);
    assert.equal(into.deadlineMs, Number.POSITIVE_INFINITY);
    into.republished(token, 0x00, 2);
    assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 1, ranges: [] }]);
    into.frame(frame(2, ["b", "c"]), 10, 0, 3);
    assert.deepEqual(texts(into.pump(0, 3)), ["b", "c"], "they come again under the new life");
  });
});
