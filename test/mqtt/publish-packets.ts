/** Publishes by chance, as a session is asked for them, and what the reference packet library makes of them. */
import fc from "fast-check";
import type { IPublishPacket } from "mqtt-packet";
import type { PacketProperties } from "../../src/mqtt/packet-properties.ts";
import { expiryOf, type PublishPacket } from "../../src/mqtt/publish.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const longText = fc.nat(66_000).map((length) => "é€a".repeat(length / 6).slice(0, 20_000));
const anyText = fc.oneof({ weight: 20, arbitrary: text }, { weight: 1, arbitrary: longText });
const topic = anyText.filter((text) => text !== "");

export type Pairs = readonly (readonly [string, string])[];

/** Any order, keys that repeat. */
export const anyPairs: fc.Arbitrary<Pairs> = fc.array(
  fc.tuple(fc.oneof(text, fc.constantFrom("a", "b", "7", "__proto__")), anyText),
  { minLength: 1, maxLength: 6 },
);
/** What survives in an object: each key once, and none that looks like a number. */
export const plainPairs: fc.Arbitrary<Pairs> = fc.uniqueArray(
  fc.tuple(
    text.map((key) => `k${key}`),
    text,
  ),
  {
    minLength: 1,
    maxLength: 5,
    selector: ([key]) => key,
  },
);

export function anyPublish(pairs: fc.Arbitrary<Pairs>): fc.Arbitrary<PublishPacket> {
  const properties: fc.Arbitrary<PacketProperties> = fc.record(
    {
      payloadFormatIndicator: fc.boolean(),
      messageExpiryInterval: fc.nat(0xffff_ffff),
      contentType: anyText,
      responseTopic: topic,
      correlationData: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array(65_535))),
      userProperties: pairs,
    },
    { requiredKeys: [] },
  );
  return fc.record(
    {
      topic,
      payload: fc.oneof(
        { weight: 30, arbitrary: fc.uint8Array({ maxLength: 300 }) },
        // Around the steps of the length field, and of what is copied.
        { weight: 10, arbitrary: sized(127, 128, 8_192, 8_193, 16_383, 16_384, 65_536) },
        { weight: 1, arbitrary: sized(2_097_151, 2_097_152) },
      ),
      qos: fc.constantFrom<0 | 1>(0, 1),
      retain: fc.boolean(),
      properties: fc.option(properties),
      expirySeconds: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    },
    { requiredKeys: ["topic", "payload", "qos", "retain"] },
  );
}

function sized(...lengths: number[]): fc.Arbitrary<Uint8Array> {
  return fc.constantFrom(...lengths).map((length) => new Uint8Array(length).fill(length));
}

/** The properties of the packet on the wire. */
export function onWire(packet: PublishPacket, version: 4 | 5): PacketProperties | null {
  if (version === 4) return null;
  const expiry = expiryOf(packet);
  const properties = { ...packet.properties, ...(expiry === null ? {} : { messageExpiryInterval: expiry }) };
  return Object.keys(properties).length === 0 ? null : properties;
}

/** As the reference library takes it. */
export function referencePacket(packet: PublishPacket, packetId: number, version: 4 | 5): IPublishPacket {
  const properties = onWire(packet, version);
  const { userProperties, correlationData, ...plain } = properties ?? {};
  const byKey: Record<string, string> = Object.create(null);
  for (const [key, value] of userProperties ?? []) byKey[key] = value;
  return {
    cmd: "publish",
    topic: packet.topic,
    payload: Buffer.from(packet.payload),
    qos: packet.qos,
    retain: packet.retain,
    dup: false,
    ...(packetId === 0 ? {} : { messageId: packetId }),
    ...(properties === null
      ? {}
      : {
          properties: {
            ...plain,
            ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
            ...(userProperties === undefined ? {} : { userProperties: byKey }),
          },
        }),
  };
}
