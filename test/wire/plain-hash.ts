/** The hashes of docs/PROTOCOL.md, section 7, from its text alone: 64-bit integers, no tricks. */

const WORD = 2n ** 32n;

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (32n - bits))) % WORD;
}

export function plainHash(bytes: Uint8Array, seed: number): number {
  const mixed = (k: bigint): bigint => (rotateLeft((k * 0xcc9e2d51n) % WORD, 15n) * 0x1b873593n) % WORD;
  let h = BigInt(seed);
  for (let at = 0; at < bytes.length; at += 4) {
    const part = [...bytes.subarray(at, at + 4)];
    const k = part.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    h ^= mixed(k);
    if (part.length === 4) h = (rotateLeft(h, 13n) * 5n + 0xe6546b64n) % WORD;
  }
  h ^= BigInt(bytes.length);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) % WORD;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) % WORD;
  return Number(h ^ (h >> 16n));
}

/** Sixteen hex digits. */
export function plainDigest(filter: string, groups: readonly string[]): string {
  const ordered = groups.map((group) => Buffer.from(group, "utf8")).sort(Buffer.compare);
  const bytes = Buffer.concat([Buffer.from(filter, "utf8"), ...ordered.flatMap((group) => [Buffer.of(0), group])]);
  return [0x9747b28c, 0].map((seed) => hex32(plainHash(bytes, seed))).join("");
}

/** Eight hex digits. */
export function plainCheck(topic: string): string {
  return hex32(plainHash(Buffer.from(topic, "utf8"), 0));
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
