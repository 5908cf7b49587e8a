/**
 * What every message under the control prefix begins with: magic, version, flags, type, optional sections, speaker.
 * The first five bytes keep their place in every version to come.
 */
import { ByteReader, type ByteWriter } from "./bytes.ts";
import { type Extensions, NO_EXTENSIONS, readExtensions } from "./extensions.ts";
import type { Decoded, Speaker, WireProblem } from "./message.ts";
import { CLUSTER_NAME_PATTERN } from "./names.ts";

const MAGIC_B = 0x42;
const MAGIC_L = 0x4c;
export const WIRE_VERSION = 1;

const FLAG_AUTHENTICATOR = 0x01;
const FLAG_PATH = 0x02;
const FLAG_EXTENSIONS = 0x04;
const FLAGS_KNOWN = FLAG_AUTHENTICATOR | FLAG_PATH | FLAG_EXTENSIONS;

/** A type from here on may be passed over by a reader that does not know it. */
const TYPE_OPTIONAL = 0x80;

/** Clusters a message may have passed; transit comes later, the room is here now. */
const PATH_MAX = 16;
export const NAME_BYTES_MAX = 64;
const AUTHENTICATOR_BYTES_MAX = 256;

/** Problems that only an agent of a later version causes. */
const OF_LATER_VERSIONS: ReadonlySet<WireProblem> = new Set<WireProblem>([
  "unsupported_version",
  "unknown_flags",
  "unknown_type",
  "unknown_extension",
]);

export function isOfLaterVersion(problem: WireProblem): boolean {
  return OF_LATER_VERSIONS.has(problem);
}

export function beginEnvelope(
  writer: ByteWriter,
  type: number,
  speaker: Speaker,
  extensions: Uint8Array | null = null,
): void {
  writer.u8(MAGIC_B);
  writer.u8(MAGIC_L);
  writer.u8(WIRE_VERSION);
  writer.u8(extensions === null ? 0 : FLAG_EXTENSIONS);
  writer.u8(type);
  if (extensions !== null) writer.block(extensions);
  writer.varint(speaker.incarnation);
  writer.hex(speaker.instance);
}

/** Reads a whole message; `readBody` gets the known extensions' bytes, and answers null for a type that it does not know. */
export function readMessage<T>(
  bytes: Uint8Array,
  bytesMax: number,
  readBody: (reader: ByteReader, type: number, speaker: Speaker, extensions: Extensions) => T | null,
): Decoded<T> {
  if (bytes.length > bytesMax) return { ok: false, problem: "too_large" };
  const reader = new ByteReader(bytes);
  const { type, speaker, extensions } = readEnvelope(reader);
  if (reader.problem !== null) return { ok: false, problem: reader.problem };
  const value = readBody(reader, type, speaker, extensions);
  if (value === null) return { ok: false, problem: type < TYPE_OPTIONAL ? "unknown_type" : "optional_type" };
  reader.end();
  return reader.problem === null ? { ok: true, value } : { ok: false, problem: reader.problem };
}

/** A cluster's name. */
export function readName(reader: ByteReader): string {
  const name = reader.text(NAME_BYTES_MAX);
  if (!CLUSTER_NAME_PATTERN.test(name)) reader.fail("bad_name");
  return name;
}

/** Reads up to and including the speaker; a problem is left in the reader. */
function readEnvelope(reader: ByteReader): { type: number; speaker: Speaker; extensions: Extensions } {
  if (reader.u8() !== MAGIC_B || reader.u8() !== MAGIC_L) reader.fail("bad_magic");
  if (reader.u8() !== WIRE_VERSION) reader.fail("unsupported_version");
  const flags = reader.u8();
  if ((flags & ~FLAGS_KNOWN) !== 0) reader.fail("unknown_flags");
  const type = reader.u8();
  // No key is configured in this version: who authenticates expects to be checked, and would not be.
  if ((flags & FLAG_AUTHENTICATOR) !== 0) {
    reader.block(AUTHENTICATOR_BYTES_MAX);
    reader.fail("authenticator_unexpected");
  }
  if ((flags & FLAG_PATH) !== 0) {
    const names = reader.count(PATH_MAX, 2);
    for (let i = 0; i < names && reader.problem === null; i += 1) readName(reader);
  }
  const extensions = (flags & FLAG_EXTENSIONS) !== 0 ? readExtensions(reader) : NO_EXTENSIONS;
  const incarnation = reader.varint();
  const instance = reader.hex(8);
  // 0 stands for "whoever you are" where a message names somebody; nobody speaks as it.
  if (incarnation === 0) reader.fail("bad_value");
  return { type, speaker: { incarnation, instance }, extensions };
}
