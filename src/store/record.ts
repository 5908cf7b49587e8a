/**
 * One record in a file: checksum, length, body. The checksum covers the length too and begins with the file's own salt:
 * bytes of another file, of an earlier use of the same disk blocks, or a record inside a message's payload never pass.
 *
 *   CRC-32 (4) | length of the body (4) | body
 */
import { crc32 } from "node:zlib";

export const RECORD_HEAD_BYTES = 8;
/**
 * Behind a damage the next record has to be looked for at every byte, and an unlucky payload may look like the beginning of
 * one again and again: past this many bytes of checksums in vain the rest of the file is given up.
 */
const SEARCH_BYTES_MAX = 64 * 1024 * 1024;

export interface RecordScan {
  /** Up to here the file is records and stretches of damage with a record behind them. */
  readonly end: number;
  /** Offset and length of each stretch between two records that is none. */
  readonly damages: readonly { readonly at: number; readonly length: number }[];
  /** Behind `end`: nothing; a record that was not written to its end; or one of full length that is wrong inside. */
  readonly tail: "none" | "torn" | "damaged";
}

/** The body is already in its place behind the head. */
export function sealRecord(file: Buffer, at: number, bodyBytes: number, salt: number): void {
  file.writeUInt32BE(bodyBytes, at + 4);
  file.writeUInt32BE(crc32(file.subarray(at + 4, at + RECORD_HEAD_BYTES + bodyBytes), salt), at);
}

export interface RecordRules {
  readonly salt: number;
  readonly bodyBytesMin: number;
  /** A cheap look at what may be a body, so that few checksums are made in vain. */
  readonly plausible: (bodyAt: number, bodyBytes: number) => boolean;
}

/** Calls `visit` for each whole record from `start` on, in the order of the file. */
export function scanRecords(
  file: Buffer,
  start: number,
  rules: RecordRules,
  visit: (bodyAt: number, bodyBytes: number, at: number) => void,
): RecordScan {
  const damages: { at: number; length: number }[] = [];
  const search = { bytesLeft: SEARCH_BYTES_MAX };
  let at = start;
  while (at < file.length) {
    let found = at;
    if (!isRecord(file, at, rules, search)) {
      found = nextRecord(file, at + 1, rules, search);
      if (found < 0) return { end: at, damages, tail: fits(file, at, rules) ? "damaged" : "torn" };
      damages.push({ at, length: found - at });
    }
    const bodyBytes = file.readUInt32BE(found + 4);
    visit(found + RECORD_HEAD_BYTES, bodyBytes, found);
    at = found + RECORD_HEAD_BYTES + bodyBytes;
  }
  return { end: at, damages, tail: "none" };
}

function nextRecord(file: Buffer, from: number, rules: RecordRules, search: { bytesLeft: number }): number {
  for (let at = from; at + RECORD_HEAD_BYTES <= file.length && search.bytesLeft > 0; at += 1) {
    if (isRecord(file, at, rules, search)) return at;
  }
  return -1;
}

/** Whether the length read here is possible. */
function fits(file: Buffer, at: number, { bodyBytesMin }: RecordRules): boolean {
  const bodyAt = at + RECORD_HEAD_BYTES;
  if (bodyAt > file.length) return false;
  const bodyBytes = file.readUInt32BE(at + 4);
  return bodyBytes >= bodyBytesMin && bodyAt + bodyBytes <= file.length;
}

function isRecord(file: Buffer, at: number, rules: RecordRules, search: { bytesLeft: number }): boolean {
  if (!fits(file, at, rules)) return false;
  const bodyBytes = file.readUInt32BE(at + 4);
  if (!rules.plausible(at + RECORD_HEAD_BYTES, bodyBytes)) return false;
  const end = at + RECORD_HEAD_BYTES + bodyBytes;
  if (crc32(file.subarray(at + 4, end), rules.salt) === file.readUInt32BE(at)) return true;
  search.bytesLeft -= end - at;
  return false;
}
