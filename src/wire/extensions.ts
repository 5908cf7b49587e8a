/**
 * Room for what is not in a layout: a block of tag, length, bytes. A reader passes over an even tag that it does not
 * know; an odd one says that the message must not be understood without it. This version knows two, in heartbeats, and one
 * in hello and ack.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { COMPRESSION_IDS, type Compression, compressionOf } from "./compression.ts";
import type { BacklogWord, Trouble } from "./message.ts";

const EXTENSIONS_BYTES_MAX = 64 * 1024;
const TAG_MAX = 0xffff;
const TROUBLE_TAG = 6;
const BACKLOG_TAG = 8;
const EXPANDS_TAG = 10;
const PERCENT_MAX = 100;

/** The bytes of the tags that are known; null: it is not there. */
export interface Extensions {
  readonly trouble: Uint8Array | null;
  readonly backlog: Uint8Array | null;
  readonly expands: Uint8Array | null;
}

export const NO_EXTENSIONS: Extensions = { trouble: null, backlog: null, expands: null };

/** Leaves `unknown_extension` in the reader for an odd tag, `bad_value` for tags that do not ascend. */
export function skipExtensions(reader: ByteReader): void {
  readExtensions(reader);
}

/** As skipExtensions(); answers what is known. */
export function readExtensions(reader: ByteReader): Extensions {
  const section = new ByteReader(reader.block(EXTENSIONS_BYTES_MAX));
  let { trouble, backlog, expands } = NO_EXTENSIONS;
  let last = -1;
  while (section.problem === null && section.remaining > 0) {
    const tag = section.varint();
    // Ascending: each at most once, and one set of extensions has one form.
    if (tag <= last || tag > TAG_MAX) section.fail("bad_value");
    last = tag;
    const value = section.block(EXTENSIONS_BYTES_MAX);
    if (tag === TROUBLE_TAG) trouble = value;
    if (tag === BACKLOG_TAG) backlog = value;
    if (tag === EXPANDS_TAG) expands = value;
    if (tag % 2 === 1) section.fail("unknown_extension");
  }
  if (section.problem !== null) reader.fail(section.problem);
  return { trouble, backlog, expands };
}

/** What a message may say in its extensions. */
export interface Said {
  readonly trouble?: Trouble;
  readonly backlog?: BacklogWord;
  readonly expands?: readonly Compression[];
}

/** Null: there is nothing to say. */
export function writeExtensions({ trouble, backlog, expands }: Said): Uint8Array | null {
  if (trouble === undefined && backlog === undefined && expands === undefined) return null;
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
  return writer.finish();
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
