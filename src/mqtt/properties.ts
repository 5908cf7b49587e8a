/** MQTT 5 publish properties between mqtt.js's packets and our values. Repeated user properties keep their order by key. */
import type { IPublishPacket } from "mqtt";
import type { MessageProperties } from "../wire/message.ts";

export type PacketProperties = NonNullable<IPublishPacket["properties"]>;

export function toMessageProperties(properties: PacketProperties | undefined): MessageProperties | null {
  if (properties === undefined) return null;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const pairs: (readonly [string, string])[] = [];
  for (const [key, value] of Object.entries(userProperties ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) pairs.push([key, one]);
  }
  const all: MessageProperties = {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(pairs.length === 0 ? {} : { userProperties: pairs }),
  };
  return Object.keys(all).length === 0 ? null : all;
}

export function toPacketProperties(properties: MessageProperties | null, expirySeconds: number | null): PacketProperties | null {
  const packet: PacketProperties = {};
  if (expirySeconds !== null) packet.messageExpiryInterval = expirySeconds;
  if (properties !== null) {
    const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
    if (payloadFormatIndicator !== undefined) packet.payloadFormatIndicator = payloadFormatIndicator;
    if (contentType !== undefined) packet.contentType = contentType;
    if (responseTopic !== undefined) packet.responseTopic = responseTopic;
    if (correlationData !== undefined) packet.correlationData = Buffer.from(correlationData);
    if (userProperties !== undefined) packet.userProperties = grouped(userProperties);
  }
  return Object.keys(packet).length === 0 ? null : packet;
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const values = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  // No prototype: a client may well name a property "__proto__".
  const record: Record<string, string | string[]> = Object.create(null);
  for (const [key, list] of values) record[key] = list.length === 1 ? (list[0] ?? "") : list;
  return record;
}
