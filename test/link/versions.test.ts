import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeControl } from "../../src/wire/control.ts";
import type { ControlBody } from "../../src/wire/message.ts";
import { connect, deliver, Side } from "./pair.ts";

const SPEAKER = { incarnation: 1_000, instance: "00000000000000aa" };

function problems(side: Side): string[] {
  return side.outputs.flatMap((output) => (output.type === "problem" ? [`${output.code}: ${output.reason}`] : []));
}

function hello(protocolMin: number, protocolMax: number): Uint8Array {
  const body: ControlBody = {
    type: "hello",
    greeting: 1_025,
    to: "b",
    from: "a",
    agentVersion: "later",
    protocolMin,
    protocolMax,
    frameBytesMax: 65_536,
  };
  return encodeControl({ speaker: SPEAKER, body });
}

describe("an agent of another version", () => {
  test("that speaks no version in common is refused by name, and nothing of it is believed", () => {
    const b = new Side("b", "a", 2_000, "00000000000000bb");
    b.take(b.conversation.connected(0));
    b.sent.length = 0;
    b.take(b.conversation.receive(hello(2, 3), 1));
    const [answer] = b.sent;
    assert.ok(answer?.body.type === "ack");
    assert.deepEqual(
      [answer.body.result, answer.body.protocolMin, answer.body.protocolMax],
      ["protocol_mismatch", 1, 1],
    );
    assert.deepEqual(problems(b), ['PROTOCOL_MISMATCH: cluster "a" speaks protocol 2 to 3, this agent 1']);
    assert.equal(b.conversation.acceptor.state, "none");
  });

  test("that speaks ours too is welcome", () => {
    const b = new Side("b", "a", 2_000, "00000000000000bb");
    b.take(b.conversation.connected(0));
    b.take(b.conversation.receive(hello(1, 3), 1));
    assert.equal(b.conversation.acceptor.state, "greeted");
    assert.deepEqual(problems(b), []);
  });

  for (const [result, reason] of [
    ["protocol_mismatch", 'cluster "b" speaks protocol 2, this agent 1'],
    ["unknown", 'cluster "b" refuses with a reason of a later version'],
  ] as const) {
    test(`that answers ${result} is a problem with a name, and is greeted again after a while`, () => {
      const a = new Side("a", "b", 1_000, "00000000000000aa");
      a.take(a.conversation.connected(0));
      const body: ControlBody = {
        type: "ack",
        greeting: 1_025,
        of: SPEAKER,
        name: "b",
        result,
        highest: 0,
        have: null,
        protocolMin: 2,
        protocolMax: 2,
        frameBytesMax: 65_536,
      };
      const speaker = { incarnation: 9, instance: "00000000000000bb" };
      a.take(a.conversation.receive(encodeControl({ speaker, body }), 1));
      assert.equal(a.conversation.announcer.state, "refused");
      assert.deepEqual(problems(a), [`PROTOCOL_MISMATCH: ${reason}`]);
      a.take(a.conversation.tick(10_001));
      assert.equal(a.conversation.announcer.state, "greeting");
    });
  }

  test("may say what we pass over, and the conversation goes on", () => {
    const [a, b] = [new Side("a", "b", 1_000, SPEAKER.instance), new Side("b", "a", 2_000, "00000000000000bb")];
    connect(a, b, 0);
    deliver(a, b, 0);
    const bytes = encodeControl({ speaker: SPEAKER, body: { type: "goodbye", kind: "leave", greeting: 0 } });
    bytes[4] = 0x80;
    b.take(b.conversation.receive(bytes, 5));
    assert.equal(b.counted("optional_skipped"), 1);
    assert.deepEqual([b.sent, problems(b)], [[], []]);
    assert.equal(b.conversation.acceptor.state, "online");
  });

  test("that says what must be understood is told so, and greeted again", () => {
    const [a, b] = [new Side("a", "b", 1_000, SPEAKER.instance), new Side("b", "a", 2_000, "00000000000000bb")];
    connect(a, b, 0);
    deliver(a, b, 0);
    const bytes = encodeControl({ speaker: SPEAKER, body: { type: "goodbye", kind: "leave", greeting: 0 } });
    bytes[4] = 0x7f;
    b.take(b.conversation.receive(bytes, 5));
    assert.deepEqual(problems(b), ["PROTOCOL_MISMATCH: control message: unknown_type"]);
    deliver(a, b, 6);
    assert.equal(b.conversation.announcer.state, "online");
    assert.equal(b.conversation.acceptor.state, "online");
  });
});
