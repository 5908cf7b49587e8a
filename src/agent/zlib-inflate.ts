/** Expands the compressed form of Erlang's terms by Node's zlib, to no more than was announced. */
import zlib from "node:zlib";

/** Node takes no smaller chunk. */
const CHUNK_BYTES_MIN = 64;

/** Null: not what zlib makes, cut short, or more than `length` bytes. */
export function zlibInflate(bytes: Uint8Array, length: number): Uint8Array | null {
  try {
    // One more than announced: what expands to that is refused by its length, and nothing larger is ever made.
    return zlib.inflateSync(bytes, { chunkSize: Math.max(CHUNK_BYTES_MIN, length + 1), maxOutputLength: length + 1 });
  } catch {
    // rubbish, or too much of it: null says so
    return null;
  }
}
