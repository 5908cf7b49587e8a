/** A PUBLISH from the broker, taken apart (MQTT5 3.3). The packet's own bytes; what they are worth is not judged here. */
import type { PacketProperties } from "./packet-properties.ts";
import type { PacketReader } from "./packet-reader.ts";

export interface ReceivedPublish {
  readonly topic: string;
  /** A view of the bytes that arrived. */
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** Null: none but subscription identifiers. */
  readonly properties: PacketProperties | null;
  readonly subscriptionIds: readonly number[];
}

/** A packet of the broker's is not ours to change: all of these are written once, here. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Properties {
  readonly properties: PacketProperties | null;
  readonly subscriptionIds: readonly number[];
}

const NO_IDS: readonly number[] = [];
const NONE: Properties = { properties: null, subscriptionIds: NO_IDS };

/** `reader` stands behind the fixed header. Null: the reader has the problem. */
export function decodePublish(reader: PacketReader, firstByte: number, version: 4 | 5): ReceivedPublish | null {
  const qos = (firstByte >> 1) & 0x03;
  // MQTT-3.3.1-4; the compiler knows from here what it can be.
  if (qos !== 0 && qos !== 1 && qos !== 2) {
    reader.fail("both QoS bits");
    return null;
  }
  const topic = reader.text();
  const packetId = qos === 0 ? 0 : reader.u16();
  const { properties, subscriptionIds } = version === 5 ? readProperties(reader) : NONE;
  const payload = reader.rest();
  // MQTT5 3.3.2.1: only a topic alias may stand for it, and we allow none.
  if (topic === "") reader.fail("no topic");
  // MQTT-2.2.1-3.
  if (qos !== 0 && packetId === 0) reader.fail("packet identifier 0");
  if (reader.problem !== null) return null;
  const retain = (firstByte & 0x01) !== 0;
  const dup = (firstByte & 0x08) !== 0;
  return { topic, payload, qos, retain, dup, packetId, properties, subscriptionIds };
}

function readProperties(reader: PacketReader): Properties {
  const length = reader.varint();
  if (length === 0) return NONE;
  if (length > reader.left) reader.fail("properties that go beyond its end");
  const end = reader.at + length;
  const found: Writable<PacketProperties> = {};
  const pairs: (readonly [string, string])[] = [];
  const ids: number[] = [];
  while (reader.at < end && reader.problem === null) readProperty(reader, found, pairs, ids);
  if (reader.at > end) reader.fail("a property that goes beyond the properties");
  if (pairs.length > 0) found.userProperties = pairs;
  return {
    properties: Object.keys(found).length === 0 ? null : found,
    subscriptionIds: ids.length === 0 ? NO_IDS : ids,
  };
}

function readProperty(
  reader: PacketReader,
  found: Writable<PacketProperties>,
  pairs: (readonly [string, string])[],
  ids: number[],
): void {
  const name = reader.u8();
  switch (name) {
    case 0x01:
      if (found.payloadFormatIndicator !== undefined) twice(reader, name);
      found.payloadFormatIndicator = reader.u8() !== 0;
      return;
    case 0x02:
      if (found.messageExpiryInterval !== undefined) twice(reader, name);
      found.messageExpiryInterval = reader.u32();
      return;
    case 0x03:
      if (found.contentType !== undefined) twice(reader, name);
      found.contentType = reader.text();
      return;
    case 0x08:
      if (found.responseTopic !== undefined) twice(reader, name);
      found.responseTopic = reader.text();
      return;
    case 0x09:
      if (found.correlationData !== undefined) twice(reader, name);
      found.correlationData = reader.binary();
      return;
    case 0x0b: {
      const id = reader.varint();
      if (id === 0) reader.fail("subscription identifier 0");
      ids.push(id);
      return;
    }
    case 0x23:
      reader.fail("a topic alias, though we allow none");
      return;
    case 0x26:
      pairs.push([reader.text(), reader.text()]);
      return;
    default:
      reader.fail(`a property 0x${name.toString(16).padStart(2, "0")}, which it cannot have`);
  }
}

/** MQTT5 3.3.2.3: each but user properties and subscription identifiers at most once. */
function twice(reader: PacketReader, name: number): void {
  reader.fail(`property 0x${name.toString(16).padStart(2, "0")} more than once`);
}
