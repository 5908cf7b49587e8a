/**
 * Room for what later versions add: a block of tag, length, bytes. A reader passes over an even tag that it does not
 * know; an odd one says that the message must not be understood without it. This version knows none.
 */
import { ByteReader } from "./bytes.ts";

const EXTENSIONS_BYTES_MAX = 64 * 1024;
const TAG_MAX = 0xffff;

/** Leaves `unknown_extension` in the reader for an odd tag, `bad_value` for tags that do not ascend. */
export function skipExtensions(reader: ByteReader): void {
  const section = new ByteReader(reader.block(EXTENSIONS_BYTES_MAX));
  let last = -1;
  while (section.problem === null && section.remaining > 0) {
    const tag = section.varint();
    // Ascending: each at most once, and one set of extensions has one form.
    if (tag <= last || tag > TAG_MAX) section.fail("bad_value");
    last = tag;
    section.block(EXTENSIONS_BYTES_MAX);
    if (tag % 2 === 1) section.fail("unknown_extension");
  }
  if (section.problem !== null) reader.fail(section.problem);
}
