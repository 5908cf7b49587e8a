/** Our own PUBLISH and the answers to the broker's, as bytes (MQTT5 3.3 to 3.7). */
import { utf8Length } from "../topic/filter.ts";
import type { PacketProperties } from "./packet-properties.ts";
import { expiryOf, type PublishPacket, propertiesBytes, varintBytes } from "./publish.ts";
import type { WriteBuffer } from "./write-buffer.ts";

const PUBLISH = 0x30;
const RETAIN = 0x01;
const QOS_1 = 0x02;
/** Type, remaining length, identifier, reason code. */
const ANSWER_BYTES = 5;

/** First bytes of what answers a packet of the broker's by its identifier. */
export const PUBACK = 0x40;
export const PUBREC = 0x50;
export const PUBCOMP = 0x70;

/** The packet is within what `publishBytes` allows. `packetId`: 0 at QoS 0. */
export function encodePublish(out: WriteBuffer, packet: PublishPacket, packetId: number, version: 4 | 5): void {
  const { topic, payload, qos, retain } = packet;
  const properties = packet.properties ?? null;
  const expiry = expiryOf(packet);
  const propertyBytes = version === 5 ? propertiesBytes(properties, expiry) : 0;
  const headBytes =
    2 + utf8Length(topic) + (qos === 0 ? 0 : 2) + (version === 5 ? varintBytes(propertyBytes) + propertyBytes : 0);
  const remaining = headBytes + payload.length;
  out.reserve(1 + varintBytes(remaining) + headBytes);
  out.u8(PUBLISH | (qos === 0 ? 0 : QOS_1) | (retain ? RETAIN : 0));
  out.varint(remaining);
  out.text(topic);
  if (qos !== 0) out.u16(packetId);
  if (version === 5) {
    out.varint(propertyBytes);
    if (propertyBytes > 0) encodeProperties(out, properties, expiry);
  }
  out.bytes(payload);
}

/** 3.1.1 knows no reasons. */
export function encodeAnswer(
  out: WriteBuffer,
  firstByte: number,
  packetId: number,
  reasonCode: number,
  version: 4 | 5,
): void {
  const short = version === 4 || reasonCode === 0;
  out.reserve(ANSWER_BYTES);
  out.u8(firstByte);
  out.u8(short ? 2 : 3);
  out.u16(packetId);
  if (!short) out.u8(reasonCode);
}

function encodeProperties(out: WriteBuffer, properties: PacketProperties | null, expiry: number | null): void {
  if (expiry !== null) {
    out.u8(0x02);
    out.u32(expiry);
  }
  if (properties === null) return;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  if (payloadFormatIndicator !== undefined) {
    out.u8(0x01);
    out.u8(payloadFormatIndicator ? 1 : 0);
  }
  if (contentType !== undefined) {
    out.u8(0x03);
    out.text(contentType);
  }
  if (responseTopic !== undefined) {
    out.u8(0x08);
    out.text(responseTopic);
  }
  if (userProperties !== undefined) {
    for (const [key, value] of userProperties) {
      out.u8(0x26);
      out.text(key);
      out.text(value);
    }
  }
  if (correlationData !== undefined) {
    out.u8(0x09);
    out.u16(correlationData.length);
    out.bytes(correlationData);
  }
}
