/**
 * Digests of route sets: both ends compute them alike and compare eight bytes instead of the sets.
 * docs/PROTOCOL.md fixes the hash; a change here is a change of the protocol.
 */
import { hash32, hex32 } from "./hash.ts";

/** Order-free 64-bit digest of a set: the exclusive or of its members' hashes, kept as two unsigned 32-bit halves. */
export interface Digest {
  readonly high: number;
  readonly low: number;
}

const HIGH_SEED = 0x9747b28c;
const LOW_SEED = 0;

const encoder = new TextEncoder();

export const EMPTY_DIGEST: Digest = { high: 0, low: 0 };

/**
 * The digest of one route: the hash of its filter in UTF-8, then per group, in ascending order of their UTF-8 bytes,
 * a zero byte and the group. No filter and no group contains U+0000, so two routes never share these bytes.
 */
export function routeDigest(filter: string, groups: readonly string[]): Digest {
  const ordered = groups.length < 2 ? groups : [...groups].sort(byCodePoint);
  const bytes = encoder.encode([filter, ...ordered].join("\0"));
  return { high: hash32(bytes, HIGH_SEED), low: hash32(bytes, LOW_SEED) };
}

/** Adds a member to a set's digest, or takes it out again. */
export function combine(a: Digest, b: Digest): Digest {
  return { high: (a.high ^ b.high) >>> 0, low: (a.low ^ b.low) >>> 0 };
}

export function digestEquals(a: Digest, b: Digest): boolean {
  return a.high === b.high && a.low === b.low;
}

/** Sixteen lower-case hex digits. */
export function digestHex(digest: Digest): string {
  return hex32(digest.high) + hex32(digest.low);
}

/** The order of the UTF-8 bytes; that of UTF-16, which `<` compares, differs beyond U+FFFF. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const x = a.codePointAt(i) ?? 0;
    const y = b.codePointAt(i) ?? 0;
    if (x !== y) return x - y;
  }
  return a.length - b.length;
}
