/**
 * Reads JSON objects that strangers wrote: bounded before parsing, own properties only, values checked one by one.
 */

/** A parsed object, of which nothing is known yet. */
export type OwnRecord = Readonly<Record<string, unknown>>;

/** Null: too long, not UTF-8, not JSON, or not an object. */
export function parseRecord(payload: Uint8Array, bytesMax: number): OwnRecord | null {
  if (payload.length > bytesMax) return null;
  try {
    return asRecord(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch {
    return null;
  }
}

export function asRecord(value: unknown): OwnRecord | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as OwnRecord) : null;
}

export function ownValue(record: OwnRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function ownText(record: OwnRecord, key: string): string | null {
  const value = ownValue(record, key);
  return typeof value === "string" ? value : null;
}

export function ownNumber(record: OwnRecord, key: string): number | null {
  const value = ownValue(record, key);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function ownFlag(record: OwnRecord, key: string): boolean | null {
  const value = ownValue(record, key);
  return typeof value === "boolean" ? value : null;
}

export function ownList(record: OwnRecord, key: string): readonly unknown[] | null {
  const value = ownValue(record, key);
  return Array.isArray(value) ? value : null;
}
