/** Frames as bytes and back: a batch of messages, compact where messages resemble each other. Layout: docs/PROTOCOL.md. */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { beginEnvelope, readEnvelope } from "./envelope.ts";
import type { Decoded, Frame, FramedMessage, Message, MessageProperties } from "./message.ts";

export const FRAME_TYPE = 64;
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const MESSAGES_MAX = 65_535;
const TEXT_BYTES_MAX = 65_535;
const ORIGIN_BYTES_MAX = 64;
const USER_PROPERTIES_MAX = 1_024;
/** Flags, a topic that repeats the one before, an empty payload. */
const MESSAGE_BYTES_MIN = 2;

const QOS_1 = 0x01;
const RETAIN = 0x02;
const NUMBERED = 0x04;
const SAME_TOPIC = 0x08;
const EXPIRY = 0x10;
const ORIGIN = 0x20;
const PROPERTIES = 0x40;
const MESSAGE_FLAGS = 0x7f;

const PAYLOAD_IS_TEXT = 0x01;
const PAYLOAD_IS_BYTES = 0x02;
const CONTENT_TYPE = 0x04;
const RESPONSE_TOPIC = 0x08;
const CORRELATION = 0x10;
const USER = 0x20;
const PROPERTY_FLAGS = 0x3f;

export function encodeFrame(frame: Frame): Uint8Array {
  const writer = new ByteWriter(1024);
  beginEnvelope(writer, FRAME_TYPE, frame.speaker);
  writer.varint(frame.routeOp);
  writer.hex(frame.stream);
  writer.varint(frame.base);
  writer.varint(frame.messages.length);
  let number = 0;
  let topic = "";
  for (const framed of frame.messages) {
    const { message } = framed;
    let flags = message.qos === 1 ? QOS_1 : 0;
    if (message.retain) flags |= RETAIN;
    if (framed.number !== null) flags |= NUMBERED;
    if (message.topic === topic) flags |= SAME_TOPIC;
    if (message.expiryMs !== null) flags |= EXPIRY;
    if (framed.origin !== null) flags |= ORIGIN;
    if (message.properties !== null) flags |= PROPERTIES;
    writer.u8(flags);
    if (framed.number !== null) {
      writer.varint(framed.number - number);
      number = framed.number;
    }
    if (message.topic !== topic) writer.text(message.topic);
    topic = message.topic;
    if (message.expiryMs !== null) writer.varint(Math.max(0, Math.floor(message.expiryMs)));
    if (framed.origin !== null) writer.text(framed.origin);
    if (message.properties !== null) writeProperties(writer, message.properties);
    writer.block(message.payload);
  }
  return writer.finish();
}

/** Payloads are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Decoded<Frame> {
  if (bytes.length > FRAME_BYTES_MAX) return { ok: false, problem: "too_large" };
  const reader = new ByteReader(bytes);
  const { type, speaker } = readEnvelope(reader);
  if (reader.problem === null && type !== FRAME_TYPE) return { ok: false, problem: "unknown_type" };
  const routeOp = reader.varint();
  const stream = reader.hex(8);
  const base = reader.varint();
  const count = reader.count(MESSAGES_MAX, MESSAGE_BYTES_MIN);
  const messages: FramedMessage[] = [];
  let last = { number: 0, topic: "" };
  for (let i = 0; i < count && reader.problem === null; i += 1) {
    const framed = readMessage(reader, last);
    messages.push(framed);
    last = { number: framed.number ?? last.number, topic: framed.message.topic };
  }
  reader.end();
  if (reader.problem !== null) return { ok: false, problem: reader.problem };
  return { ok: true, value: { speaker, routeOp, stream, base, messages } };
}

/** Upper bound of a message's bytes in a frame, without encoding it. */
export function framedSize(message: Message): number {
  let size = 40 + 3 * message.topic.length + message.payload.length + ORIGIN_BYTES_MAX;
  const { properties } = message;
  if (properties === null) return size;
  size += 3 * ((properties.contentType?.length ?? 0) + (properties.responseTopic?.length ?? 0)) + 16;
  size += properties.correlationData?.length ?? 0;
  for (const [key, value] of properties.userProperties ?? []) size += 6 + 3 * (key.length + value.length);
  return size;
}

function readMessage(reader: ByteReader, last: { number: number; topic: string }): FramedMessage {
  const flags = reader.u8();
  if ((flags & ~MESSAGE_FLAGS) !== 0) reader.fail("unknown_flags");
  let number: number | null = null;
  if ((flags & NUMBERED) !== 0) {
    const step = reader.varint();
    number = last.number + step;
    if (step === 0 || number > Number.MAX_SAFE_INTEGER) reader.fail("bad_value");
  }
  const topic = (flags & SAME_TOPIC) !== 0 ? last.topic : reader.text(TEXT_BYTES_MAX);
  if (topic === "") reader.fail("bad_topic");
  const expiryMs = (flags & EXPIRY) !== 0 ? reader.varint() : null;
  const origin = (flags & ORIGIN) !== 0 ? reader.text(ORIGIN_BYTES_MAX) : null;
  const properties = (flags & PROPERTIES) !== 0 ? readProperties(reader) : null;
  const payload = reader.block(FRAME_BYTES_MAX);
  const message: Message = {
    topic,
    payload,
    qos: (flags & QOS_1) !== 0 ? 1 : 0,
    retain: (flags & RETAIN) !== 0,
    properties,
    expiryMs,
  };
  return { number, message, origin };
}

function writeProperties(writer: ByteWriter, properties: MessageProperties): void {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  let flags = 0;
  if (payloadFormatIndicator !== undefined) flags |= payloadFormatIndicator ? PAYLOAD_IS_TEXT : PAYLOAD_IS_BYTES;
  if (contentType !== undefined) flags |= CONTENT_TYPE;
  if (responseTopic !== undefined) flags |= RESPONSE_TOPIC;
  if (correlationData !== undefined) flags |= CORRELATION;
  if (userProperties !== undefined) flags |= USER;
  writer.u8(flags);
  if (contentType !== undefined) writer.text(contentType);
  if (responseTopic !== undefined) writer.text(responseTopic);
  if (correlationData !== undefined) writer.block(correlationData);
  if (userProperties === undefined) return;
  writer.varint(userProperties.length);
  for (const [key, value] of userProperties) {
    writer.text(key);
    writer.text(value);
  }
}

function readProperties(reader: ByteReader): MessageProperties {
  const flags = reader.u8();
  if ((flags & ~PROPERTY_FLAGS) !== 0) reader.fail("unknown_flags");
  const format = flags & (PAYLOAD_IS_TEXT | PAYLOAD_IS_BYTES);
  if (format === (PAYLOAD_IS_TEXT | PAYLOAD_IS_BYTES)) reader.fail("bad_value");
  return {
    ...(format === 0 ? {} : { payloadFormatIndicator: format === PAYLOAD_IS_TEXT }),
    ...((flags & CONTENT_TYPE) !== 0 ? { contentType: reader.text(TEXT_BYTES_MAX) } : {}),
    ...((flags & RESPONSE_TOPIC) !== 0 ? { responseTopic: reader.text(TEXT_BYTES_MAX) } : {}),
    ...((flags & CORRELATION) !== 0 ? { correlationData: reader.block(TEXT_BYTES_MAX) } : {}),
    ...((flags & USER) !== 0 ? { userProperties: readUserProperties(reader) } : {}),
  };
}

function readUserProperties(reader: ByteReader): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const count = reader.count(USER_PROPERTIES_MAX, 2);
  for (let i = 0; i < count && reader.problem === null; i += 1)
    pairs.push([reader.text(TEXT_BYTES_MAX), reader.text(TEXT_BYTES_MAX)]);
  return pairs;
}
