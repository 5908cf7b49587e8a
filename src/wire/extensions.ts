/**
 * Room for what is not in a layout: a block of tag, length, bytes. A reader passes over an even tag that it does not
 * know; an odd one says that the message must not be understood without it. This version knows one, in heartbeats.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import type { Trouble } from "./message.ts";

const EXTENSIONS_BYTES_MAX = 64 * 1024;
const TAG_MAX = 0xffff;
const TROUBLE_TAG = 6;

/** Leaves `unknown_extension` in the reader for an odd tag, `bad_value` for tags that do not ascend. */
export function skipExtensions(reader: ByteReader): void {
  readExtensions(reader);
}

/** As skipExtensions(); answers the bytes of the one tag that is known, or null. */
export function readExtensions(reader: ByteReader): Uint8Array | null {
  const section = new ByteReader(reader.block(EXTENSIONS_BYTES_MAX));
  let known: Uint8Array | null = null;
  let last = -1;
  while (section.problem === null && section.remaining > 0) {
    const tag = section.varint();
    // Ascending: each at most once, and one set of extensions has one form.
    if (tag <= last || tag > TAG_MAX) section.fail("bad_value");
    last = tag;
    const value = section.block(EXTENSIONS_BYTES_MAX);
    if (tag === TROUBLE_TAG) known = value;
    if (tag % 2 === 1) section.fail("unknown_extension");
  }
  if (section.problem !== null) reader.fail(section.problem);
  return known;
}

export function writeTrouble({ framesRefused, unheard }: Trouble): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(TROUBLE_TAG);
  writer.block(Uint8Array.of(framesRefused, unheard ? 1 : 0));
  return writer.finish();
}

/** What a heartbeat's extension says; a value of another form is left in the reader as `bad_value`. */
export function readTrouble(reader: ByteReader, value: Uint8Array): Trouble {
  const [framesRefused = 0, unheard = 0] = value;
  if (value.length !== 2 || unheard > 1) reader.fail("bad_value");
  return { framesRefused, unheard: unheard === 1 };
}
