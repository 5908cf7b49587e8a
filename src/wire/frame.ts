/** Frames as bytes and back: a batch of messages, compact where messages resemble each other. Layout: docs/PROTOCOL.md. */
import { ByteReader, ByteWriter, NUMBER_MAX } from "./bytes.ts";
import { beginEnvelope, NAME_BYTES_MAX, readMessage, readName } from "./envelope.ts";
import { readStateMark, writeStateMark } from "./extensions.ts";
import type { Decoded, Frame, FramedMessage, Message, MessageProperties, Speaker } from "./message.ts";

export const FRAME_TYPE = 64;
/** Frames larger than this are refused; a peer is told in the hello. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const MESSAGES_MAX = 65_535;
const TEXT_BYTES_MAX = 65_535;
/** In all messages of a frame: two empty texts are two bytes on the wire and a hundred in memory. */
const USER_PROPERTIES_MAX = 65_535;
/** MQTT 5, 3.3.2.3.3: the Message Expiry Interval is a four-byte number of seconds. */
const EXPIRY_MAX_MS = 0xffffffff * 1_000;
/** Flags, a topic that repeats the one before, an empty payload. */
const MESSAGE_BYTES_MIN = 2;

const QOS_1 = 0x01;
const RETAIN = 0x02;
const NUMBERED = 0x04;
const SAME_TOPIC = 0x08;
const EXPIRY = 0x10;
const ORIGIN = 0x20;
const PROPERTIES = 0x40;
const EXTENSIONS = 0x80;

const PAYLOAD_IS_TEXT = 0x01;
const PAYLOAD_IS_BYTES = 0x02;
const CONTENT_TYPE = 0x04;
const RESPONSE_TOPIC = 0x08;
const CORRELATION = 0x10;
const USER = 0x20;
const PROPERTY_FLAGS = 0x3f;

export function encodeFrame(frame: Frame): Uint8Array {
  // A guess that spares the writer its growth; properties and long topics still make it grow.
  let bytesGuessed = 128;
  for (const { message } of frame.messages) bytesGuessed += 48 + message.payload.length;
  const writer = new ByteWriter(bytesGuessed);
  beginEnvelope(writer, FRAME_TYPE, frame.speaker);
  writer.varint(frame.routeOp);
  writer.hex(frame.stream);
  writer.varint(frame.base);
  writer.varint(frame.messages.length);
  const running: Running = { number: 0, topic: "", userProperties: 0 };
  for (const framed of frame.messages) writeFramed(writer, framed, running);
  return writer.finish();
}

/** Payloads are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Decoded<Frame> {
  return readMessage(bytes, FRAME_BYTES_MAX, (reader, type, speaker) =>
    type === FRAME_TYPE ? readFrame(reader, speaker) : null,
  );
}

/** One message alone, as a frame would hold it: what a spool keeps. A message that `framedSize` refuses does not come back. */
export function packMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(96 + message.payload.length);
  writeFramed(writer, { number: null, message, origin: null }, { number: 0, topic: "", userProperties: 0 });
  return writer.finish();
}

/** The payload is a view of `bytes`. */
export function unpackMessage(bytes: Uint8Array): Decoded<Message> {
  const reader = new ByteReader(bytes);
  const { message } = readFramed(reader, { number: 0, topic: "", userProperties: 0 });
  reader.end();
  return reader.problem === null ? { ok: true, value: message } : { ok: false, problem: reader.problem };
}

/**
 * Upper bound of a message's bytes in a frame, without encoding it. Null: no frame can carry the message, and a receiver
 * would refuse the whole frame that tries. Such messages come from brokers that check less than MQTT asks for.
 */
export function framedSize(message: Message): number | null {
  if (topicIsBad(message.topic) || hasNul(message.topic)) return null;
  let size = 40 + 3 * message.topic.length + message.payload.length + NAME_BYTES_MAX;
  const { properties } = message;
  if (properties === null) return size;
  const { contentType = "", responseTopic, correlationData, userProperties = [] } = properties;
  if (hasNul(contentType) || userProperties.length > USER_PROPERTIES_MAX) return null;
  if (responseTopic !== undefined && (topicIsBad(responseTopic) || hasNul(responseTopic))) return null;
  size += 3 * (contentType.length + (responseTopic?.length ?? 0)) + 16 + (correlationData?.length ?? 0);
  for (const [key, value] of userProperties) {
    if (hasNul(key) || hasNul(value)) return null;
    size += 6 + 3 * (key.length + value.length);
  }
  return size;
}

/** Whether the text cannot be a topic; U+0000 apart, which the reader of a text sees. */
function topicIsBad(topic: string): boolean {
  // MQTT-4.7.3-1, MQTT-3.3.2-2, MQTT-3.3.2-14.
  return topic === "" || topic.includes("+") || topic.includes("#");
}

function hasNul(text: string): boolean {
  return text.includes("\u0000");
}

function readFrame(reader: ByteReader, speaker: Speaker): Frame {
  const routeOp = reader.varint();
  const stream = reader.hex(8);
  const base = reader.varint();
  // Numbers begin with 1.
  if (base === 0) reader.fail("bad_value");
  const count = reader.count(MESSAGES_MAX, MESSAGE_BYTES_MIN);
  const messages: FramedMessage[] = [];
  const running: Running = { number: 0, topic: "", userProperties: 0 };
  for (let i = 0; i < count && reader.problem === null; i += 1) messages.push(readFramed(reader, running));
  return { speaker, routeOp, stream, base, messages };
}

/** What a message leaves to the ones behind it. */
interface Running {
  number: number;
  topic: string;
  userProperties: number;
}

function writeFramed(writer: ByteWriter, framed: FramedMessage, running: Running): void {
  const { message } = framed;
  let flags = message.qos === 1 ? QOS_1 : 0;
  if (message.retain) flags |= RETAIN;
  if (framed.number !== null) flags |= NUMBERED;
  if (message.topic === running.topic) flags |= SAME_TOPIC;
  if (message.expiryMs !== null) flags |= EXPIRY;
  if (framed.origin !== null) flags |= ORIGIN;
  if (message.properties !== null) flags |= PROPERTIES;
  if (message.state === true) flags |= EXTENSIONS;
  writer.u8(flags);
  if (framed.number !== null) {
    writer.varint(framed.number - running.number);
    running.number = framed.number;
  }
  if (message.topic !== running.topic) writer.text(message.topic);
  running.topic = message.topic;
  if (message.expiryMs !== null) writer.varint(Math.max(0, Math.floor(message.expiryMs)));
  if (framed.origin !== null) writer.text(framed.origin);
  if (message.properties !== null) writeProperties(writer, message.properties);
  if (message.state === true) writeStateMark(writer);
  writer.block(message.payload);
}

function readFramed(reader: ByteReader, running: Running): FramedMessage {
  const flags = reader.u8();
  let number: number | null = null;
  if ((flags & NUMBERED) !== 0) {
    const step = reader.varint();
    number = running.number + step;
    if (step === 0 || number > NUMBER_MAX) reader.fail("bad_value");
    running.number = number;
  }
  if ((flags & SAME_TOPIC) === 0) running.topic = readTopic(reader);
  else if (running.topic === "") reader.fail("bad_topic");
  const { topic } = running;
  const expiryMs = (flags & EXPIRY) !== 0 ? reader.varint() : null;
  if (expiryMs !== null && expiryMs > EXPIRY_MAX_MS) reader.fail("bad_value");
  const origin = (flags & ORIGIN) !== 0 ? readName(reader) : null;
  const properties = (flags & PROPERTIES) !== 0 ? readProperties(reader, running) : null;
  const isState = (flags & EXTENSIONS) !== 0 && readStateMark(reader);
  if (isState && (flags & (QOS_1 | RETAIN)) !== QOS_1) reader.fail("bad_value");
  const payload = reader.block(FRAME_BYTES_MAX);
  const message: Message = {
    topic,
    payload,
    qos: (flags & QOS_1) !== 0 ? 1 : 0,
    retain: (flags & RETAIN) !== 0,
    properties,
    expiryMs,
    ...(isState ? { state: true } : {}),
  };
  return { number, message, origin };
}

function readTopic(reader: ByteReader): string {
  const topic = reader.text(TEXT_BYTES_MAX);
  if (topicIsBad(topic)) reader.fail("bad_topic");
  return topic;
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

function readProperties(reader: ByteReader, running: Running): MessageProperties {
  const flags = reader.u8();
  if ((flags & ~PROPERTY_FLAGS) !== 0) reader.fail("unknown_flags");
  const format = flags & (PAYLOAD_IS_TEXT | PAYLOAD_IS_BYTES);
  if (format === (PAYLOAD_IS_TEXT | PAYLOAD_IS_BYTES)) reader.fail("bad_value");
  return {
    ...(format === 0 ? {} : { payloadFormatIndicator: format === PAYLOAD_IS_TEXT }),
    ...((flags & CONTENT_TYPE) !== 0 ? { contentType: reader.text(TEXT_BYTES_MAX) } : {}),
    ...((flags & RESPONSE_TOPIC) !== 0 ? { responseTopic: readTopic(reader) } : {}),
    ...((flags & CORRELATION) !== 0 ? { correlationData: reader.block(TEXT_BYTES_MAX) } : {}),
    ...((flags & USER) !== 0 ? { userProperties: readUserProperties(reader, running) } : {}),
  };
}

function readUserProperties(reader: ByteReader, running: Running): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const count = reader.count(USER_PROPERTIES_MAX - running.userProperties, 2);
  running.userProperties += count;
  for (let i = 0; i < count && reader.problem === null; i += 1)
    pairs.push([reader.text(TEXT_BYTES_MAX), reader.text(TEXT_BYTES_MAX)]);
  return pairs;
}
