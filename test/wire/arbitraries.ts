/** Random messages of the wire, near its limits as often as in their middle. */
import fc from "fast-check";
import { COMPRESSIONS } from "../../src/wire/compression.ts";
import type { AckResult, ControlBody, ControlMessage, Frame, Message, Speaker } from "../../src/wire/message.ts";

const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

const anyNumber = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1, 2 ** 32, NUMBER_MAX),
  fc.nat(300),
  fc.maxSafeNat(),
);
const positive = anyNumber.filter((value) => value > 0);

/** Text as MQTT allows it, with what UTF-8 and UTF-16 see differently. */
const anyText = fc
  .array(fc.constantFrom("", "a", "/", " ", "ü", "€", "\u{1f600}", "\ufeff", "\u0001", "\uffff", "\r\n"), {
    maxLength: 8,
  })
  .map((parts) => parts.join(""));
const someText = anyText.filter((text) => text !== "");
const anyFilter = fc.oneof(someText, fc.constantFrom("#", "+/+", "t/#", "a".repeat(200)));
const anyHex16 = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
export const anyName = fc.stringMatching(/^[0-9A-Za-z][-0-9A-Za-z_]{0,63}$/);

const anyone: fc.Arbitrary<Speaker> = fc.record({ incarnation: anyNumber, instance: anyHex16 });
const speaker: fc.Arbitrary<Speaker> = fc.record({ incarnation: positive, instance: anyHex16 });
const word = fc.integer({ min: 0, max: 0xffffffff });
const mark = fc.record({ op: anyNumber, count: anyNumber, digest: fc.record({ high: word, low: word }) });
const protocols = fc
  .tuple(positive, positive)
  .map(([a, b]) => ({ protocolMin: Math.min(a, b), protocolMax: Math.max(a, b) }));
const frameBytesMax = anyNumber.filter((value) => value >= 4_096);

/** Absent or not; an empty list is written as one. */
const offered = fc.record(
  {
    expands: fc.uniqueArray(fc.constantFrom(...COMPRESSIONS)),
    states: fc.record({ wanted: fc.boolean(), served: fc.boolean() }),
  },
  { requiredKeys: [] },
);

const op = fc.oneof(
  fc.record({
    op: fc.constant("add" as const),
    filter: anyFilter,
    groups: fc.array(anyText, { maxLength: 16 }),
  }),
  fc.record({ op: fc.constant("delete" as const), filter: anyFilter }),
);
const ops = fc.array(op, { maxLength: 6 });

/** Ascending inclusive ranges with any gap between. */
const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.nat(1_000)), { maxLength: 5 }).map((steps) => {
  let after = 0;
  return steps.map(([gap, length]): readonly [number, number] => {
    const first = after + gap;
    after = first + length;
    return [first, after];
  });
});

const result = fc.constantFrom<AckResult>(
  "ok",
  "unknown_link",
  "wrong_name",
  "link_disabled",
  "duplicate_agent",
  "old_incarnation",
  "protocol_mismatch",
  "unknown",
);

const type = <T extends ControlBody["type"]>(value: T): fc.Arbitrary<T> => fc.constant(value);

const body: fc.Arbitrary<ControlBody> = fc.oneof(
  fc
    .record({
      type: type("hello"),
      greeting: anyNumber,
      to: anyName,
      from: anyName,
      agentVersion: fc.stringMatching(/^[ -~]{0,64}$/),
      frameBytesMax,
    })
    .chain((hello) => fc.tuple(protocols, offered).map(([range, offer]) => ({ ...hello, ...range, ...offer }))),
  fc
    .record({
      type: type("ack"),
      greeting: anyNumber,
      of: anyone,
      name: anyName,
      result,
      highest: anyNumber.filter((value) => value < NUMBER_MAX),
      have: fc.option(mark),
      frameBytesMax,
    })
    .chain((ack) => fc.tuple(protocols, offered).map(([range, offer]) => ({ ...ack, ...range, ...offer }))),
  fc.record({ type: type("bootstrap"), bootstrap: anyNumber, part: anyNumber, ops }),
  fc.record({ type: type("bootstrap_end"), bootstrap: anyNumber, parts: anyNumber, mark }),
  fc.record({
    type: type("bootstrap_ack"),
    of: anyone,
    bootstrap: anyNumber,
    nextPart: anyNumber,
    done: fc.boolean(),
  }),
  fc.record({ type: type("routes"), firstOp: positive, ops }),
  fc.record({ type: type("routes_ack"), of: anyone, op: anyNumber }),
  fc.record({ type: type("heartbeat"), mark }),
  fc.record({
    type: type("heartbeat"),
    mark,
    trouble: fc.record({ framesRefused: fc.nat(255), unheard: fc.boolean() }),
  }),
  fc.record(
    {
      type: type("heartbeat"),
      mark,
      trouble: fc.record({ framesRefused: fc.nat(255), unheard: fc.boolean() }),
      backlog: fc.record({ draining: fc.boolean(), percent: fc.integer({ min: 1, max: 100 }) }),
    },
    { requiredKeys: ["type", "mark", "backlog"] },
  ),
  fc.record({
    type: type("again"),
    of: anyone,
    what: fc.constantFrom("hello" as const, "bootstrap" as const),
    reason: fc.constantFrom(
      "unknown_incarnation" as const,
      "digest_mismatch" as const,
      "bad_message" as const,
      "no_bootstrap" as const,
      "log_gap" as const,
      "unknown" as const,
    ),
  }),
  fc.record({
    type: type("refused"),
    of: anyone,
    filter: anyFilter,
    reasonCode: fc.nat(255),
    refused: fc.boolean(),
  }),
  fc.record({
    type: type("goodbye"),
    kind: fc.constantFrom("pause" as const, "leave" as const, "lost" as const),
    greeting: anyNumber,
  }),
  fc.record({ type: type("settled"), of: anyone, stream: anyHex16, upTo: anyNumber, ranges }),
);

export const anyControl: fc.Arbitrary<ControlMessage> = fc.record({ speaker, body });

const anyTopic = someText.filter((text) => !/[+#]/.test(text));
const payload = fc.uint8Array({ maxLength: 20 });

const properties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    contentType: anyText,
    responseTopic: anyTopic,
    correlationData: payload,
    userProperties: fc.array(fc.tuple(anyText, anyText), { maxLength: 4 }),
  },
  { requiredKeys: [] },
);

const message: fc.Arbitrary<Message> = fc
  .record({
    topic: fc.oneof(anyTopic, fc.constantFrom("t/1", "t/2")),
    payload,
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    properties: fc.option(properties),
    expiryMs: fc.option(fc.oneof(fc.nat(100_000), fc.constantFrom(0, 4_294_967_295_000))),
    isState: fc.boolean(),
  })
  .map(({ isState, ...each }) => (isState ? { ...each, qos: 1, retain: false, state: true } : each));

/** Each message, the step to its number if it has one, its origin. */
const framed = fc.tuple(message, fc.option(fc.integer({ min: 1, max: 1_000_000 })), fc.option(anyName));

export const anyFrame: fc.Arbitrary<Frame> = fc
  .record({
    speaker,
    routeOp: anyNumber,
    stream: anyHex16,
    base: positive,
    framed: fc.array(framed, { maxLength: 8 }),
  })
  .map(({ framed: list, ...frame }) => {
    let last = 0;
    const messages = list.map(([each, step, origin]) => {
      if (step === null) return { number: null, message: each, origin };
      last += step;
      return { number: last, message: each, origin };
    });
    return { ...frame, messages };
  });
