/**
 * A second codec of the wire, written from docs/PROTOCOL.md, sections 4 to 6, alone; nothing of src/ is used. The tests
 * compare it with the one in src/wire, and a peer that speaks through it links with a real agent.
 */
import { expandedBody, expands } from "./plain-compression.ts";
import {
  block,
  Cursor,
  type Field,
  flag,
  hexBytes,
  list,
  name,
  names,
  PlainProblem,
  pair,
  struct,
  text,
  u8,
  u32,
  type ValueOf,
  varint,
  where,
} from "./plain-fields.ts";

export type PlainBody = { readonly type: string } & Readonly<Record<string, unknown>>;
export type PlainSpeaker = ValueOf<typeof someone>;
export type PlainMark = ValueOf<typeof mark>;

export interface PlainControl {
  readonly speaker: PlainSpeaker;
  readonly body: PlainBody;
}

export interface PlainMessage {
  readonly number: number | null;
  readonly message: {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly qos: number;
    readonly retain: boolean;
    readonly properties: Readonly<Record<string, unknown>> | null;
    readonly expiryMs: number | null;
    readonly state?: boolean;
  };
  readonly origin: string | null;
}

export interface PlainFrame {
  readonly speaker: PlainSpeaker;
  readonly routeOp: number;
  readonly stream: string;
  readonly base: number;
  readonly messages: readonly PlainMessage[];
}

export type PlainDecoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const CONTROL_BYTES_MAX = 262_144;
const FRAME_BYTES_MAX = 16_777_216;
const FRAME = 64;
const COMPRESSED_FRAME = 65;

const someone = struct({ incarnation: varint, instance: hexBytes(8) });
const mark = struct({ op: varint, count: varint, digest: struct({ high: u32, low: u32 }) });
const range = where(pair(varint, varint), ([first, last]) => first >= 1 && last >= first);
const filter = where(text(65_535), (value) => value !== "", "bad_filter");
const positive = where(varint, (value) => value >= 1);
const topic = where(text(65_535), (value) => /^[^+#]+$/s.test(value), "bad_topic");

const groups = list(16, 1, text(65_535));
const kind = names(["", "add", "delete"]);
const operation: Field<{ op: string; filter: string; groups?: string[] }> = {
  read(cursor) {
    const op = where(kind, (value) => value !== "").read(cursor);
    const about = { op, filter: filter.read(cursor) };
    return op === "add" ? { ...about, groups: groups.read(cursor) } : about;
  },
  write(out, value) {
    out.push(value.op === "add" ? 1 : 2);
    filter.write(out, value.filter);
    if (value.op === "add") groups.write(out, value.groups ?? []);
  },
};
const operations = list(262_144, 3, operation);

const held: Field<PlainMark | null> = {
  read: (cursor) => (flag.read(cursor) ? mark.read(cursor) : null),
  write(out, value) {
    flag.write(out, value !== null);
    if (value !== null) mark.write(out, value);
  },
};

const protocols = {
  protocolMin: positive,
  protocolMax: varint,
};
const inOrder = (value: { protocolMin: number; protocolMax: number }) => value.protocolMin <= value.protocolMax;
const frameBytesMax = where(varint, (value) => value >= 4_096);

const RESULTS = [
  "ok",
  "unknown_link",
  "wrong_name",
  "link_disabled",
  "duplicate_agent",
  "old_incarnation",
  "protocol_mismatch",
];
const REASONS = ["unknown_incarnation", "digest_mismatch", "bad_message", "no_bootstrap", "log_gap"];

const BODIES: Readonly<Record<number, { readonly type: string; readonly fields: Field<unknown> }>> = {
  1: {
    type: "hello",
    fields: where(
      struct({
        greeting: varint,
        to: name,
        from: name,
        agentVersion: where(text(64), (value) => /^[ -~]*$/.test(value)),
        ...protocols,
        frameBytesMax,
      }),
      inOrder,
    ),
  },
  2: {
    type: "ack",
    fields: where(
      struct({
        greeting: varint,
        of: someone,
        name,
        result: names(RESULTS, "unknown"),
        highest: where(varint, (value) => value < 2 ** 53 - 1),
        have: held,
        ...protocols,
        frameBytesMax,
      }),
      inOrder,
    ),
  },
  3: { type: "bootstrap", fields: struct({ bootstrap: varint, part: varint, ops: operations }) },
  4: { type: "bootstrap_end", fields: struct({ bootstrap: varint, parts: varint, mark }) },
  5: { type: "bootstrap_ack", fields: struct({ of: someone, bootstrap: varint, nextPart: varint, done: flag }) },
  6: { type: "routes", fields: struct({ firstOp: positive, ops: operations }) },
  7: { type: "routes_ack", fields: struct({ of: someone, op: varint }) },
  8: { type: "heartbeat", fields: struct({ mark }) },
  9: {
    type: "again",
    fields: struct({ of: someone, what: names(["hello", "bootstrap"]), reason: names(REASONS, "unknown") }),
  },
  10: { type: "refused", fields: struct({ of: someone, filter, reasonCode: u8, refused: flag }) },
  11: { type: "goodbye", fields: struct({ kind: names(["pause", "leave", "lost"]), greeting: varint }) },
  12: {
    type: "settled",
    fields: struct({
      of: someone,
      stream: hexBytes(8),
      upTo: varint,
      ranges: where(list(4_096, 2, range), (ranges) =>
        ranges.every(([first], at) => at === 0 || first > (ranges[at - 1]?.[1] ?? 0)),
      ),
    }),
  },
};

// ── section 6 ──────────────────────────────────────────────────────────────────────────────────────────

const userProperty = pair(text(65_535), text(65_535));
const correlation = block(65_535);
const contents = block(FRAME_BYTES_MAX);

function readProperties(cursor: Cursor, userPropertiesLeft: number): Record<string, unknown> {
  const flags = cursor.u8();
  if (flags >= 0x40) throw new PlainProblem("unknown_flags");
  if ((flags & 3) === 3) throw new PlainProblem("bad_value");
  const properties: Record<string, unknown> = {};
  if (flags & 3) properties["payloadFormatIndicator"] = (flags & 1) === 1;
  if (flags & 4) properties["contentType"] = text(65_535).read(cursor);
  if (flags & 8) properties["responseTopic"] = topic.read(cursor);
  if (flags & 16) properties["correlationData"] = correlation.read(cursor);
  if (flags & 32) properties["userProperties"] = list(userPropertiesLeft, 2, userProperty).read(cursor);
  return properties;
}

function writeProperties(out: number[], properties: Readonly<Record<string, unknown>>): void {
  const { payloadFormatIndicator: format, contentType, responseTopic, correlationData, userProperties } = properties;
  const at = out.push(format === undefined ? 0 : format === true ? 1 : 2) - 1;
  const put = <T>(bit: number, field: Field<T>, value: unknown): void => {
    if (value === undefined) return;
    out[at] = (out[at] ?? 0) | bit;
    field.write(out, value as T);
  };
  put(4, text(65_535), contentType);
  put(8, topic, responseTopic);
  put(16, correlation, correlationData);
  put(32, list(65_535, 2, userProperty), userProperties);
}

function readMessages(cursor: Cursor): PlainMessage[] {
  let lastNumber = 0;
  let lastTopic = "";
  let userPropertiesLeft = 65_535;
  const message: Field<PlainMessage> = {
    read() {
      const flags = cursor.u8();
      if (flags & 0x04) lastNumber += positive.read(cursor);
      if (lastNumber > Number.MAX_SAFE_INTEGER) throw new PlainProblem("bad_value");
      if ((flags & 0x08) === 0) lastTopic = topic.read(cursor);
      if (lastTopic === "") throw new PlainProblem("bad_topic");
      const expiryMs = flags & 0x10 ? where(varint, (value) => value <= 4_294_967_295_000).read(cursor) : null;
      const origin = flags & 0x20 ? name.read(cursor) : null;
      const properties = flags & 0x40 ? readProperties(cursor, userPropertiesLeft) : null;
      const { userProperties } = properties ?? {};
      if (Array.isArray(userProperties)) userPropertiesLeft -= userProperties.length;
      const state = flags & 0x80 ? readExtensions(cursor, STATE).get(STATE) : undefined;
      if (state !== undefined && (state.length > 0 || (flags & 3) !== 1)) throw new PlainProblem("bad_value");
      const payload = contents.read(cursor);
      const about = { qos: flags & 1, retain: (flags & 2) !== 0, properties, expiryMs };
      return {
        number: flags & 0x04 ? lastNumber : null,
        message: { topic: lastTopic, payload, ...about, ...(state === undefined ? {} : { state: true }) },
        origin,
      };
    },
    write() {},
  };
  return list(65_535, 2, message).read(cursor);
}

function writeMessages(out: number[], messages: readonly PlainMessage[]): void {
  varint.write(out, messages.length);
  let lastNumber = 0;
  let lastTopic = "";
  for (const { number, message, origin } of messages) {
    const same = message.topic === lastTopic;
    const bits = [message.qos === 1, message.retain, number !== null, same, message.expiryMs !== null, origin !== null];
    bits.push(message.properties !== null, message.state === true);
    out.push(bits.reduce((sum, on, bit) => (on ? sum + 2 ** bit : sum), 0));
    if (number !== null) varint.write(out, number - lastNumber);
    lastNumber = number ?? lastNumber;
    if (!same) topic.write(out, message.topic);
    lastTopic = message.topic;
    if (message.expiryMs !== null) varint.write(out, message.expiryMs);
    if (origin !== null) name.write(out, origin);
    if (message.properties !== null) writeProperties(out, message.properties);
    if (message.state === true) out.push(2, STATE, 0);
    contents.write(out, message.payload);
  }
}

// ── section 4 ──────────────────────────────────────────────────────────────────────────────────────────

/** Of a message: it is a state. */
const STATE = 1;

/** One byte, and what a later version puts behind it. */
const states: Field<{ wanted: boolean; served: boolean }> = {
  read(cursor) {
    const flags = cursor.u8();
    return { wanted: (flags & 1) !== 0, served: (flags & 2) !== 0 };
  },
  write: (out, value) => void out.push((value.wanted ? 1 : 0) + (value.served ? 2 : 0)),
};

/** What a heartbeat may have, and hello and ack; how many bytes at least and at most. */
const EXTENSIONS = {
  6: { of: ["heartbeat"], key: "trouble", bytes: [2, 2], fields: struct({ framesRefused: u8, unheard: flag }) },
  8: {
    of: ["heartbeat"],
    key: "backlog",
    bytes: [2, 2],
    fields: struct({ draining: flag, percent: where(u8, (value) => value >= 1 && value <= 100) }),
  },
  10: { of: ["hello", "ack"], key: "expands", bytes: [0, 65_536], fields: expands },
  12: { of: ["hello", "ack"], key: "states", bytes: [1, 65_536], fields: states },
} as const;

/** Answers the values by their tags, undecoded. `odd`: an odd tag that is understood. */
function readExtensions(cursor: Cursor, odd = 0): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const inside = new Cursor(block(65_536).read(cursor));
  for (let last = -1; inside.left > 0; ) {
    const tag = where(varint, (value) => value > last && value <= 65_535).read(inside);
    found.set(tag, block(65_536).read(inside));
    if (tag % 2 === 1 && tag !== odd) throw new PlainProblem("unknown_extension");
    last = tag;
  }
  return found;
}

function readEnvelope(cursor: Cursor): { type: number; speaker: PlainSpeaker; extensions: Map<number, Uint8Array> } {
  for (const letter of "BL") if (cursor.u8() !== letter.charCodeAt(0)) throw new PlainProblem("bad_magic");
  if (cursor.u8() !== 1) throw new PlainProblem("unsupported_version");
  const flags = cursor.u8();
  if (flags >= 0x08) throw new PlainProblem("unknown_flags");
  const type = cursor.u8();
  if (flags & 1) {
    block(256).read(cursor);
    throw new PlainProblem("authenticator_unexpected");
  }
  if (flags & 2) list(16, 2, name).read(cursor);
  const extensions = flags & 4 ? readExtensions(cursor) : new Map<number, Uint8Array>();
  return { type, extensions, speaker: where(someone, ({ incarnation }) => incarnation >= 1).read(cursor) };
}

function decoded<T>(bytes: Uint8Array, bytesMax: number, read: (cursor: Cursor) => T): PlainDecoded<T> {
  try {
    if (bytes.length > bytesMax) throw new PlainProblem("too_large");
    const cursor = new Cursor(bytes);
    const value = read(cursor);
    if (cursor.left > 0) throw new PlainProblem("trailing_bytes");
    return { ok: true, value };
  } catch (error) {
    if (error instanceof PlainProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

function unknown(type: number): PlainProblem {
  return new PlainProblem(type < 128 ? "unknown_type" : "optional_type");
}

export function decodePlainControl(bytes: Uint8Array): PlainDecoded<PlainControl> {
  return decoded(bytes, CONTROL_BYTES_MAX, (cursor) => {
    const { type, speaker, extensions } = readEnvelope(cursor);
    const known = BODIES[type];
    if (known === undefined) throw unknown(type);
    const body = { type: known.type, ...(known.fields.read(cursor) as Record<string, unknown>) };
    return { speaker, body: { ...body, ...readKnown(known.type, extensions) } };
  });
}

function readKnown(type: string, extensions: Map<number, Uint8Array>): object {
  const known: Record<string, unknown> = {};
  for (const [tag, { of, key, bytes, fields }] of Object.entries(EXTENSIONS)) {
    const value = extensions.get(Number(tag));
    if (value === undefined || !(of as readonly string[]).includes(type)) continue;
    if (value.length < bytes[0] || value.length > bytes[1]) throw new PlainProblem("bad_value");
    known[key] = fields.read(new Cursor(value));
  }
  return known;
}

export function encodePlainControl({ speaker, body }: PlainControl): Uint8Array {
  const [type, known] = Object.entries(BODIES).find(([, each]) => each.type === body.type) ?? [];
  if (known === undefined) throw new Error(`no type ${body.type}`);
  const extensions: number[] = [];
  for (const [tag, { key, fields }] of Object.entries(EXTENSIONS)) {
    if (body[key] === undefined) continue;
    const value: number[] = [];
    (fields as Field<unknown>).write(value, body[key]);
    extensions.push(Number(tag), value.length, ...value);
  }
  const out = [0x42, 0x4c, 1, extensions.length === 0 ? 0 : 4, Number(type)];
  if (extensions.length > 0) out.push(extensions.length, ...extensions);
  someone.write(out, speaker);
  known.fields.write(out, body);
  return Uint8Array.from(out);
}

export function decodePlainFrame(bytes: Uint8Array): PlainDecoded<PlainFrame> {
  return decoded(bytes, FRAME_BYTES_MAX, (cursor) => {
    const { type, speaker } = readEnvelope(cursor);
    if (type === FRAME) return { speaker, ...readFrameBody(cursor) };
    if (type !== COMPRESSED_FRAME) throw unknown(type);
    const body = new Cursor(expandedBody(cursor));
    const frame = { speaker, ...readFrameBody(body) };
    if (body.left > 0) throw new PlainProblem("trailing_bytes");
    return frame;
  });
}

function readFrameBody(cursor: Cursor): Omit<PlainFrame, "speaker"> {
  const header = struct({ routeOp: varint, stream: hexBytes(8), base: positive }).read(cursor);
  return { ...header, messages: readMessages(cursor) };
}

export function encodePlainFrame({ speaker, routeOp, stream, base, messages }: PlainFrame): Uint8Array {
  const out = [0x42, 0x4c, 1, 0, FRAME];
  someone.write(out, speaker);
  varint.write(out, routeOp);
  hexBytes(8).write(out, stream);
  varint.write(out, base);
  writeMessages(out, messages);
  return Uint8Array.from(out);
}
