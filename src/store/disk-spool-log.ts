/**
 * The messages of one link on disk: segments of about 1 MiB, each appended to, synced, read in order and removed as a whole.
 *
 *   append()  into memory      write()  one call, into the page cache      sync()  onto the disk, while the loop turns
 *
 * A number that was given once never goes to another message, whatever was on the disk when the process or the machine
 * stopped: every write carries a ceiling for the numbers given so far and a while ahead. What comes close to the ceiling
 * that is on the disk is not called durable, so that acknowledgements, and with them new messages, stop before it is
 * reached. After an unclean end numbers go on behind the ceiling; `get` knows nothing of those left out.
 */
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import type { SpoolEntry, SpoolLog } from "../flow/spool-log.ts";
import { packMessage } from "../wire/frame.ts";
import type { Message } from "../wire/message.ts";
import { diskFileSystem, type FileSystem } from "./file-system.ts";
import { GroupSync, type SyncRound } from "./group-sync.ts";
import type { RawMessage } from "./segment.ts";
import { SegmentRow } from "./segment-row.ts";
import { NUMBERS_AHEAD } from "./segment-scan.ts";
import { recoverSpool } from "./spool-recovery.ts";
import { DISK_TOOK_IT, type DiskAnswer, type Report, reasonOf } from "./store-problem.ts";

const SEGMENT_BYTES = 1024 * 1024;
/** What a disk that takes nothing may leave in memory. Brokers stop long before: nothing of this is acknowledged. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** Acknowledgements stop this far before the ceiling on the disk: more than a broker sends without any. */
const NUMBERS_SPARE = NUMBERS_AHEAD / 2;
/** A base or a ceiling that moved by less is told with a later write. */
const NOTE_STEP = 1_024;
/** An emptied segment of this part of the usual size is not filled up: it would be read again at the next start. */
const EMPTIED_SHARE = 4;

export interface DiskSpoolOptions {
  readonly report: Report;
  readonly fs?: FileSystem;
  readonly segmentBytes?: number;
  readonly pendingBytesMax?: number;
}

export interface SpoolCounters {
  /** Kept by an earlier life and not readable any more, or found damaged later. */
  lost: number;
  /** Not kept: the disk took nothing, and memory was full of what waited for it. */
  refused: number;
  writeFailures: number;
  syncFailures: number;
}

export class DiskSpoolLog implements SpoolLog {
  readonly stream: string;
  readonly counters: SpoolCounters = { lost: 0, refused: 0, writeFailures: 0, syncFailures: 0 };
  readonly #folder: string;
  readonly #fs: FileSystem;
  readonly #segmentBytes: number;
  readonly #pendingBytesMax: number;
  readonly #row: SegmentRow;
  readonly #sync: GroupSync;
  #base: number;
  #lastNumber: number;
  #bytes: number;
  #durable: number;
  /** What the last note says, or the head of the last segment. */
  #notedBase = 0;
  #notedCeiling = 0;
  /** The base and the ceiling that a later life will find, whatever happens now. */
  #durableBase: number;
  #durableCeiling: number;
  /** What the last write that succeeded has handed over. */
  #written: { readonly last: number; readonly base: number; readonly ceiling: number };
  #writeFailed = false;

  private constructor(folder: string, fs: FileSystem, options: DiskSpoolOptions) {
    const recovered = recoverSpool(folder, fs, options.report);
    this.stream = recovered.stream ?? randomBytes(8).toString("hex");
    this.#folder = folder;
    this.#fs = fs;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#pendingBytesMax = options.pendingBytesMax ?? PENDING_BYTES_MAX;
    this.#base = recovered.base;
    this.#lastNumber = recovered.next - 1;
    this.#bytes = recovered.segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.counters.lost = recovered.lost;
    const lost = (count: number, bytes: number) => {
      this.counters.lost += count;
      this.#bytes -= bytes;
    };
    const rowOptions = { folder, fs, segmentBytes: this.#segmentBytes, report: options.report, lost };
    this.#row = new SegmentRow(rowOptions, recovered.segments, recovered.sequence);
    this.#sync = new GroupSync(fs, () => this.#syncRound());
    // A process that was killed left its last writes to the kernel: they count as kept only once the disk has them.
    for (const { path } of recovered.segments) syncFound(path, fs);
    // Only with this on the disk are the numbers to come safe from being given again.
    this.#begin(recovered.next, recovered.last);
    const { active } = this.#row;
    active.write(fs);
    if (active.fd !== null) fs.syncNow(active.fd);
    fs.syncFolderNow(folder);
    active.synced = active.written;
    active.named = true;
    this.#durable = this.#lastNumber;
    this.#durableBase = active.head.base;
    this.#durableCeiling = active.head.ceiling;
    this.#written = { last: this.#lastNumber, base: this.#durableBase, ceiling: this.#durableCeiling };
    for (const path of recovered.spent) fs.remove(path);
  }

  /** Throws a LinkError: without a disk that works there is nothing to begin with. */
  static open(folder: string, options: DiskSpoolOptions): DiskSpoolLog {
    const fs = options.fs ?? diskFileSystem;
    try {
      fs.makeFolder(folder);
      fs.syncFolderNow(dirname(folder));
      return new DiskSpoolLog(folder, fs, options);
    } catch (error) {
      if (error instanceof LinkError) throw error;
      throw new LinkError("DATA_DIR_UNUSABLE", `the spool ${folder}: ${reasonOf(error)}`, { cause: error });
    }
  }

  get base(): number {
    return this.#base;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get durableNumber(): number {
    // What is below the base needs no disk any more.
    return Math.min(Math.max(this.#durable, this.#base - 1), this.#durableCeiling - NUMBERS_SPARE);
  }

  /** Something is written that the disk does not have for certain. To be asked at the end of each turn, after `write`. */
  get wantsSync(): boolean {
    return this.#row.pending().some(({ synced, written }) => synced < written);
  }

  /** In memory because the disk does not have it for certain. */
  get pendingBytes(): number {
    return this.#row.pendingBytes;
  }

  /** The disk has taken nothing for so long that soon a message cannot be kept: better leave the next with its broker. */
  get isFull(): boolean {
    return this.pendingBytes * 2 > this.#pendingBytesMax;
  }

  /** Of all segments in memory: what is pending, and the few that are read at present. */
  get memoryBytes(): number {
    return this.#row.memoryBytes;
  }

  append(message: Message, bytes: number, nowMs: number): number {
    const number = this.#lastNumber + 1;
    this.#lastNumber = number;
    const packed = packMessage(message);
    if (this.pendingBytes + packed.length > this.#pendingBytesMax) {
      this.counters.refused += 1;
      return number;
    }
    this.#append({ number, bytes, storedAtMs: nowMs, packed });
    return number;
  }

  get(number: number): SpoolEntry | undefined {
    if (number < this.#base) return undefined;
    const segment = this.#row.segmentOf(number);
    return segment !== undefined && this.#row.isReadable(segment, this.#base) ? segment.entry(number) : undefined;
  }

  free(base: number): void {
    const target = Math.min(base, this.#lastNumber + 1);
    if (target <= this.#base) return;
    this.#bytes -= this.#row.forget(this.#base, target);
    this.#base = target;
    this.#dropSpent();
    const { active } = this.#row;
    const isLarge = active.tail * EMPTIED_SHARE > this.#segmentBytes;
    if (target > this.#lastNumber && isLarge && active.pendingBytes === 0) this.#begin(target, this.#lastNumber);
  }

  /** Hands what was appended to the disk. At a failure all of it stays in memory, and the next call tries again. */
  write(): DiskAnswer {
    // While the disk takes nothing, notes would only pile up.
    if (!this.#writeFailed && this.#noteIsDue()) this.#note();
    try {
      for (const segment of this.#row.pending()) if (segment.written < segment.tail) segment.write(this.#fs);
    } catch (error) {
      this.#writeFailed = true;
      this.counters.writeFailures += 1;
      this.#dropSpent();
      return { ok: false, code: "SPOOL_WRITE_FAILED", reason: reasonOf(error) };
    }
    this.#writeFailed = false;
    this.#written = { last: this.#row.active.last, base: this.#notedBase, ceiling: this.#notedCeiling };
    return DISK_TOOK_IT;
  }

  /** What is written by now is on the disk when `done` is called with ok. */
  sync(done: (answer: DiskAnswer) => void): void {
    this.#sync.ask((error) => {
      done(error === null ? DISK_TOOK_IT : { ok: false, code: "SPOOL_WRITE_FAILED", reason: reasonOf(error) });
    });
  }

  /** Writes all, and that this is all: the next life goes on with the next number. The log is not used any more after it. */
  close(done: (answer: DiskAnswer) => void): void {
    this.#note();
    this.#row.active.appendEnd(this.#lastNumber + 1);
    const written = this.write();
    this.sync((synced) => {
      this.#row.closeAll();
      done(written.ok ? synced : written);
    });
  }

  #noteIsDue(): boolean {
    const { active } = this.#row;
    if (this.#lastNumber + NUMBERS_AHEAD - this.#notedCeiling >= NOTE_STEP) return true;
    const moved = this.#base - this.#notedBase;
    if (active.written < active.tail) return moved > 0;
    return moved >= NOTE_STEP || (moved > 0 && (this.#base > this.#lastNumber || this.#row.hasSpent(this.#base)));
  }

  /** Files go once a later life will know that they are not missing; where the disk is full, before: it needs the room. */
  #dropSpent(): void {
    this.#row.dropSpent(this.#writeFailed ? this.#base : this.#durableBase);
  }

  #note(): void {
    this.#raiseMarks();
    this.#row.active.appendNote(this.#notedBase, this.#notedCeiling);
  }

  #raiseMarks(): void {
    this.#notedBase = this.#base;
    this.#notedCeiling = Math.max(this.#notedCeiling, this.#lastNumber + NUMBERS_AHEAD);
  }

  #begin(first: number, lastBefore: number): void {
    this.#raiseMarks();
    this.#row.begin({ stream: this.stream, first, lastBefore, base: this.#notedBase, ceiling: this.#notedCeiling });
  }

  #append(message: RawMessage): void {
    if (!this.#row.hasRoomFor(message)) this.#begin(message.number, message.number - 1);
    this.#row.active.appendMessage(message);
    this.#bytes += message.bytes;
  }

  #syncRound(): SyncRound {
    const segments = this.#row.pending().filter(({ fd, synced, written }) => fd !== null && synced < written);
    const { last, base, ceiling } = this.#written;
    const files = segments.map((segment) => {
      const { fd, written } = segment;
      segment.syncing = true;
      const synced = () => {
        segment.synced = written;
      };
      return { fd: fd ?? -1, synced };
    });
    const isNew = segments.some(({ named }) => !named);
    const ended = (error: Error | null) => {
      for (const segment of segments) {
        segment.syncing = false;
        if (segment.discarded) this.#row.close(segment);
        else if (error === null) segment.named = true;
        // A file whose name is not on the disk is not on the disk.
        else if (!segment.named) segment.synced = 0;
      }
      if (error === null) {
        this.#durable = Math.max(this.#durable, last);
        this.#durableBase = base;
        this.#durableCeiling = Math.max(this.#durableCeiling, ceiling);
      } else {
        this.counters.syncFailures += 1;
        this.#writeAgainElsewhere();
      }
      for (const segment of segments) this.#row.retire(segment);
      this.#dropSpent();
    };
    return { files, folder: isNew ? this.#folder : null, ended };
  }

  /**
   * After a failed sync nobody knows what the disk has of the pages concerned, and asking once more would be answered with
   * success about nothing. So they are written again, to another file.
   */
  #writeAgainElsewhere(): void {
    const messages = this.#row.takeBackPending(this.#base);
    for (const { bytes } of messages) this.#bytes -= bytes;
    this.#written = { last: this.#durable, base: this.#durableBase, ceiling: this.#durableCeiling };
    const first = messages[0]?.number ?? this.#lastNumber + 1;
    this.#begin(first, this.#row.lastBefore(first));
    for (const message of messages) this.#append(message);
  }
}

function syncFound(path: string, fs: FileSystem): void {
  const fd = fs.openForWriting(path);
  try {
    fs.syncNow(fd);
  } finally {
    fs.close(fd);
  }
}
