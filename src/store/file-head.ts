/**
 * The first bytes of each file of the store: what it is, in which version, and a few fields. They are there twice, so that
 * no single damage makes the rest of the file unreadable.
 *
 *   magic (4) | version (2) | length of the fields (2) | fields … zeros | CRC-32 of all before it (4)      64 bytes, twice
 */
import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";

const BLOCK_BYTES = 64;
const FIELDS_AT = 8;
const CRC_AT = BLOCK_BYTES - 4;
export const HEAD_BYTES = 2 * BLOCK_BYTES;
/** Of everything in the data directory: one change of any layout is a new version. */
const FORMAT_VERSION = 1;

export type Head =
  | { readonly kind: "ours"; readonly fields: Buffer }
  | { readonly kind: "foreign"; readonly version: number }
  | { readonly kind: "damaged" };

export function writeHead(target: Buffer, magic: string, fields: Uint8Array): void {
  assert(magic.length === 4 && fields.length <= CRC_AT - FIELDS_AT, "a head has 4 letters and 52 bytes");
  target.fill(0, 0, HEAD_BYTES);
  target.write(magic, 0, "latin1");
  target.writeUInt16BE(FORMAT_VERSION, 4);
  target.writeUInt16BE(fields.length, 6);
  target.set(fields, FIELDS_AT);
  target.writeUInt32BE(crc32(target.subarray(0, CRC_AT)), CRC_AT);
  target.copy(target, BLOCK_BYTES, 0, BLOCK_BYTES);
}

export function readHead(bytes: Buffer, magic: string): Head {
  if (bytes.length < HEAD_BYTES) return { kind: "damaged" };
  const versions = new Set<number>();
  for (const at of [0, BLOCK_BYTES]) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    if (block.toString("latin1", 0, 4) !== magic) {
      versions.add(Number.NaN);
      continue;
    }
    const version = block.readUInt16BE(4);
    versions.add(version);
    const whole = crc32(block.subarray(0, CRC_AT)) === block.readUInt32BE(CRC_AT);
    if (whole && version === FORMAT_VERSION) {
      return { kind: "ours", fields: block.subarray(FIELDS_AT, FIELDS_AT + block.readUInt16BE(6)) };
    }
  }
  // Both copies name the same other version: no accident. Its own check may be of another kind than ours.
  const [version] = versions;
  const foreign = versions.size === 1 && version !== undefined && Number.isInteger(version);
  return foreign && version !== FORMAT_VERSION ? { kind: "foreign", version } : { kind: "damaged" };
}
