/**
 * A whole term as it travels: version byte, then the term or its compressed form. What it expands to is said in front of the
 * compressed bytes, checked before anything is set aside for it, and has to be right.
 */
import type { Decoded } from "../wire/message.ts";
import { decodeTerm, TERM_BYTES_MAX } from "./decode-term.ts";
import { Tag, VERSION } from "./tag.ts";
import type { Term } from "./term.ts";

/** Expands a zlib stream to exactly `length` bytes; null: it is none, or expands to another number of them. */
export type Inflate = (bytes: Uint8Array, length: number) => Uint8Array | null;

/** Version, tag and length. */
const COMPRESSED_HEAD_BYTES = 6;
/** zlib makes at most so much of a byte: who announces more is refused without trying. */
const EXPANSION_MAX = 1_032;

export function readTerm(bytes: Uint8Array, inflate: Inflate): Decoded<Term> {
  if (bytes[0] !== VERSION) return { ok: false, problem: bytes.length === 0 ? "truncated" : "bad_magic" };
  if (bytes[1] !== Tag.COMPRESSED) return decodeTerm(bytes.subarray(1));
  if (bytes.length < COMPRESSED_HEAD_BYTES) return { ok: false, problem: "truncated" };
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(2);
  const packed = bytes.subarray(COMPRESSED_HEAD_BYTES);
  if (length > TERM_BYTES_MAX) return { ok: false, problem: "too_large" };
  if (length === 0 || length > packed.length * EXPANSION_MAX) return { ok: false, problem: "bad_compression" };
  const plain = inflate(packed, length);
  return plain?.length === length ? decodeTerm(plain) : { ok: false, problem: "bad_compression" };
}
