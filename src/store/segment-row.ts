/**
 * The segments of one spool in the order of their numbers; the last one is appended to. Knows which the disk does not have
 * yet, which are read at present, and when a file may go. Knows nothing of what is promised to anybody.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import type { FileSystem } from "./file-system.ts";
import { type RawMessage, Segment } from "./segment.ts";
import { SegmentCache } from "./segment-cache.ts";
import type { SegmentHead } from "./segment-head.ts";
import { segmentName } from "./spool-recovery.ts";
import { type Report, reasonOf } from "./store-problem.ts";

export interface SegmentRowOptions {
  readonly folder: string;
  readonly fs: FileSystem;
  readonly segmentBytes: number;
  readonly report: Report;
  /** Messages that were here and are not readable any more, and their size. */
  readonly lost: (count: number, bytes: number) => void;
}

export class SegmentRow {
  readonly #options: SegmentRowOptions;
  readonly #cache: SegmentCache;
  #segments: Segment[];
  #sequence: number;

  constructor(options: SegmentRowOptions, found: readonly Segment[], sequence: number) {
    this.#options = options;
    this.#cache = new SegmentCache(options.fs);
    this.#segments = [...found];
    this.#sequence = sequence;
  }

  get active(): Segment {
    const active = this.#segments.at(-1);
    assert(active !== undefined, "a spool always has a segment to write to");
    return active;
  }

  get memoryBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.memoryBytes, 0);
  }

  get pendingBytes(): number {
    return this.pending().reduce((sum, segment) => sum + segment.pendingBytes, 0);
  }

  /** Those that the disk does not have for certain, the oldest first: they are the last ones. */
  pending(): Segment[] {
    let from = this.#segments.length;
    while (from > 0 && (this.#segments[from - 1]?.pendingBytes ?? 0) > 0) from -= 1;
    return this.#segments.slice(from);
  }

  begin(head: Omit<SegmentHead, "salt">): void {
    const before = this.#segments.at(-1);
    this.#sequence += 1;
    const path = join(this.#options.folder, segmentName(this.#sequence));
    this.#segments.push(Segment.begin(path, { ...head, salt: randomBytes(4).readUInt32BE() }));
    if (before !== undefined) this.retire(before);
  }

  hasRoomFor(message: RawMessage): boolean {
    return this.active.hasRoomFor(message.packed.length, message.number, this.#options.segmentBytes);
  }

  /** The number that was given before `first`: where a life began there may be a gap, of numbers that were never given. */
  lastBefore(first: number): number {
    const { active } = this;
    return active.first === first && active.last < first ? active.head.lastBefore : first - 1;
  }

  /** The segment that may hold this number. */
  segmentOf(number: number): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#segments[middle]?.first ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    const segment = this.#segments[low - 1];
    return segment === undefined || segment.last < number ? undefined : segment;
  }

  /** Loads a segment if need be, and counts what was damaged since it was written. */
  isReadable(segment: Segment, base: number): boolean {
    this.#cache.touch(segment);
    if (segment.isLoaded) return true;
    const { count, bytes, path } = segment;
    if (count === 0) return false;
    let why = "damaged";
    try {
      this.#cache.load(segment);
      segment.recount(base);
      if (segment.count === count) return true;
    } catch (error) {
      why = reasonOf(error);
      segment.count = 0;
      segment.bytes = 0;
    }
    const lost = count - segment.count;
    this.#options.lost(lost, bytes - segment.bytes);
    this.#options.report({ code: "SPOOL_DAMAGED", message: `${lost} messages of ${path} cannot be read: ${why}` });
    return segment.isLoaded;
  }

  /** Takes the bytes below `target` off each segment's sum; answers how many they were. */
  forget(base: number, target: number): number {
    let forgotten = 0;
    for (const segment of this.#segments) {
      if (segment.first >= target) break;
      let bytes = segment.bytes;
      // One that goes in part is loaded for the sizes of its messages. Mostly it is already: they were read just now.
      if (segment.last >= target) {
        bytes = this.isReadable(segment, base) ? segment.bytesBetween(base, target) : 0;
      }
      segment.bytes -= bytes;
      forgotten += bytes;
    }
    return forgotten;
  }

  /** One that is not appended to any more, once the disk has it. */
  retire(segment: Segment): void {
    if (segment.pendingBytes > 0 || segment.discarded || segment === this.active) return;
    this.close(segment);
    if (segment.isLoaded) this.#cache.add(segment);
  }

  /** Whether the first file holds nothing from `base` on, and is not the last one. */
  hasSpent(base: number): boolean {
    const [first] = this.#segments;
    return first !== undefined && first !== this.active && first.last < base;
  }

  /** Removes files that hold nothing from `base` on. The newest that the disk has stays: it knows which numbers were given. */
  dropSpent(base: number): void {
    const newest = this.#segments.findLastIndex(({ named }) => named);
    const kept = this.#segments.findIndex((segment, index) => segment.last >= base || index >= newest);
    for (const segment of this.#segments.splice(0, Math.max(0, kept))) this.#discard(segment);
  }

  /**
   * Takes back what the disk does not have for certain: its files end before it, or go. Answers the messages, which are in
   * none of the segments then; a new one must be begun for them.
   */
  takeBackPending(base: number): RawMessage[] {
    const pending = this.pending();
    const messages = pending.flatMap((segment) => segment.unsynced(base));
    for (const segment of pending) {
      if (segment.synced === 0) {
        this.#discard(segment);
        continue;
      }
      segment.cut(this.#options.fs, base);
      this.close(segment);
      this.#cache.add(segment);
    }
    this.#segments = this.#segments.filter(({ discarded }) => !discarded);
    return messages;
  }

  close(segment: Segment): void {
    if (segment.fd !== null) this.#options.fs.close(segment.fd);
    segment.fd = null;
  }

  closeAll(): void {
    for (const segment of this.#segments) this.close(segment);
  }

  #discard(segment: Segment): void {
    segment.discarded = true;
    this.#cache.forget(segment);
    if (!segment.syncing) this.close(segment);
    if (segment.written === 0 && !segment.named) return;
    try {
      this.#options.fs.remove(segment.path);
    } catch {
      // The next start finds it, with nothing in it that is kept, and tries again.
    }
  }
}
