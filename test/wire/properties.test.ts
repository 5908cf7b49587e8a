import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { digestHex, routeDigest } from "../../src/base/digest.ts";
import { topicCheck } from "../../src/base/hash.ts";
import { CONTROL_BYTES_MAX, decodeControl, encodeControl } from "../../src/wire/control.ts";
import { decodeFrame, encodeFrame, framedSize, packMessage, unpackMessage } from "../../src/wire/frame.ts";
import type { Message, MessageProperties } from "../../src/wire/message.ts";
import { anyControl, anyFrame } from "./arbitraries.ts";
import { plainBytes, toHex } from "./hex.ts";
import { decodePlainControl, decodePlainFrame, encodePlainControl, encodePlainFrame } from "./plain-codec.ts";
import { plainCheck, plainDigest } from "./plain-hash.ts";

describe("what is written is read again, by both codecs and with the same bytes", () => {
  test("control messages of every kind", () => {
    const types = new Set<string>();
    fc.assert(
      fc.property(anyControl, (message) => {
        types.add(message.body.type);
        const bytes = encodeControl(message);
        const expected = plainBytes({ ok: true, value: message });
        assert.deepEqual(plainBytes(decodeControl(bytes)), expected);
        assert.deepEqual(plainBytes(decodePlainControl(bytes)), expected);
        assert.equal(toHex(encodePlainControl({ ...message, body: { ...message.body } })), toHex(bytes));
      }),
      { numRuns: 2_000 },
    );
    assert.equal(types.size, 12);
  });

  test("frames", () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const bytes = encodeFrame(frame);
        const decoded = decodeFrame(bytes);
        assert.ok(decoded.ok, decoded.ok ? "" : decoded.problem);
        assert.deepEqual(plainBytes(decoded.value), plainBytes(frame));
        const plain = decodePlainFrame(bytes);
        assert.ok(plain.ok, plain.ok ? "" : plain.problem);
        assert.deepEqual(plainBytes(plain.value), plainBytes(frame));
        assert.equal(toHex(encodePlainFrame(plain.value)), toHex(bytes));
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a message packed alone comes back whole, and with any byte less or more it does not", () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), (frame, cut) => {
      for (const { message } of frame.messages) {
        const bytes = packMessage(message);
        const unpacked = unpackMessage(bytes);
        assert.ok(unpacked.ok, unpacked.ok ? "" : unpacked.problem);
        assert.deepEqual(plainBytes(unpacked.value), plainBytes(message));
        assert.equal(unpackMessage(bytes.subarray(0, cut % bytes.length)).ok, false);
        assert.equal(unpackMessage(Uint8Array.of(...bytes, 0)).ok, false);
      }
    }),
  );
});

test("the hashes of the code are those of the page for any text", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 3 }), (filter, groups) => {
      assert.equal(digestHex(routeDigest(filter, groups)), plainDigest(filter, groups));
      assert.equal(topicCheck(filter), plainCheck(filter));
    }),
  );
});

describe("a message's size in a frame", () => {
  test("is never underestimated, and the frame around it takes less than a hundred bytes more", () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const sizes = frame.messages.map(({ message }) => framedSize(message) ?? Number.NaN);
        const bytes = encodeFrame(frame).length;
        assert.ok(bytes <= sizes.reduce((sum, size) => sum + size, 0) + 100, `${bytes} bytes, estimated ${sizes}`);
      }),
    );
  });

  test("is null for exactly what a receiver would refuse the whole frame for", () => {
    const nasty = fc.constantFrom("", "a", "\u0000", "+", "a/#", "t", "é");
    const properties: fc.Arbitrary<MessageProperties> = fc.record(
      { contentType: nasty, responseTopic: nasty, userProperties: fc.array(fc.tuple(nasty, nasty), { maxLength: 2 }) },
      { requiredKeys: [] },
    );
    let refused = 0;
    fc.assert(
      fc.property(nasty, fc.option(properties), (topic, about) => {
        const message: Message = {
          topic,
          payload: new Uint8Array(0),
          qos: 1,
          retain: false,
          properties: about,
          expiryMs: null,
        };
        const bytes = encodeFrame({
          speaker: { incarnation: 1, instance: "00000000000000aa" },
          routeOp: 0,
          stream: "00000000000000a1",
          base: 1,
          messages: [{ number: 1, message, origin: null }],
        });
        const { ok } = decodeFrame(bytes);
        if (!ok) refused += 1;
        assert.equal(framedSize(message) !== null, ok);
      }),
      { numRuns: 2_000 },
    );
    assert.ok(refused > 100);
  });
});

test("a number that is none is a bug of the writer, never bytes", () => {
  for (const greeting of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1]) {
    const goodbye = {
      speaker: { incarnation: 1, instance: "00000000000000aa" },
      body: { type: "goodbye", kind: "pause", greeting },
    } as const;
    assert.throws(() => encodeControl(goodbye), /bug: /);
  }
});

test("the largest batch of operations that the announcer makes fits a control message", () => {
  // 64 KiB is the limit of a batch, and one operation alone may be larger: the longest filter, with 4,096 units of groups.
  const filter = "f".repeat(65_535);
  const group = "€".repeat(256);
  const bytes = encodeControl({
    speaker: { incarnation: 1, instance: "00000000000000aa" },
    body: { type: "routes", firstOp: 1, ops: [{ op: "add", filter, groups: Array(16).fill(group) }] },
  });
  assert.ok(bytes.length < CONTROL_BYTES_MAX, `${bytes.length}`);
  assert.ok(decodeControl(bytes).ok);
});
