/** Messages that would end a connection or a conversation again and again: each is dropped once, with its reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbound } from "../../src/flow/inbound.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import type { Message, MessageProperties } from "../../src/wire/message.ts";
import { framesOf } from "./rig.ts";

const STREAM = "00000000000000a1";

function message(topic: string, properties: MessageProperties | null = null): Message {
  return { topic, payload: new Uint8Array(1), qos: 1, retain: false, properties, expiryMs: null };
}

function take(messages: readonly Message[]) {
  const drops: string[] = [];
  let token = 0;
  const into = new Inbound(
    { wants: () => true, isControl: () => false },
    () => {
      token += 1;
      return token;
    },
    (reason) => drops.push(reason),
    () => {},
  );
  into.localUp();
  into.frame(
    {
      speaker: { incarnation: 1, instance: "00000000000000aa" },
      routeOp: 0,
      stream: STREAM,
      base: 1,
      messages: messages.map((each, at) => ({ number: at + 1, message: each, origin: null })),
    },
    10,
    0,
    0,
  );
  return { topics: into.pump(0, 0).map(({ message: { topic } }) => topic), drops, into };
}

test("what makes a broker close the connection is dropped by the receiver and settled, and the rest goes on", () => {
  const { topics, drops, into } = take([
    message("a\u0001"),
    message(Array(202).fill("l").join("/")),
    message("t", { contentType: "a\nb" }),
    message("t", { responseTopic: "a\u0085" }),
    message("t", { userProperties: [["k", "v\uffff"]] }),
    message("t", { userProperties: [["k\u0007", "v"]] }),
    message("good", { contentType: "text/plain", responseTopic: "r/ü", userProperties: [["k", ""]] }),
  ]);
  assert.deepEqual(topics, ["good"]);
  assert.deepEqual(drops, ["bad_text", "bad_topic", "bad_text", "bad_text", "bad_text", "bad_text"]);
  assert.deepEqual(into.settlements(), [{ stream: STREAM, upTo: 6, ranges: [] }]);
});

test("the deepest topic that Mosquitto takes is not dropped", () => {
  const deepest = Array(201).fill("l").join("/");
  assert.deepEqual(take([message(deepest)]).topics, [deepest]);
});

test("a message that no frame can carry is dropped by the sender, and does not hold up the others", () => {
  const drops: string[] = [];
  const out = new Outbound(
    () => STREAM,
    {
      spool: { bytesMax: 1e6, ageMaxMs: 1e6, whenFull: "drop_oldest" },
      framesInflightMax: 4,
      retryIntervalMs: 1e4,
    },
    (reason) => drops.push(reason),
  );
  out.opened(1e6);
  const malformed = [
    message("a\u0000"),
    message(""),
    message("a/+"),
    message("t", { contentType: "\u0000" }),
    message("t", { responseTopic: "" }),
    message("t", { responseTopic: "r/#" }),
    message("t", { userProperties: [["\u0000", ""]] }),
    message("t", { userProperties: Array.from({ length: 65_536 }, () => ["", ""] as const) }),
  ];
  for (const each of [...malformed, message("good")]) out.offer(each, null, 0);
  assert.deepEqual(drops, Array(malformed.length).fill("malformed"));
  assert.deepEqual(
    framesOf(out, 0).flatMap(({ messages }) => messages.map((framed) => framed.message.topic)),
    ["good"],
  );
});
