/**
 * Room for what is not in a layout: a block of tag, length, bytes. A reader passes over an even tag that it does not
 * know; an odd one says that the message must not be understood without it. This version knows two in heartbeats, two in
 * hello and ack, and one in the messages of a frame.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { COMPRESSION_IDS, type Compression, compressionOf } from "./compression.ts";
import type { BacklogWord, StatesWord, Trouble } from "./message.ts";

const EXTENSIONS_BYTES_MAX = 64 * 1024;
const TAG_MAX = 0xffff;
const TROUBLE_TAG = 6;
const BACKLOG_TAG = 8;
const EXPANDS_TAG = 10;
const STATES_TAG = 12;
const EVEN_TAGS: ReadonlySet<number> = new Set([TROUBLE_TAG, BACKLOG_TAG, EXPANDS_TAG, STATES_TAG]);
/** Of a message in a frame. */
const STATE_TAG = 1;
const STATES_WANTED = 0x01;
const STATES_SERVED = 0x02;
const PERCENT_MAX = 100;

/** The bytes of the tags that are known; null: it is not there. */
export interface Extensions {
  readonly trouble: Uint8Array | null;
  readonly backlog: Uint8Array | null;
  readonly expands: Uint8Array | null;
  readonly states: Uint8Array | null;
}

export const NO_EXTENSIONS: Extensions = { trouble: null, backlog: null, expands: null, states: null };

/** Leaves `unknown_extension` in the reader for an odd tag, `bad_value` for tags that do not ascend. */
export function readExtensions(reader: ByteReader): Extensions {
  const known = readTags(reader, () => false);
  return {
    trouble: known.get(TROUBLE_TAG) ?? null,
    backlog: known.get(BACKLOG_TAG) ?? null,
    expands: known.get(EXPANDS_TAG) ?? null,
    states: known.get(STATES_TAG) ?? null,
  };
}

/** As readExtensions(), of one message in a frame; answers whether it is a state. */
export function readStateMark(reader: ByteReader): boolean {
  const value = readTags(reader, (tag) => tag === STATE_TAG).get(STATE_TAG);
  if (value !== undefined && value.length > 0) reader.fail("bad_value");
  return value !== undefined;
}

/** What makes a message in a frame a state. */
export function writeStateMark(writer: ByteWriter): void {
  const extensions = new ByteWriter(2);
  extensions.varint(STATE_TAG);
  extensions.block(new Uint8Array(0));
  writer.block(extensions.finish());
}

/** `isKnown`: of odd tags. */
function readTags(reader: ByteReader, isKnown: (tag: number) => boolean): ReadonlyMap<number, Uint8Array> {
  const section = new ByteReader(reader.block(EXTENSIONS_BYTES_MAX));
  const values = new Map<number, Uint8Array>();
  let last = -1;
  while (section.problem === null && section.remaining > 0) {
    const tag = section.varint();
    // Ascending: each at most once, and one set of extensions has one form.
    if (tag <= last || tag > TAG_MAX) section.fail("bad_value");
    last = tag;
    const value = section.block(EXTENSIONS_BYTES_MAX);
    if (EVEN_TAGS.has(tag) || isKnown(tag)) values.set(tag, value);
    else if (tag % 2 === 1) section.fail("unknown_extension");
  }
  if (section.problem !== null) reader.fail(section.problem);
  return values;
}

/** What a message may say in its extensions. */
export interface Said {
  readonly trouble?: Trouble;
  readonly backlog?: BacklogWord;
  readonly expands?: readonly Compression[];
  readonly states?: StatesWord;
}

/** Null: there is nothing to say. */
export function writeExtensions({ trouble, backlog, expands, states }: Said): Uint8Array | null {
  const writer = new ByteWriter();
  if (trouble !== undefined) {
    writer.varint(TROUBLE_TAG);
    writer.block(Uint8Array.of(trouble.framesRefused, trouble.unheard ? 1 : 0));
  }
  if (backlog !== undefined) {
    writer.varint(BACKLOG_TAG);
    writer.block(Uint8Array.of(backlog.draining ? 1 : 0, backlog.percent));
  }
  if (expands !== undefined) {
    writer.varint(EXPANDS_TAG);
    writer.block(Uint8Array.from(expands, (name) => COMPRESSION_IDS[name]));
  }
  if (states !== undefined) {
    writer.varint(STATES_TAG);
    writer.block(Uint8Array.of((states.wanted ? STATES_WANTED : 0) | (states.served ? STATES_SERVED : 0)));
  }
  const bytes = writer.finish();
  return bytes.length === 0 ? null : bytes;
}

/** What a heartbeat's extension says; a value of another form is left in the reader as `bad_value`. */
export function readTrouble(reader: ByteReader, value: Uint8Array): Trouble {
  const [framesRefused = 0, unheard = 0] = value;
  if (value.length !== 2 || unheard > 1) reader.fail("bad_value");
  return { framesRefused, unheard: unheard === 1 };
}

/** As readTrouble(). */
export function readBacklog(reader: ByteReader, value: Uint8Array): BacklogWord {
  const [draining = 0, percent = 0] = value;
  if (value.length !== 2 || draining > 1 || percent === 0 || percent > PERCENT_MAX) reader.fail("bad_value");
  return { draining: draining === 1, percent };
}

/** The algorithms that the speaker expands. Those of a later version are passed over: it offers others too. */
export function readExpands(value: Uint8Array): Compression[] {
  const known = new Set<Compression>();
  for (const id of value) {
    const name = compressionOf(id);
    if (name !== null) known.add(name);
  }
  return [...known];
}

/** A hello must be understood by every version: what a later one adds behind the first byte, or in it, is passed over. */
export function readStates(reader: ByteReader, value: Uint8Array): StatesWord {
  const [flags] = value;
  if (flags === undefined) reader.fail("bad_value");
  return { wanted: ((flags ?? 0) & STATES_WANTED) !== 0, served: ((flags ?? 0) & STATES_SERVED) !== 0 };
}
