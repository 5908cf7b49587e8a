/** What a session is asked to publish and how that ended; and how many bytes it will be (MQTT 3.3). */
import { utf8Length } from "../topic/filter.ts";
import type { PacketProperties } from "./packet-properties.ts";

const U32_MAX = 0xffff_ffff;
const FIELD_BYTES_MAX = 65_535;

export interface PublishPacket {
  /** Valid, without wildcards. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Left out on a 3.1.1 connection, like the expiry. */
  readonly properties?: PacketProperties | null;
  /** Seconds the message may still wait; rounded up to 1 at least, because 0 left would be written as "never". */
  readonly expirySeconds?: number | null;
}

/**
 * `reasonCode`: the broker's own, 0 from 3.1.1, 0 for QoS 0 once it is handed to the connection. `lost`: the connection
 * ended first, or there was none; the broker may or may not have it. `full`, `tooLarge`: never sent.
 */
export type PublishResult =
  | { readonly ok: true; readonly reasonCode: number }
  | { readonly ok: false; readonly why: "lost" | "full" | "tooLarge" };

/** The reason code that a broker would have given; null where nobody can know. */
export function failureCode(why: "lost" | "full" | "tooLarge"): number | null {
  switch (why) {
    case "lost":
      return null;
    case "full":
      return 0x97;
    case "tooLarge":
      return 0x95;
  }
}

/** Whole seconds for the packet, null for none. */
export function expiryOf(packet: PublishPacket): number | null {
  const { properties, expirySeconds = null } = packet;
  if (expirySeconds === null) return properties?.messageExpiryInterval ?? null;
  return Math.min(U32_MAX, Math.max(1, Math.ceil(expirySeconds)));
}

/** The whole packet in bytes, as Maximum Packet Size counts it; infinite if one of its texts does not fit into any. */
export function publishBytes(packet: PublishPacket, version: 4 | 5): number {
  let body = 2 + fieldBytes(utf8Length(packet.topic)) + (packet.qos === 0 ? 0 : 2) + packet.payload.length;
  if (version === 5) {
    const properties = propertiesBytes(packet.properties ?? null, expiryOf(packet));
    body += properties + varintBytes(properties);
  }
  return 1 + varintBytes(body) + body;
}

/** Without their length. `expiry` counts, whatever the properties have. */
export function propertiesBytes(properties: PacketProperties | null, expiry: number | null): number {
  let bytes = expiry === null ? 0 : 5;
  if (properties === null) return bytes;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  if (properties.payloadFormatIndicator !== undefined) bytes += 2;
  if (contentType !== undefined) bytes += 3 + fieldBytes(utf8Length(contentType));
  if (responseTopic !== undefined) bytes += 3 + fieldBytes(utf8Length(responseTopic));
  if (correlationData !== undefined) bytes += 3 + fieldBytes(correlationData.length);
  if (userProperties !== undefined) {
    for (const [key, value] of userProperties) {
      bytes += 5 + fieldBytes(utf8Length(key)) + fieldBytes(utf8Length(value));
    }
  }
  return bytes;
}

export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

/** Its length goes into two bytes. */
function fieldBytes(length: number): number {
  return length > FIELD_BYTES_MAX ? Number.POSITIVE_INFINITY : length;
}
