/**
 * The MQTT 5 properties of a PUBLISH as the packet carries them, and their way to and from a message's own.
 *
 * The client library keeps user properties as an object: repeated keys stay in order among themselves, but the order
 * between different keys is lost where keys repeat or look like numbers. An empty value of a key that comes again is lost:
 * the library's parser takes it for none.
 */
import type { IPublishPacket } from "mqtt";
import type { MessageProperties } from "../wire/message.ts";

export interface PacketProperties {
  readonly payloadFormatIndicator?: boolean;
  /** Seconds that are left. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly userProperties?: Readonly<Record<string, string | readonly string[]>>;
}

/** Null stays null: a message without properties. */
export function toPacketProperties(properties: MessageProperties | null): PacketProperties | null {
  if (properties === null) return null;
  const { userProperties, ...plain } = properties;
  if (userProperties === undefined) return plain;
  // Without a prototype: `__proto__` is a key like any other.
  const byKey: Record<string, string[]> = Object.create(null);
  for (const [key, value] of userProperties) {
    const values = byKey[key];
    if (values === undefined) byKey[key] = [value];
    else values.push(value);
  }
  return { ...plain, userProperties: byKey };
}

/** Null: the message has none. What belongs to the packet, not to the message, stays behind: expiry is told apart. */
export function toMessageProperties(properties: PacketProperties | null): MessageProperties | null {
  if (properties === null) return null;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const pairs: (readonly [string, string])[] = [];
  for (const [key, values] of Object.entries(userProperties ?? {})) {
    if (typeof values === "string") pairs.push([key, values]);
    else for (const value of values) pairs.push([key, value]);
  }
  const message: MessageProperties = {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(pairs.length === 0 ? {} : { userProperties: pairs }),
  };
  return Object.keys(message).length === 0 ? null : message;
}

/** As the client library takes them: it writes no packet at all, and says nothing, when there is an object with no user property in it. */
export function toLibrary(properties: PacketProperties): NonNullable<IPublishPacket["properties"]> {
  const { correlationData, userProperties, ...plain } = properties;
  const byKey: Record<string, string | string[]> = Object.create(null);
  for (const [key, values] of Object.entries(userProperties ?? {})) {
    byKey[key] = typeof values === "string" ? values : [...values];
  }
  return {
    ...plain,
    ...(correlationData === undefined ? {} : { correlationData: toBuffer(correlationData) }),
    ...(Object.keys(byKey).length === 0 ? {} : { userProperties: byKey }),
  };
}

/** The same bytes, not a copy. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
