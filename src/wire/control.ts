/** Control messages as bytes and back. The layouts are in docs/PROTOCOL.md; every bound is checked, nothing throws. */
import type { Digest } from "../base/digest.ts";
import { type ByteReader, ByteWriter, NUMBER_MAX } from "./bytes.ts";
import { beginEnvelope, readMessage, readName } from "./envelope.ts";
import {
  type Extensions,
  readBacklog,
  readExpands,
  readStates,
  readTrouble,
  type Said,
  writeExtensions,
} from "./extensions.ts";
import type {
  AckResult,
  AgainReason,
  ControlBody,
  ControlMessage,
  Decoded,
  ProtocolRange,
  RoutesMark,
  Speaker,
} from "./message.ts";
import { readOps, writeOps } from "./route-ops.ts";

export { batchOps } from "./route-ops.ts";

/** Batches are cut far below it; a message above it is nobody's. */
export const CONTROL_BYTES_MAX = 256 * 1024;
const VERSION_BYTES_MAX = 64;
/** A version is shown to operators: nothing that a terminal or a log would take for something else. */
const VERSION_PATTERN = /^[ -~]*$/;
const FILTER_BYTES_MAX = 65_535;
/** Far more than this version names: a later one may need them. */
const RANGES_MAX = 4_096;
/** Room for a frame's header and a small message: who names less has made a mistake. */
const FRAME_BYTES_MIN = 4_096;

const TYPES = {
  hello: 1,
  ack: 2,
  bootstrap: 3,
  bootstrap_end: 4,
  bootstrap_ack: 5,
  routes: 6,
  routes_ack: 7,
  heartbeat: 8,
  again: 9,
  refused: 10,
  goodbye: 11,
  settled: 12,
} as const satisfies Record<ControlBody["type"], number>;

const RESULTS: readonly AckResult[] = [
  "ok",
  "unknown_link",
  "wrong_name",
  "link_disabled",
  "duplicate_agent",
  "old_incarnation",
  "protocol_mismatch",
];
const WHATS = ["hello", "bootstrap"] as const;
const REASONS: readonly AgainReason[] = [
  "unknown_incarnation",
  "digest_mismatch",
  "bad_message",
  "no_bootstrap",
  "log_gap",
];
/** A result or reason that a later version may say and this one has no word for. */
const UNKNOWN = 0xff;
const KINDS = ["pause", "leave", "lost"] as const;

export function encodeControl(message: ControlMessage): Uint8Array {
  const writer = new ByteWriter();
  const { body } = message;
  beginEnvelope(writer, TYPES[body.type], message.speaker, writeExtensions(said(body)));
  switch (body.type) {
    case "hello":
      writer.varint(body.greeting);
      writer.text(body.to);
      writer.text(body.from);
      writer.text(body.agentVersion);
      writeProtocols(writer, body);
      writer.varint(body.frameBytesMax);
      break;
    case "ack":
      writer.varint(body.greeting);
      writeSpeaker(writer, body.of);
      writer.text(body.name);
      writer.u8(body.result === "unknown" ? UNKNOWN : RESULTS.indexOf(body.result));
      writer.varint(body.highest);
      writer.u8(body.have === null ? 0 : 1);
      if (body.have !== null) writeMark(writer, body.have);
      writeProtocols(writer, body);
      writer.varint(body.frameBytesMax);
      break;
    case "bootstrap":
      writer.varint(body.bootstrap);
      writer.varint(body.part);
      writeOps(writer, body.ops);
      break;
    case "bootstrap_end":
      writer.varint(body.bootstrap);
      writer.varint(body.parts);
      writeMark(writer, body.mark);
      break;
    case "bootstrap_ack":
      writeSpeaker(writer, body.of);
      writer.varint(body.bootstrap);
      writer.varint(body.nextPart);
      writer.u8(body.done ? 1 : 0);
      break;
    case "routes":
      writer.varint(body.firstOp);
      writeOps(writer, body.ops);
      break;
    case "routes_ack":
      writeSpeaker(writer, body.of);
      writer.varint(body.op);
      break;
    case "heartbeat":
      writeMark(writer, body.mark);
      break;
    case "again":
      writeSpeaker(writer, body.of);
      writer.u8(WHATS.indexOf(body.what));
      writer.u8(body.reason === "unknown" ? UNKNOWN : REASONS.indexOf(body.reason));
      break;
    case "refused":
      writeSpeaker(writer, body.of);
      writer.text(body.filter);
      writer.u8(body.reasonCode);
      writer.u8(body.refused ? 1 : 0);
      break;
    case "goodbye":
      writer.u8(KINDS.indexOf(body.kind));
      writer.varint(body.greeting);
      break;
    case "settled":
      writeSpeaker(writer, body.of);
      writer.hex(body.stream);
      writer.varint(body.upTo);
      writer.varint(body.ranges.length);
      for (const [first, last] of body.ranges) {
        writer.varint(first);
        writer.varint(last);
      }
      break;
  }
  return writer.finish();
}

/** What goes into the extensions of the kinds that have some. */
function said(body: ControlBody): Said {
  return body.type === "heartbeat" || body.type === "hello" || body.type === "ack" ? body : {};
}

export function decodeControl(bytes: Uint8Array): Decoded<ControlMessage> {
  return readMessage(bytes, CONTROL_BYTES_MAX, (reader, type, speaker, extensions) => {
    const body = readBody(reader, type, extensions);
    return body === null ? null : { speaker, body };
  });
}

function readBody(
  reader: ByteReader,
  type: number,
  { trouble, backlog, expands, states }: Extensions,
): ControlBody | null {
  switch (type) {
    case TYPES.hello:
      return {
        type: "hello",
        greeting: reader.varint(),
        to: readName(reader),
        from: readName(reader),
        agentVersion: readVersion(reader),
        ...readProtocols(reader),
        frameBytesMax: readFrameBytesMax(reader),
        ...(expands === null ? {} : { expands: readExpands(expands) }),
        ...(states === null ? {} : { states: readStates(reader, states) }),
      };
    case TYPES.ack:
      return {
        type: "ack",
        greeting: reader.varint(),
        of: readSpeaker(reader),
        name: readName(reader),
        result: RESULTS[reader.u8()] ?? "unknown",
        highest: readHighest(reader),
        have: flag(reader) ? readMark(reader) : null,
        ...readProtocols(reader),
        frameBytesMax: readFrameBytesMax(reader),
        ...(expands === null ? {} : { expands: readExpands(expands) }),
        ...(states === null ? {} : { states: readStates(reader, states) }),
      };
    case TYPES.bootstrap:
      return { type: "bootstrap", bootstrap: reader.varint(), part: reader.varint(), ops: readOps(reader) };
    case TYPES.bootstrap_end:
      return {
        type: "bootstrap_end",
        bootstrap: reader.varint(),
        parts: reader.varint(),
        mark: readMark(reader),
      };
    case TYPES.bootstrap_ack:
      return {
        type: "bootstrap_ack",
        of: readSpeaker(reader),
        bootstrap: reader.varint(),
        nextPart: reader.varint(),
        done: flag(reader),
      };
    case TYPES.routes: {
      const firstOp = reader.varint();
      if (firstOp === 0) reader.fail("bad_value");
      return { type: "routes", firstOp, ops: readOps(reader) };
    }
    case TYPES.routes_ack:
      return { type: "routes_ack", of: readSpeaker(reader), op: reader.varint() };
    case TYPES.heartbeat:
      return {
        type: "heartbeat",
        mark: readMark(reader),
        ...(trouble === null ? {} : { trouble: readTrouble(reader, trouble) }),
        ...(backlog === null ? {} : { backlog: readBacklog(reader, backlog) }),
      };
    case TYPES.again:
      return {
        type: "again",
        of: readSpeaker(reader),
        what: oneOf(reader, WHATS),
        reason: REASONS[reader.u8()] ?? "unknown",
      };
    case TYPES.refused:
      return {
        type: "refused",
        of: readSpeaker(reader),
        filter: readFilter(reader),
        reasonCode: reader.u8(),
        refused: flag(reader),
      };
    case TYPES.goodbye:
      return { type: "goodbye", kind: oneOf(reader, KINDS), greeting: reader.varint() };
    case TYPES.settled:
      return {
        type: "settled",
        of: readSpeaker(reader),
        stream: reader.hex(8),
        upTo: reader.varint(),
        ranges: readRanges(reader),
      };
    default:
      return null;
  }
}

function readRanges(reader: ByteReader): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  const count = reader.count(RANGES_MAX, 2);
  let after = 0;
  for (let i = 0; i < count && reader.problem === null; i += 1) {
    const first = reader.varint();
    const last = reader.varint();
    if (first <= after || last < first) reader.fail("bad_value");
    after = last;
    ranges.push([first, last]);
  }
  return ranges;
}

function readFilter(reader: ByteReader): string {
  const filter = reader.text(FILTER_BYTES_MAX);
  if (filter === "") reader.fail("bad_filter");
  return filter;
}

function readVersion(reader: ByteReader): string {
  const version = reader.text(VERSION_BYTES_MAX);
  if (!VERSION_PATTERN.test(version)) reader.fail("bad_value");
  return version;
}

function readFrameBytesMax(reader: ByteReader): number {
  const bytes = reader.varint();
  if (bytes < FRAME_BYTES_MIN) reader.fail("bad_value");
  return bytes;
}

/** Who learns it takes the next number, which must still be one. */
function readHighest(reader: ByteReader): number {
  const highest = reader.varint();
  if (highest === NUMBER_MAX) reader.fail("bad_value");
  return highest;
}

function writeProtocols(writer: ByteWriter, { protocolMin, protocolMax }: ProtocolRange): void {
  writer.varint(protocolMin);
  writer.varint(protocolMax);
}

function readProtocols(reader: ByteReader): ProtocolRange {
  const protocolMin = reader.varint();
  const protocolMax = reader.varint();
  if (protocolMin === 0 || protocolMax < protocolMin) reader.fail("bad_value");
  return { protocolMin, protocolMax };
}

function writeSpeaker(writer: ByteWriter, speaker: Speaker): void {
  writer.varint(speaker.incarnation);
  writer.hex(speaker.instance);
}

function readSpeaker(reader: ByteReader): Speaker {
  return { incarnation: reader.varint(), instance: reader.hex(8) };
}

function writeMark(writer: ByteWriter, mark: RoutesMark): void {
  writer.varint(mark.op);
  writer.varint(mark.count);
  writer.u32(mark.digest.high);
  writer.u32(mark.digest.low);
}

function readMark(reader: ByteReader): RoutesMark {
  const op = reader.varint();
  const count = reader.varint();
  const digest: Digest = { high: reader.u32(), low: reader.u32() };
  return { op, count, digest };
}

function oneOf<T>(reader: ByteReader, values: readonly [T, ...T[]] | readonly T[]): T {
  const value = values[reader.u8()];
  const [first] = values;
  if (value !== undefined) return value;
  reader.fail("bad_value");
  return first as T;
}

function flag(reader: ByteReader): boolean {
  const value = reader.u8();
  if (value > 1) reader.fail("bad_value");
  return value === 1;
}
