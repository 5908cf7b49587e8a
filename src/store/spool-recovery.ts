/**
 * What an earlier life left of a spool: reads each segment once, tells whole messages from damage, and finds the number
 * to go on with. Nothing is thrown away that can still be read; what cannot is counted and named.
 */
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import type { FileSystem } from "./file-system.ts";
import { Segment } from "./segment.ts";
import { readSegmentHead, type SegmentHead } from "./segment-head.ts";
import { type SegmentScan, scanSegment } from "./segment-scan.ts";
import type { Report } from "./store-problem.ts";

const NAME = /^(\d{12})\.log$/;
/** The last file without a readable head is kept under this name for whoever wants to look. */
const DAMAGED_NAME = "damaged";
/** Places named in one report. */
const PLACES_NAMED_MAX = 8;

export interface RecoveredSpool {
  /** Null: nothing readable is there, not even a number; a new stream begins. */
  readonly stream: string | null;
  readonly segments: readonly Segment[];
  /** Files without a message that is still kept. To be removed once a newer file is on the disk: they know what was given. */
  readonly spent: readonly string[];
  /** The highest in use. */
  readonly sequence: number;
  readonly base: number;
  /** The last number given, as far as the files tell, and the one to go on with. */
  readonly last: number;
  readonly next: number;
  /** Numbers whose message is gone. */
  readonly lost: number;
}

interface Found {
  readonly path: string;
  readonly head: SegmentHead;
  readonly scan: SegmentScan;
  /** `scan.last`, less what a later segment has written again. */
  last: number;
}

export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(12, "0")}.log`;
}

/** Whether a file in a link's folder is one of ours. */
export function isSpoolFile(name: string): boolean {
  return NAME.test(name) || name === DAMAGED_NAME;
}

export function recoverSpool(folder: string, fs: FileSystem, report: Report): RecoveredSpool {
  const names = fs
    .list(folder)
    .filter((name) => NAME.test(name))
    .sort();
  const read = names.map((name) => readFound(folder, name, fs, report));
  const stream = read.findLast((each) => each !== null)?.head.stream ?? null;
  const found = read.filter((each) => each !== null).filter((each) => isOfStream(each, stream, report));
  found.forEach(({ head }, index) => {
    for (const earlier of found.slice(0, index)) earlier.last = Math.min(earlier.last, head.first - 1);
  });
  const noted = Math.max(1, ...found.map(({ scan }) => scan.base));
  let before = noted - 1;
  let lost = 0;
  for (const each of found) {
    lost += countLost(each, before, noted, report);
    before = each.last;
  }
  const last = Math.max(0, ...found.map(lastGiven));
  const ceiling = Math.max(last, ...found.map(({ scan }) => scan.ceiling));
  const kept = found.filter((each) => firstKept(each, noted) !== null);
  for (const { path, scan } of kept) if (scan.tail !== "none") cutOff(path, scan.end, fs);
  const next = read.at(-1)?.scan.closedAt ?? ceiling + 1;
  return {
    stream,
    segments: kept.map((each) => asSegment(each, noted, fs)),
    spent: found.filter((each) => !kept.includes(each)).map(({ path }) => path),
    sequence: Number(names.at(-1)?.slice(0, 12) ?? 0),
    base: kept[0] === undefined ? next : (firstKept(kept[0], noted) ?? next),
    last,
    next,
    lost,
  };
}

function readFound(folder: string, name: string, fs: FileSystem, report: Report): Found | null {
  const path = join(folder, name);
  const file = fs.read(path);
  const head = readSegmentHead(file);
  if (!("kind" in head)) {
    const scan = scanSegment(file, head);
    return { path, head, scan, last: scan.last };
  }
  if (head.kind === "foreign") {
    throw new LinkError(
      "DATA_DIR_UNUSABLE",
      `${path} is of version ${head.version} of the spool, which this agent does not read: ` +
        "start the version that wrote it, or move the file away and lose what is in it",
    );
  }
  if (file.length === 0) fs.remove(path);
  else fs.rename(path, join(folder, DAMAGED_NAME));
  const what = file.length === 0 ? "is empty" : `has no readable beginning, and is kept as ${DAMAGED_NAME}`;
  report({ code: "SPOOL_DAMAGED", message: `${path} ${what}` });
  return null;
}

function isOfStream({ path, head }: Found, stream: string | null, report: Report): boolean {
  if (head.stream === stream) return true;
  report({ code: "SPOOL_DAMAGED", message: `${path} belongs to another stream and is left out` });
  return false;
}

/** Numbers behind `before` up to the last one here that should be in a file and are in none. */
function countLost({ path, head, scan, last }: Found, before: number, base: number, report: Report): number {
  const from = Math.max(before + 1, base);
  const missing = Math.max(0, head.lastBefore - from + 1);
  if (missing > 0) {
    const numbers = `numbers ${from} to ${head.lastBefore}`;
    report({ code: "SPOOL_DAMAGED", message: `${missing} messages before ${path} are missing, ${numbers}` });
  }
  let holes = 0;
  let firstHole = 0;
  for (let number = last; number >= Math.max(head.first, base); number -= 1) {
    if (scan.offsets[number - head.first] !== 0) continue;
    holes += 1;
    firstHole = number;
  }
  const places = scan.damages.map(({ at, length }) => `${length} bytes at ${at}`);
  if (scan.tail === "damaged") places.push(`all from ${scan.end} on`);
  if (places.length > 0) {
    const where = places.slice(0, PLACES_NAMED_MAX).join(", ");
    const numbers = holes === 0 ? "" : `; ${holes} messages lost, from number ${firstHole} on`;
    report({ code: "SPOOL_DAMAGED", message: `${path} is damaged: ${where}${numbers}` });
  } else if (scan.tail === "torn") {
    report({ code: "SPOOL_DAMAGED", message: `the last record of ${path} was not written to its end, and is cut off` });
  }
  return missing + holes;
}

/** Before the first message of a file there may be a gap: numbers that were never given. */
function lastGiven({ head, last }: Found): number {
  return last < head.first ? head.lastBefore : last;
}

function firstKept({ head, scan, last }: Found, base: number): number | null {
  for (let number = Math.max(head.first, base); number <= last; number += 1) {
    if (scan.offsets[number - head.first] !== 0) return number;
  }
  return null;
}

function cutOff(path: string, length: number, fs: FileSystem): void {
  const fd = fs.openForWriting(path);
  try {
    fs.truncate(fd, length);
  } finally {
    fs.close(fd);
  }
}

function asSegment({ path, head, scan, last }: Found, base: number, fs: FileSystem): Segment {
  const segment = Segment.found(path, head, { size: scan.end, last, count: scan.count, bytes: scan.bytes });
  if (base <= head.first && last === scan.last) return segment;
  segment.load(fs);
  segment.recount(base);
  segment.unload();
  return segment;
}
