/** Reads the bytes of a spool segment: where each message lies, what the notes say, and what is no record any more. */
import { HEAD_BYTES } from "./file-head.ts";
import { type RecordScan, scanRecords } from "./record.ts";
import type { SegmentHead } from "./segment-head.ts";
import { BODY_BYTES_MIN, readSpoolRecord } from "./spool-record.ts";

/** No segment holds more messages, however small: see `NUMBERS_AHEAD`. */
export const SEGMENT_MESSAGES_MAX = 16_384;
/**
 * Each note says that no number more than this beyond the last one was given. After an unclean end numbers go on behind the
 * highest ceiling found, so that none is ever given twice, even if the last file is gone as a whole: it held at most half
 * as many. It is also half of what a receiver bears as a gap (65,536).
 */
export const NUMBERS_AHEAD = 2 * SEGMENT_MESSAGES_MAX;

export interface SegmentScan extends RecordScan {
  /** Where the body of each message lies, by its number less `first`; 0: not here. */
  readonly offsets: Uint32Array;
  /** `first - 1`: no message. */
  readonly last: number;
  /** Of all messages here, and their size as the limit counts it. */
  readonly count: number;
  readonly bytes: number;
  readonly base: number;
  readonly ceiling: number;
  /** The next number, if the file's last record says that the log was closed. */
  readonly closedAt: number | null;
}

export function scanSegment(file: Buffer, head: SegmentHead): SegmentScan {
  const offsets: number[] = [];
  let last = head.first - 1;
  let count = 0;
  let bytes = 0;
  let { base, ceiling } = head;
  let closedAt: number | null = null;
  const scan = scanRecords(
    file,
    HEAD_BYTES,
    {
      salt: head.salt,
      bodyBytesMin: BODY_BYTES_MIN,
      plausible: (at, bodyBytes) => {
        const record = readSpoolRecord(file, at, bodyBytes);
        if (record?.kind !== "message") return record !== null;
        return record.number > last && record.number < head.first + SEGMENT_MESSAGES_MAX;
      },
    },
    (at, bodyBytes) => {
      const record = readSpoolRecord(file, at, bodyBytes);
      closedAt = null;
      if (record?.kind === "message") {
        while (offsets.length < record.number - head.first) offsets.push(0);
        offsets.push(at);
        last = record.number;
        count += 1;
        bytes += record.bytes;
      } else if (record?.kind === "note") {
        base = Math.max(base, record.base);
        ceiling = Math.max(ceiling, record.ceiling);
      } else if (record?.kind === "end") {
        closedAt = record.next;
      }
    },
  );
  return {
    ...scan,
    offsets: Uint32Array.from(offsets),
    last,
    count,
    bytes,
    base,
    ceiling,
    closedAt: scan.tail === "none" ? closedAt : null,
  };
}
