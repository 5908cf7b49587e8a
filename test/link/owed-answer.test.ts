import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deliver, Side } from "./pair.ts";

const sides = (): [Side, Side] => [
  new Side("a", "b", 1_000, "00000000000000aa"),
  new Side("b", "a", 2_000, "00000000000000bb"),
];

/** What a side says while it has no connection reaches nobody: its owner drops it. */
function unheard(side: Side): void {
  side.sent.splice(0);
}

/** `a` is connected and greets, while `b` is not yet. */
function aGreetsEarly(a: Side, b: Side): void {
  a.take(a.conversation.connected(0));
  for (const { bytes } of a.sent.splice(0)) b.take(b.conversation.receive(bytes, 0));
  unheard(b);
}

describe("a greeting that comes before there is a connection to answer on", () => {
  test("is answered as soon as there is one", () => {
    const [a, b] = sides();
    a.subscribe(["t/1"], 0);
    aGreetsEarly(a, b);
    b.take(b.conversation.connected(100));
    deliver(a, b, 100);
    assert.equal(a.conversation.announcer.state, "online");
    assert.deepEqual([...b.inForce], ["t/1"]);
  });

  test("is answered once", () => {
    const [a, b] = sides();
    aGreetsEarly(a, b);
    b.take(b.conversation.connected(100));
    deliver(a, b, 100);
    b.take(b.conversation.disconnected("cut"));
    b.take(b.conversation.connected(200));
    assert.deepEqual(
      b.sent.map(({ body }) => body.type),
      ["hello"],
    );
  });

  test("is not answered when a newer life of the peer was heard since", () => {
    const [a, b] = sides();
    aGreetsEarly(a, b);
    const newer = new Side("a", "b", 3_000, "00000000000000ac");
    aGreetsEarly(newer, b);
    b.take(b.conversation.connected(100));
    const answered = b.sent.flatMap(({ body }) => (body.type === "ack" ? [body.of.incarnation] : []));
    assert.deepEqual(answered, [3_000]);
  });
});
