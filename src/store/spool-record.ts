/**
 * What the records of a spool segment say, as bytes:
 *
 *   message  1 | number (6) | stored at, ms (6) | bytes as the limit counts them (4) | packed message
 *   note     2 | base (6) | ceiling (6)         everything below `base` is done with; no number above `ceiling` was given
 *   end      3 | next number (6)                the log was closed here: nothing was given beyond
 */
export const MESSAGE = 1;
const NOTE = 2;
const END = 3;

const NUMBER_BYTES = 6;
const STORED_AT = 1 + NUMBER_BYTES;
const BYTES_AT = STORED_AT + NUMBER_BYTES;
/** Of a message's body, before the packed message. */
export const MESSAGE_HEAD_BYTES = BYTES_AT + 4;
const NOTE_BYTES = 1 + 2 * NUMBER_BYTES;
const END_BYTES = 1 + NUMBER_BYTES;
export const BODY_BYTES_MIN = END_BYTES;
/** The largest body that is no message. */
export const SMALL_BODY_BYTES_MAX = NOTE_BYTES;

export interface MessageHead {
  readonly number: number;
  readonly storedAtMs: number;
  readonly bytes: number;
}

export type SpoolRecord =
  | { readonly kind: "message"; readonly number: number; readonly bytes: number }
  | { readonly kind: "note"; readonly base: number; readonly ceiling: number }
  | { readonly kind: "end"; readonly next: number };

export function writeMessageBody(file: Buffer, at: number, head: MessageHead, packed: Uint8Array): number {
  file[at] = MESSAGE;
  file.writeUIntBE(head.number, at + 1, NUMBER_BYTES);
  file.writeUIntBE(head.storedAtMs, at + STORED_AT, NUMBER_BYTES);
  file.writeUInt32BE(head.bytes, at + BYTES_AT);
  file.set(packed, at + MESSAGE_HEAD_BYTES);
  return MESSAGE_HEAD_BYTES + packed.length;
}

export function writeNoteBody(file: Buffer, at: number, base: number, ceiling: number): number {
  file[at] = NOTE;
  file.writeUIntBE(base, at + 1, NUMBER_BYTES);
  file.writeUIntBE(ceiling, at + 1 + NUMBER_BYTES, NUMBER_BYTES);
  return NOTE_BYTES;
}

export function writeEndBody(file: Buffer, at: number, next: number): number {
  file[at] = END;
  file.writeUIntBE(next, at + 1, NUMBER_BYTES);
  return END_BYTES;
}

export function readMessageHead(file: Buffer, at: number): MessageHead {
  return {
    number: file.readUIntBE(at + 1, NUMBER_BYTES),
    storedAtMs: file.readUIntBE(at + STORED_AT, NUMBER_BYTES),
    bytes: file.readUInt32BE(at + BYTES_AT),
  };
}

/** Null: a body of this first byte and length is none of ours. */
export function readSpoolRecord(file: Buffer, at: number, bodyBytes: number): SpoolRecord | null {
  const kind = file[at];
  if (kind === MESSAGE && bodyBytes >= MESSAGE_HEAD_BYTES) {
    return { kind: "message", number: file.readUIntBE(at + 1, NUMBER_BYTES), bytes: file.readUInt32BE(at + BYTES_AT) };
  }
  if (kind === NOTE && bodyBytes === NOTE_BYTES) {
    return {
      kind: "note",
      base: file.readUIntBE(at + 1, NUMBER_BYTES),
      ceiling: file.readUIntBE(at + 1 + NUMBER_BYTES, NUMBER_BYTES),
    };
  }
  if (kind === END && bodyBytes === END_BYTES) return { kind: "end", next: file.readUIntBE(at + 1, NUMBER_BYTES) };
  return null;
}
