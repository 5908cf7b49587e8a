import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Incoming } from "../../src/emqx/incoming.ts";
import { MessageIds } from "../../src/emqx/message-ids.ts";
import { Outgoing } from "../../src/emqx/outgoing.ts";
import type { Frame, FramedMessage, Message } from "../../src/wire/message.ts";

const T0 = 1_000_000;

function message(text: string, qos: 0 | 1 = 1): Message {
  return {
    topic: "t/1",
    payload: new TextEncoder().encode(text),
    qos,
    retain: false,
    properties: null,
    expiryMs: null,
  };
}

function frame(numbers: readonly (number | null)[], more: Partial<Frame> = {}): Frame {
  const messages: FramedMessage[] = numbers.map((number) => ({
    number,
    message: message(`m${number ?? "q0"}`, number === null ? 0 : 1),
    origin: null,
  }));
  const speaker = { incarnation: 1, instance: "0000000000000001" };
  return { speaker, routeOp: 0, stream: "00000000000000aa", base: 1, messages, ...more };
}

class Out {
  readonly dropped: string[] = [];
  readonly ids = new MessageIds("test");
  readonly outgoing = new Outgoing(
    (nowMs) => this.ids.next(nowMs),
    (reason, count) => this.dropped.push(`${reason} ${count}`),
  );

  pump(nowMs = T0, readyOp = 0): string[] {
    return this.outgoing
      .pump(readyOp, nowMs)
      .map(({ token, message: { payload } }) => `${token} ${new TextDecoder().decode(payload)}`);
  }

  get upTo(): number | null {
    return this.outgoing.news()?.upTo ?? null;
  }
}

describe("out to EMQX", () => {
  test("messages go in order, and are settled by EMQX's own word", () => {
    const out = new Out();
    out.outgoing.frame(frame([1, null, 2]), T0);
    assert.deepEqual(out.pump(), [], "there is no connection");
    assert.deepEqual(out.dropped, ["peer_away 1"]);
    out.outgoing.connected();
    assert.deepEqual(out.pump(), ["1 m1", "2 m2"]);
    assert.equal(out.upTo, null);
    assert.equal(out.outgoing.answered(2, 0x10, T0), false);
    out.outgoing.answered(1, 0x00, T0);
    assert.equal(out.upTo, 2);
    assert.equal(out.upTo, null);
  });

  test("best effort goes along, and nobody waits for it", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, null, 2]), T0);
    assert.deepEqual(out.pump(), ["1 m1", "2 mq0", "3 m2"]);
    out.outgoing.answered(1, 0, T0);
    out.outgoing.answered(3, 0, T0);
    assert.equal(out.upTo, 2);
  });

  test("what was under way goes again, first and in order, under the same identifiers", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, 2, 3]), T0);
    const first = out.outgoing.pump(0, T0).map(({ id }) => [...id]);
    out.outgoing.answered(2, 0, T0);
    out.outgoing.answered(1, null, T0);
    out.outgoing.disconnected();
    out.outgoing.frame(frame([4]), T0);
    out.outgoing.connected();
    const again = out.outgoing.pump(0, T0);
    assert.deepEqual(
      again.map(({ message: { payload } }) => new TextDecoder().decode(payload)),
      ["m1", "m3", "m4"],
    );
    assert.deepEqual([...(again[0]?.id ?? [])], first[0]);
    assert.deepEqual([...(again[1]?.id ?? [])], first[2]);
  });

  test("a repetition of the hub's is answered and not sent twice", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, 2]), T0);
    out.pump();
    out.outgoing.news();
    out.outgoing.frame(frame([1, 2]), T0 + 1_000);
    assert.deepEqual(out.pump(), []);
    assert.equal(out.upTo, 0, "it is heard, and not settled yet");
  });

  test("numbers that the hub left out are not waited for, within a frame and between two", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, 4]), T0);
    out.outgoing.frame(frame([9]), T0);
    assert.equal(out.pump().length, 3);
    for (const token of [1, 2, 3]) out.outgoing.answered(token, 0, T0);
    assert.equal(out.upTo, 9);
  });

  test("another stream begins anew", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1]), T0);
    out.pump();
    out.outgoing.frame(frame([501], { stream: "00000000000000bb", base: 501 }), T0);
    assert.deepEqual(out.pump(), ["2 m501"]);
    out.outgoing.answered(1, 0, T0);
    out.outgoing.answered(2, 0, T0);
    assert.deepEqual(out.outgoing.news(), { stream: "00000000000000bb", upTo: 501, ranges: [] });
  });

  test("a message waits for the route that was said before it, a second at most", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1], { routeOp: 7 }), T0);
    assert.deepEqual(out.pump(T0, 6), []);
    assert.equal(out.outgoing.deadlineMs, T0 + 1_000);
    assert.deepEqual(out.pump(T0 + 10, 7), ["1 m1"]);
    out.outgoing.frame(frame([2], { routeOp: 9 }), T0 + 10);
    assert.deepEqual(out.pump(T0 + 1_010, 7), ["2 m2"]);
  });

  test("refused access holds all of them back, one asks, and they go in order when it is granted", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, 2, 3]), T0);
    out.pump();
    assert.equal(out.outgoing.answered(1, 0x87, T0), true);
    assert.equal(out.outgoing.answered(2, 0x87, T0), false);
    assert.equal(out.outgoing.answered(3, 0x87, T0), false);
    assert.equal(out.outgoing.refusedWith, 0x87);
    assert.deepEqual(out.pump(T0 + 100), []);
    const retryMs = out.outgoing.deadlineMs;
    assert.ok(retryMs > T0 && retryMs <= T0 + 30_000);
    assert.deepEqual(out.pump(retryMs), ["4 m1"], "one at a time");
    assert.equal(out.outgoing.deadlineMs, Number.POSITIVE_INFINITY);
    assert.equal(out.outgoing.answered(4, 0, retryMs), true);
    assert.deepEqual(out.pump(retryMs), ["5 m2", "6 m3"]);
    assert.deepEqual(out.dropped, []);
  });

  test("too large, or no payload for this broker: that one is dropped, counted and settled", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1, 2, 3]), T0);
    out.pump();
    out.outgoing.answered(1, 0x95, T0);
    out.outgoing.answered(2, 0x99, T0);
    out.outgoing.expired(3);
    assert.deepEqual(out.dropped, ["too_large 1", "refused_by_broker 1", "expired 1"]);
    assert.equal(out.upTo, 3);
  });

  test("an unspecified error is tried again, and given up after the sixth", () => {
    const out = new Out();
    out.outgoing.connected();
    out.outgoing.frame(frame([1]), T0);
    let nowMs = T0;
    let tries = 0;
    while (out.dropped.length === 0 && tries < 10) {
      tries += 1;
      const [sent] = out.outgoing.pump(0, nowMs);
      assert.ok(sent !== undefined, `try ${tries}`);
      out.outgoing.answered(sent.token, 0x80, nowMs);
      nowMs = Math.max(nowMs, Math.min(out.outgoing.deadlineMs, nowMs + 60_000));
    }
    assert.equal(tries, 6);
    assert.deepEqual(out.dropped, ["refused_by_broker 1"]);
  });
});

describe("in from EMQX", () => {
  const id = (n: number): Uint8Array => new Uint8Array(16).fill(n);

  class In {
    readonly acknowledged: number[] = [];
    repeated = 0;
    readonly incoming = new Incoming(
      (token) => this.acknowledged.push(token),
      () => {
        this.repeated += 1;
      },
    );

    take(text: string, token: number | null, n: number, qos: 0 | 1 = 1): void {
      this.incoming.take({ message: message(text, qos), id: id(n), token });
    }

    numbers(nowMs = T0): (number | null)[] {
      return this.incoming.next(nowMs).map(({ number }) => number);
    }
  }

  test("reliable ones are numbered, and acknowledged when the hub has settled them", () => {
    const inbox = new In();
    inbox.take("a", 1, 1);
    inbox.take("b", 2, 2, 0);
    inbox.take("c", null, 3);
    assert.deepEqual(inbox.numbers(), [1, null, 2]);
    assert.deepEqual(inbox.acknowledged, [2], "best effort is done with");
    assert.equal(inbox.incoming.base, 1);
    inbox.incoming.settled(0, [[2, 2]], T0);
    assert.deepEqual(inbox.acknowledged, [2]);
    inbox.incoming.settled(2, [], T0);
    assert.deepEqual(inbox.acknowledged, [2, 1]);
    assert.equal(inbox.incoming.base, 3);
    assert.equal(inbox.incoming.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("what was here already is one message: open, waiting or settled", () => {
    const inbox = new In();
    inbox.take("a", 1, 1);
    inbox.take("a", 2, 1);
    assert.deepEqual(inbox.acknowledged, [1], "the broker has another acknowledgement to get");
    assert.deepEqual(inbox.numbers(), [1]);
    inbox.take("a", 3, 1);
    assert.deepEqual(inbox.acknowledged, [1, 2]);
    inbox.incoming.settled(1, [], T0);
    assert.deepEqual(inbox.acknowledged, [1, 2, 3]);
    inbox.take("a", 4, 1);
    assert.deepEqual(inbox.acknowledged, [1, 2, 3, 4]);
    assert.deepEqual(inbox.numbers(), []);
    assert.equal(inbox.repeated, 3);
  });

  test("the same content under another identifier, or none, is another message", () => {
    const inbox = new In();
    inbox.take("a", 1, 1);
    inbox.take("a", 2, 2);
    inbox.take("b", 3, 1);
    inbox.take("a", 4, 0);
    inbox.take("a", 5, 0);
    inbox.incoming.take({ message: message("a"), id: new Uint8Array(0), token: 6 });
    inbox.incoming.take({ message: message("a"), id: new Uint8Array(0), token: 7 });
    assert.equal(inbox.numbers().length, 7);
  });

  test("frames have a limit of messages and of bytes", () => {
    const inbox = new In();
    for (let n = 1; n <= 401; n += 1)
      inbox.incoming.take({ message: message(`m${n}`), id: new Uint8Array(0), token: n });
    assert.equal(inbox.numbers().length, 400);
    assert.equal(inbox.numbers().length, 1);
    inbox.incoming.take({ message: { ...message(""), payload: new Uint8Array(70_000) }, id: id(1), token: 500 });
    inbox.incoming.take({ message: message("small"), id: id(2), token: 501 });
    assert.equal(inbox.numbers().length, 1);
    assert.equal(inbox.numbers().length, 1);
  });

  test("no more is handed over than the hub keeps; the rest waits unacknowledged", () => {
    const inbox = new In();
    for (let n = 1; n <= 2_500; n += 1)
      inbox.incoming.take({ message: message(`m${n}`), id: new Uint8Array(0), token: n });
    let handed = 0;
    while (inbox.incoming.hasNews) handed += inbox.numbers().length;
    assert.equal(handed, 2_000);
    inbox.incoming.settled(400, [], T0);
    assert.equal(inbox.acknowledged.length, 400);
    while (inbox.incoming.hasNews) handed += inbox.numbers().length;
    assert.equal(handed, 2_400);
  });

  test("what the hub does not answer goes again, under its numbers", () => {
    const inbox = new In();
    inbox.take("a", 1, 1);
    inbox.take("b", 2, 2);
    inbox.numbers();
    assert.equal(inbox.incoming.deadlineMs, T0 + 10_000);
    inbox.incoming.tick(T0 + 9_999);
    assert.equal(inbox.incoming.hasNews, false);
    inbox.incoming.tick(T0 + 10_000);
    assert.deepEqual(inbox.numbers(T0 + 10_000), [1, 2]);
    assert.equal(inbox.incoming.deadlineMs, T0 + 20_000);
    inbox.incoming.settled(1, [], T0 + 10_001);
    inbox.incoming.again();
    assert.deepEqual(inbox.numbers(T0 + 10_002), [2]);
  });
});

describe("identifiers of messages", () => {
  test("are sixteen bytes, begin with the time in microseconds, and do not repeat", () => {
    const ids = new MessageIds("m");
    const first = Buffer.from(ids.next(1_700_000_000_000));
    assert.equal(first.readBigUInt64BE(0) / 1_000n, 1_700_000_000_000n);
    const many = new Set(Array.from({ length: 70_000 }, (_, at) => Buffer.from(ids.next(T0 + at)).toString("hex")));
    assert.equal(many.size, 70_000);
    assert.notDeepEqual(new MessageIds("n").next(T0).subarray(8, 14), ids.next(T0).subarray(8, 14));
  });
});
