/**
 * What every message under the control prefix begins with: magic, version, flags, type, optional sections, speaker.
 * The first three bytes keep their place in every version to come.
 */
import { ByteReader, type ByteWriter, NUMBER_MAX } from "./bytes.ts";
import type { Speaker } from "./message.ts";

const MAGIC_B = 0x42;
const MAGIC_L = 0x4c;
export const WIRE_VERSION = 1;

const FLAG_AUTHENTICATOR = 0x01;
const FLAG_PATH = 0x02;
const FLAG_EXTENSIONS = 0x04;
const FLAGS_KNOWN = FLAG_AUTHENTICATOR | FLAG_PATH | FLAG_EXTENSIONS;

/** Clusters a message may have passed; transit comes later, the room is here now. */
const PATH_MAX = 16;
const NAME_BYTES_MAX = 64;
const AUTHENTICATOR_BYTES_MAX = 256;
const EXTENSIONS_BYTES_MAX = 64 * 1024;
const EXTENSION_TAG_MAX = 0xffff;

export function beginEnvelope(writer: ByteWriter, type: number, speaker: Speaker): void {
  writer.u8(MAGIC_B);
  writer.u8(MAGIC_L);
  writer.u8(WIRE_VERSION);
  writer.u8(0);
  writer.u8(type);
  writer.varint(speaker.incarnation);
  writer.hex(speaker.instance);
}

/** Reads up to and including the speaker; a problem is left in the reader. */
export function readEnvelope(reader: ByteReader): { type: number; speaker: Speaker } {
  if (reader.u8() !== MAGIC_B || reader.u8() !== MAGIC_L) reader.fail(reader.problem ?? "bad_magic");
  if (reader.u8() !== WIRE_VERSION) reader.fail(reader.problem ?? "unsupported_version");
  const flags = reader.u8();
  if ((flags & ~FLAGS_KNOWN) !== 0) reader.fail("unknown_flags");
  const type = reader.u8();
  // No key is configured in this version: who authenticates expects to be checked, and would not be.
  if ((flags & FLAG_AUTHENTICATOR) !== 0) {
    reader.block(AUTHENTICATOR_BYTES_MAX);
    reader.fail("authenticator_unexpected");
  }
  if ((flags & FLAG_PATH) !== 0) {
    const names = reader.count(PATH_MAX, 1);
    for (let i = 0; i < names; i += 1) reader.text(NAME_BYTES_MAX);
  }
  if ((flags & FLAG_EXTENSIONS) !== 0) skipExtensions(reader);
  const incarnation = reader.varint();
  const instance = reader.hex(8);
  if (incarnation > NUMBER_MAX) reader.fail("bad_value");
  return { type, speaker: { incarnation, instance } };
}

/** A newer peer may add what an older one skips: tag, length, bytes. */
function skipExtensions(reader: ByteReader): void {
  const section = new ByteReader(reader.block(EXTENSIONS_BYTES_MAX));
  while (section.problem === null && section.remaining > 0) {
    const tag = section.varint();
    if (tag > EXTENSION_TAG_MAX) section.fail("bad_value");
    section.block(EXTENSIONS_BYTES_MAX);
  }
  if (section.problem !== null) reader.fail(section.problem);
}
