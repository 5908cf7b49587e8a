/**
 * Hashes of texts and bytes: MurmurHash3 (x86, 32 bits) for what goes on the wire, a faster 64-bit one for map keys.
 * Neither withstands somebody who looks for collisions: never use them where a collision would grant a right.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
/** The multipliers of the second lane of `contentKey`: those of MurmurHash3's 128-bit form. */
const C3 = 0xab0e9789;
const C4 = 0x38b34ae5;

/** Enough for nearly every topic; longer texts are encoded into an array of their own. */
const SCRATCH_BYTES = 4_096;
/** UTF-8 needs at most three bytes for one UTF-16 code unit. */
const UTF8_BYTES_PER_UNIT = 3;
const scratch = new Uint8Array(SCRATCH_BYTES);
const encoder = new TextEncoder();

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** MurmurHash3_x86_32 of `bytes`, 0 … 2^32-1. */
export function hash32(bytes: Uint8Array, seed: number): number {
  const length = bytes.length;
  let h = seed | 0;
  const blocksEnd = length & ~3;
  for (let i = 0; i < blocksEnd; i += 4) {
    const k =
      byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24);
    h ^= Math.imul(rotateLeft(Math.imul(k, C1), 15), C2);
    h = (Math.imul(rotateLeft(h, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= blocksEnd; i -= 1) tail = (tail << 8) | byteAt(bytes, i);
  // An empty tail mixes to 0 and changes nothing.
  h ^= Math.imul(rotateLeft(Math.imul(tail, C1), 15), C2);
  return finish(h ^ length);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

/** MurmurHash3_x86_32 of the UTF-8 form of `text`, 0 … 2^32-1. */
export function hashText(text: string, seed: number): number {
  return hash32(encoded(text), seed);
}

/** Eight lower-case hex digits that tie a loop mark to its topic (`brokerlink-check`). */
export function topicCheck(topic: string): string {
  return hex32(hashText(topic, 0));
}

/** An unsigned 32-bit number as eight lower-case hex digits. */
export function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/**
 * A key under which equal (topic, payload) pairs meet: 64 bits of hash, seeded with the topic's, and the payload's length.
 * Reads every byte (a sample would take two messages for one and lose the second), one MiB in about a millisecond.
 * Not for the wire: it may change with the version.
 */
export function contentKey(topic: string, payload: Uint8Array): string {
  const length = payload.length;
  const name = encoded(topic);
  let a = hash32(name, 0);
  let b = hash32(name, C3);
  const view = new DataView(payload.buffer, payload.byteOffset, length);
  const wordsEnd = length & ~3;
  for (let i = 0; i < wordsEnd; i += 4) {
    const k = view.getInt32(i, true);
    a = (Math.imul(rotateLeft(a ^ Math.imul(rotateLeft(Math.imul(k, C1), 15), C2), 13), 5) + 0xe6546b64) | 0;
    b = (Math.imul(rotateLeft(b ^ Math.imul(rotateLeft(Math.imul(k, C3), 16), C4), 17), 5) + 0x561ccd1b) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= wordsEnd; i -= 1) tail = (tail << 8) | view.getUint8(i);
  a ^= Math.imul(rotateLeft(Math.imul(tail, C1), 15), C2);
  b ^= Math.imul(rotateLeft(Math.imul(tail, C3), 16), C4);
  return `${finish(a ^ length).toString(36)}.${finish(b ^ length).toString(36)}.${length.toString(36)}`;
}

/** The bytes are good until the next call. */
function encoded(text: string): Uint8Array {
  if (text.length * UTF8_BYTES_PER_UNIT > SCRATCH_BYTES) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}
