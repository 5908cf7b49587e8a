/** Bytes as a reader of tests and documents sees them: pairs of hex digits, a space between. */

/** Spaces and line ends mean nothing. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hex: ${hex.slice(0, 80)}`);
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** The value with its byte arrays as hex, whatever kind and part of memory they are. */
export function plainBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plainBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainBytes(part)]));
}
