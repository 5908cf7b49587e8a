/** Our PUBLISH against the reference packet library, in both directions, and against itself where that one loses something. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { generate, type IPublishPacket, parser } from "mqtt-packet";
import { PacketReader } from "../../src/mqtt/packet-reader.ts";
import { PacketSplitter } from "../../src/mqtt/packet-splitter.ts";
import { type PublishPacket, publishBytes } from "../../src/mqtt/publish.ts";
import { decodePublish, type ReceivedPublish } from "../../src/mqtt/publish-decoder.ts";
import { encodePublish } from "../../src/mqtt/publish-encoder.ts";
import { WriteBuffer } from "../../src/mqtt/write-buffer.ts";
import { anyPairs, anyPublish, onWire, plainPairs, referencePacket } from "./publish-packets.ts";

const VERSIONS = fc.constantFrom<4 | 5>(4, 5);
const RUNS = { numRuns: 400 };
const idOf = ({ qos }: PublishPacket): number => (qos === 0 ? 0 : 51_966);

function encoded(packet: PublishPacket, version: 4 | 5): Buffer {
  const out = new WriteBuffer();
  encodePublish(out, packet, idOf(packet), version);
  return Buffer.concat(out.take());
}

/** The problem as text, or the packet. */
function decoded(bytes: Buffer, version: 4 | 5): ReceivedPublish | string {
  const reader = new PacketReader();
  const splitter = new PacketSplitter(300_000_000);
  const found: (ReceivedPublish | string)[] = [];
  splitter.feed(bytes, (firstByte, whole, _begin, body, end) => {
    reader.open(whole, body, end);
    found.push(decodePublish(reader, firstByte, version) ?? reader.problem ?? "no packet and no problem");
    return true;
  });
  assert.equal(found.length, 1);
  return found[0] ?? "nothing";
}

function referenceParse(bytes: Buffer, version: 4 | 5): IPublishPacket {
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion: version });
  reader.on("packet", (packet) => packets.push(packet as IPublishPacket));
  reader.parse(bytes);
  const [packet] = packets;
  if (packet === undefined) throw new Error("the reference library reads nothing");
  return packet;
}

function expected(packet: PublishPacket, version: 4 | 5): ReceivedPublish {
  const { topic, payload, qos, retain } = packet;
  const properties = onWire(packet, version);
  return { topic, payload, qos, retain, dup: false, packetId: idOf(packet), properties, subscriptionIds: [] };
}

/** Views of the same bytes compare equal, of whatever class. */
function plain({ payload, properties, ...rest }: ReceivedPublish): object {
  const correlation = properties?.correlationData;
  return {
    ...rest,
    payload: Buffer.from(payload),
    properties:
      properties === null
        ? null
        : { ...properties, ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }) },
  };
}

function assertDecodes(bytes: Buffer, version: 4 | 5, packet: ReceivedPublish): void {
  const found = decoded(bytes, version);
  if (typeof found === "string") assert.fail(found);
  assert.deepEqual(plain(found), plain(packet));
}

test("what we write, the reference library reads", () => {
  fc.assert(
    fc.property(anyPublish(plainPairs), VERSIONS, (packet, version) => {
      const bytes = encoded(packet, version);
      assert.equal(bytes.length, publishBytes(packet, version));
      const { length: _, ...read } = referenceParse(bytes, version);
      const reference = referencePacket(packet, idOf(packet), version);
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(reference)));
    }),
    RUNS,
  );
});

test("what the reference library writes, we read, with the identifiers of all its subscriptions", () => {
  const ids = fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 4 });
  fc.assert(
    fc.property(anyPublish(plainPairs), VERSIONS, ids, fc.boolean(), (packet, version, subscriptionIds, dup) => {
      const reference = { ...referencePacket(packet, idOf(packet), version), dup: dup && packet.qos === 1 };
      const withIds = version === 5 && subscriptionIds.length > 0;
      if (withIds) {
        // The type knows only one, the code takes several.
        const properties: object = { ...reference.properties, subscriptionIdentifier: subscriptionIds };
        Object.assign(reference, { properties });
      }
      const bytes = generate(reference, { protocolVersion: version });
      const wanted = expected(packet, version);
      assertDecodes(bytes, version, {
        ...wanted,
        dup: reference.dup,
        subscriptionIds: withIds ? subscriptionIds : [],
      });
    }),
    RUNS,
  );
});

test("what we write, we read, with user properties of any order and keys that repeat", () => {
  fc.assert(
    fc.property(anyPublish(anyPairs), VERSIONS, (packet, version) => {
      const bytes = encoded(packet, version);
      assert.equal(bytes.length, publishBytes(packet, version));
      assertDecodes(bytes, version, expected(packet, version));
    }),
    RUNS,
  );
});

test("a payload and correlation data are views of what arrived", () => {
  const packet = { topic: "t", payload: Buffer.from("abc"), qos: 0, retain: false } as const;
  const bytes = encoded({ ...packet, properties: { correlationData: Buffer.from("xyz") } }, 5);
  const found = decoded(bytes, 5);
  if (typeof found === "string") assert.fail(found);
  bytes.fill(0x21);
  assert.equal(Buffer.from(found.payload).toString(), "!!!");
  assert.equal(Buffer.from(found.properties?.correlationData ?? []).toString(), "!!!");
});

describe("a PUBLISH that is malformed is said to be", () => {
  const publish = (flags: number, ...body: number[]): Buffer => Buffer.of(0x30 | flags, body.length, ...body);
  const v5 = (...properties: number[]): Buffer => publish(0, 0, 1, 0x74, properties.length, ...properties, 0x78);
  const cases: readonly [name: string, version: 4 | 5, bytes: Buffer, problem: RegExp][] = [
    ["nothing in it", 4, publish(0), /a field that goes beyond its end/],
    ["a topic longer than the packet", 4, publish(0, 0, 9, 0x74), /a field that goes beyond its end/],
    ["no topic", 4, publish(0, 0, 0), /no topic/],
    ["a topic that is not UTF-8", 4, publish(0, 0, 2, 0xc3, 0x28), /not UTF-8/],
    ["half a surrogate pair in it", 4, publish(0, 0, 3, 0xed, 0xa0, 0x80), /not UTF-8/],
    ["identifier 0", 4, publish(2, 0, 1, 0x74, 0, 0), /packet identifier 0/],
    ["no identifier", 4, publish(2, 0, 1, 0x74, 0), /a field that goes beyond its end/],
    ["both QoS bits", 4, publish(6, 0, 1, 0x74, 0, 1), /both QoS bits/],
    ["no properties in MQTT 5", 5, publish(0, 0, 1, 0x74), /a field that goes beyond its end/],
    ["properties longer than the packet", 5, publish(0, 0, 1, 0x74, 9, 1, 1), /properties that go beyond/],
    ["properties with a length of five bytes", 5, publish(0, 0, 1, 0x74, 255, 255, 255, 255, 1), /more than four/],
    ["a property that goes beyond the properties", 5, v5(0x03, 0, 1), /beyond the properties/],
    ["an unknown property", 5, v5(0x7f), /a property 0x7f/],
    ["a property of another packet", 5, v5(0x11, 0, 0, 0, 1), /a property 0x11/],
    ["a topic alias", 5, v5(0x23, 0, 1), /a topic alias, though we allow none/],
    ["subscription identifier 0", 5, v5(0x0b, 0), /subscription identifier 0/],
    ["a content type twice", 5, v5(0x03, 0, 0, 0x03, 0, 0), /property 0x03 more than once/],
    ["a response topic twice", 5, v5(0x08, 0, 1, 97, 0x08, 0, 1, 97), /property 0x08 more than once/],
    ["an expiry twice", 5, v5(0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1), /property 0x02 more than once/],
    ["a format indicator twice", 5, v5(0x01, 1, 0x01, 0), /property 0x01 more than once/],
    ["correlation data twice", 5, v5(0x09, 0, 0, 0x09, 0, 0), /property 0x09 more than once/],
    ["a user property that is not UTF-8", 5, v5(0x26, 0, 1, 0x61, 0, 1, 0xff), /not UTF-8/],
  ];
  for (const [name, version, bytes, problem] of cases) {
    test(name, () => {
      const found = decoded(bytes, version);
      if (typeof found !== "string") assert.fail(`was read as ${JSON.stringify(found)}`);
      assert.match(found, problem);
    });
  }
});

test("U+0000 is let through, and a byte order mark stays", () => {
  const found = decoded(Buffer.of(0x30, 8, 0, 5, 0, 0xef, 0xbb, 0xbf, 0x61, 0x78), 4);
  assert.equal(typeof found === "string" ? found : found.topic, "\0\ufeffa");
});

test("bytes by chance are read or refused, never beyond their end, and never for ever", () => {
  const flipped = fc.tuple(
    anyPublish(anyPairs),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    fc.nat(100),
  );
  fc.assert(
    fc.property(flipped, VERSIONS, ([packet, flips, cut], version) => {
      const whole = encoded({ ...packet, payload: packet.payload.subarray(0, 50) }, version);
      const body = whole.subarray(whole.length > 129 ? 3 : 2, Math.max(3, whole.length - cut));
      for (const [at, byte] of flips) if (at < body.length) body[at] = byte;
      const reader = new PacketReader();
      reader.open(body, 0, body.length);
      const found = decodePublish(reader, whole[0] ?? 0, version);
      assert.equal(found === null, reader.problem !== null);
      assert.ok(reader.at <= body.length);
    }),
    { numRuns: 2_000 },
  );
});
