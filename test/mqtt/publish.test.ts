import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generate, type IPublishPacket } from "mqtt-packet";
import { type PacketProperties, toLibrary } from "../../src/mqtt/packet-properties.ts";
import { failureCode, outgoingProperties, type PublishPacket, publishBytes } from "../../src/mqtt/publish.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const properties: fc.Arbitrary<PacketProperties> = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: fc.nat(100_000),
    contentType: text,
    responseTopic: text.filter((topic) => topic !== ""),
    correlationData: fc.uint8Array({ maxLength: 200 }),
    userProperties: fc
      .array(fc.tuple(text, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 }))), { maxLength: 5 })
      .map((pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs))),
  },
  { requiredKeys: [] },
);
const publish: fc.Arbitrary<PublishPacket> = fc.record(
  {
    topic: text.filter((topic) => topic !== ""),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Around the steps of the length field.
      fc.constantFrom(127, 128, 16_383, 16_384, 2_097_151, 2_097_152).map((length) => new Uint8Array(length)),
    ),
    qos: fc.constantFrom<0 | 1>(0, 1),
    retain: fc.boolean(),
    properties: fc.option(properties),
    expirySeconds: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  },
  { requiredKeys: ["topic", "payload", "qos", "retain"] },
);

function generated(packet: PublishPacket, version: 4 | 5): number {
  const out = outgoingProperties(packet, version);
  const whole: IPublishPacket = {
    cmd: "publish",
    topic: packet.topic,
    payload: Buffer.from(packet.payload),
    qos: packet.qos,
    retain: packet.retain,
    dup: false,
    messageId: 1,
    ...(out === null ? {} : { properties: toLibrary(out) as NonNullable<IPublishPacket["properties"]> }),
  };
  return generate(whole, { protocolVersion: version }).length;
}

test("the size of a publish is that of the bytes the library makes of it", () => {
  fc.assert(
    fc.property(publish, fc.constantFrom<4 | 5>(4, 5), (packet, version) => {
      assert.equal(publishBytes(packet, version), generated(packet, version));
    }),
    { numRuns: 500 },
  );
});

test("an expiry is a whole second at least, because none left would mean for ever", () => {
  const packet = { topic: "t", payload: new Uint8Array(0), qos: 0, retain: false } as const;
  const expiry = (expirySeconds: number): number | undefined =>
    outgoingProperties({ ...packet, expirySeconds }, 5)?.messageExpiryInterval;
  assert.deepEqual([0, 0.2, 1, 1.2, 60].map(expiry), [1, 1, 1, 2, 60]);
  assert.deepEqual(outgoingProperties({ ...packet, properties: { contentType: "a" }, expirySeconds: 3 }, 5), {
    contentType: "a",
    messageExpiryInterval: 3,
  });
  assert.equal(outgoingProperties({ ...packet, properties: { contentType: "a" }, expirySeconds: 3 }, 4), null);
  assert.equal(outgoingProperties(packet, 5), null);
});

test("what never left has the code that a broker would give; what was lost has none", () => {
  assert.deepEqual([failureCode("lost"), failureCode("full"), failureCode("tooLarge")], [null, 0x97, 0x95]);
});
