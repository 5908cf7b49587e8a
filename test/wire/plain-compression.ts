/** Section 6.1 of docs/PROTOCOL.md, written from that page alone: compressed frames, and who takes them. */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { type Cursor, type Field, PlainProblem, varint, where } from "./plain-fields.ts";

const BODY_BYTES_MAX = 1_048_576;

type Expand = (bytes: Uint8Array, limits: { maxOutputLength: number }) => Uint8Array;
/** The window of 1 MiB, as zstd's own parameter: ZSTD_d_windowLogMax. */
const ZSTD_PARAMS = { 100: 20 };
type Convert = (bytes: Uint8Array, options: object) => Uint8Array;
/** Younger than the types of Node. */
const { zstdDecompressSync } = zlib as object as { readonly zstdDecompressSync?: Convert };
/** By their numbers. */
const ALGORITHMS: readonly { readonly name: string; readonly expand: Expand | undefined }[] = [
  { name: "", expand: undefined },
  { name: "deflate", expand: (bytes, limits) => zlib.inflateRawSync(bytes, limits) },
  { name: "brotli", expand: (bytes, limits) => zlib.brotliDecompressSync(bytes, limits) },
  { name: "zstd", expand: zstdDecompressSync === undefined ? undefined : expandZstd },
];

function expandZstd(bytes: Uint8Array, limits: { maxOutputLength: number }): Uint8Array {
  assert.ok(zstdDecompressSync !== undefined);
  return zstdDecompressSync(bytes, { ...limits, params: ZSTD_PARAMS });
}

/** What follows the envelope of a compressed frame. */
export function expandedBody(cursor: Cursor): Uint8Array {
  const number = cursor.u8();
  const length = where(varint, (value) => value <= BODY_BYTES_MAX, "too_large").read(cursor);
  const expand = ALGORITHMS[number]?.expand;
  if (expand === undefined) throw new PlainProblem("bad_value");
  const packed = cursor.bytes(cursor.left);
  try {
    const body = expand(packed, { maxOutputLength: Math.max(1, length) });
    if (body.length === length && length > 0) return body;
  } catch {
    // What it is then is said below.
  }
  throw new PlainProblem("bad_compression");
}

/** The extension of a hello or an ack: algorithms of a later version are passed over. */
export const expands: Field<readonly string[]> = {
  read(cursor) {
    const known = [...new Set(cursor.bytes(cursor.left))].flatMap((number) => ALGORITHMS[number]?.name ?? []);
    return known.filter((name) => name !== "");
  },
  write: (out, value) => void out.push(...value.map((name) => ALGORITHMS.findIndex((each) => each.name === name))),
};
