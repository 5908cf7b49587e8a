/**
 * Small state that outlives the process: the last value of each key. What is put goes out with one `write()` before the act
 * it describes; a killed process then loses none of it. Against a power cut it is synced once a second.
 *
 * It only grows, until the owner is asked for all of its state: that makes a new file, a slice at a time, which takes the
 * old one's name once the disk has it. Until then what is put goes to both: the old file is complete whenever the process
 * ends, and the new one when it takes the name.
 */
import { dirname } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { diskFileSystem, type FileSystem } from "./file-system.ts";
import { JournalFile, readJournal } from "./journal-file.ts";
import { type Entry, JournalSnapshot } from "./journal-snapshot.ts";
import { DISK_TOOK_IT, type DiskAnswer, type Report, reasonOf } from "./store-problem.ts";

const SYNC_AFTER_MS = 1_000;
/** A journal below this size is not worth a snapshot; above, it may be this many times its last one. */
const SMALL_BYTES = 1024 * 1024;
const GROWTH = 4;
/** Of a snapshot, in one round of the event loop: less than a round-trip to a broker on the same machine takes. */
const SLICE_MS = 4;
const GIVEN_UP = new Error("the snapshot was given up");

export interface JournalOptions {
  readonly report: Report;
  readonly fs?: FileSystem;
  readonly syncAfterMs?: number;
  readonly sliceMs?: number;
}

export class Journal {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #report: Report;
  readonly #syncAfterMs: number;
  readonly #sliceMs: number;
  #file: JournalFile;
  /** Until its file has the journal's name. */
  #coming: JournalSnapshot | null = null;
  /** Put and not written. The last value counts, so there are never more than the owner has keys. */
  #pending = new Map<string, Uint8Array | null>();
  #snapshotBytes: number;
  #syncFailed = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(path: string, file: JournalFile, options: JournalOptions) {
    this.#path = path;
    this.#file = file;
    this.#fs = options.fs ?? diskFileSystem;
    this.#report = options.report;
    this.#syncAfterMs = options.syncAfterMs ?? SYNC_AFTER_MS;
    this.#sliceMs = options.sliceMs ?? SLICE_MS;
    this.#snapshotBytes = file.bytes;
  }

  /** Throws a LinkError: without a disk that works there is nothing to begin with. */
  static open(path: string, options: JournalOptions): { journal: Journal; values: Map<string, Uint8Array> } {
    const fs = options.fs ?? diskFileSystem;
    try {
      const { file, values } = openFile(path, fs, options.report);
      fs.syncNow(file.fd);
      fs.syncFolderNow(dirname(path));
      return { journal: new Journal(path, file, options), values };
    } catch (error) {
      if (error instanceof LinkError) throw error;
      throw new LinkError("DATA_DIR_UNUSABLE", `the journal ${path}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Of the file. */
  get bytes(): number {
    return this.#file.bytes;
  }

  get wantsSnapshot(): boolean {
    if (this.#coming !== null) return false;
    return this.#syncFailed || this.#file.bytes > Math.max(SMALL_BYTES, GROWTH * this.#snapshotBytes);
  }

  put(key: string, value: Uint8Array | null): void {
    this.#pending.set(key, value);
  }

  /** Hands what was put to the disk. At a failure it stays here, and the next call tries again. */
  write(): DiskAnswer {
    if (this.#pending.size === 0) return DISK_TOOK_IT;
    try {
      this.#file.append(this.#pending);
    } catch (error) {
      return failure(error);
    }
    try {
      this.#coming?.append(this.#pending);
    } catch (error) {
      this.#giveUpSnapshot(error);
    }
    this.#pending.clear();
    this.#syncLater();
    return DISK_TOOK_IT;
  }

  /** What is written by now is on the disk when `done` is called with ok. */
  sync(done: (answer: DiskAnswer) => void): void {
    const file = this.#file;
    file.sync((error) => {
      // What a failed sync left on the disk nobody knows: only a new file helps.
      if (error !== null && file === this.#file) this.#syncFailed = true;
      done(error === null ? DISK_TOOK_IT : failure(error));
    });
  }

  /**
   * Makes a new file of `entries`, which must be the whole of the owner's state; null among them is nothing. They are taken
   * over many rounds of the event loop, while the owner goes on: whatever it changes meanwhile it has to put as well.
   */
  compact(entries: Iterable<Entry | null>, done: (answer: DiskAnswer) => void): void {
    const path = `${this.#path}.new`;
    let coming: JournalSnapshot;
    try {
      if (this.#coming !== null) throw new Error("a snapshot is under way");
      if (this.#fs.state(path) !== null) this.#fs.remove(path);
      coming = new JournalSnapshot(JournalFile.create(this.#fs, path), entries, this.#sliceMs);
    } catch (error) {
      process.nextTick(done, failure(error));
      return;
    }
    this.#coming = coming;
    this.#writeSlices(coming, (error) => {
      if (error !== null && this.#coming === coming) this.#giveUpSnapshot(error);
      done(error === null ? DISK_TOOK_IT : failure(error));
    });
  }

  /** The journal is not used any more after it. */
  close(done: (answer: DiskAnswer) => void): void {
    const written = this.write();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    // Without it the old file is complete.
    this.#coming?.file.remove();
    this.#coming = null;
    this.sync((synced) => {
      this.#file.close();
      done(written.ok ? synced : written);
    });
  }

  #writeSlices(coming: JournalSnapshot, end: (error: unknown) => void): void {
    if (this.#coming !== coming) {
      end(GIVEN_UP);
      return;
    }
    let isWhole: boolean;
    try {
      isWhole = coming.writeSlice();
    } catch (error) {
      process.nextTick(end, error);
      return;
    }
    if (isWhole) this.#takeOver(coming, end);
    else setImmediate(() => this.#writeSlices(coming, end));
  }

  /** The new file is whole: once the disk has it, it is the journal. */
  #takeOver(coming: JournalSnapshot, end: (error: unknown) => void): void {
    const { file } = coming;
    const snapshotBytes = file.bytes;
    file.sync((error) => {
      if (error !== null || this.#coming !== coming) return end(error ?? GIVEN_UP);
      try {
        this.#fs.rename(file.path, this.#path);
      } catch (renameError) {
        return end(renameError);
      }
      this.#file.close();
      this.#file = file;
      this.#coming = null;
      this.#snapshotBytes = snapshotBytes;
      this.#syncFailed = false;
      // What was put while the disk was at work is in the new file, and was perhaps synced in the old one only.
      this.#syncLater();
      this.#fs.syncFolder(dirname(this.#path), end);
    });
  }

  #syncLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.sync((answer) => {
        if (!answer.ok) this.#report({ code: answer.code, message: `${this.#path}: ${answer.reason}` });
      });
    }, this.#syncAfterMs).unref();
  }

  #giveUpSnapshot(error: unknown): void {
    this.#coming?.file.remove();
    this.#coming = null;
    this.#report({ code: "JOURNAL_WRITE_FAILED", message: `the snapshot ${this.#path}.new: ${reasonOf(error)}` });
  }
}

function failure(error: unknown): DiskAnswer {
  return { ok: false, code: "JOURNAL_WRITE_FAILED", reason: reasonOf(error) };
}

function openFile(
  path: string,
  fs: FileSystem,
  report: Report,
): { file: JournalFile; values: Map<string, Uint8Array> } {
  if (fs.state(path) === null) return { file: JournalFile.create(fs, path), values: new Map() };
  const bytes = fs.read(path);
  const content = readJournal(bytes);
  if (!("kind" in content)) {
    const { scan, end, values } = content;
    if (scan.damages.length === 0 && scan.tail !== "damaged") {
      if (scan.tail === "torn") {
        const message = `the last record of ${path} was not written to its end, and is cut off`;
        report({ code: "JOURNAL_DAMAGED", message });
      }
      return { file: JournalFile.goOn(fs, path, content), values };
    }
    const message = `${path} is damaged at ${end}: what was written behind is lost; the file is kept as ${path}.damaged`;
    report({ code: "JOURNAL_DAMAGED", message });
    return { file: replaced(path, bytes, values, fs), values };
  }
  if (content.kind === "foreign") {
    throw new LinkError(
      "DATA_DIR_UNUSABLE",
      `${path} is of version ${content.version} of the journal, which this agent does not read: ` +
        "start the version that wrote it, or move the file away and begin without its state",
    );
  }
  const message = `${path} has no readable beginning (${bytes.length} bytes): its state is lost; it is kept as ${path}.damaged`;
  report({ code: "JOURNAL_DAMAGED", message });
  return { file: replaced(path, bytes, new Map(), fs), values: new Map() };
}

/** Keeps a copy of the damaged file, and puts what could be read in its place. */
function replaced(path: string, bytes: Buffer, values: Map<string, Uint8Array>, fs: FileSystem): JournalFile {
  for (const leftover of [`${path}.damaged`, `${path}.new`]) if (fs.state(leftover) !== null) fs.remove(leftover);
  const copy = fs.create(`${path}.damaged`);
  try {
    for (let at = 0; at < bytes.length; ) at += fs.write(copy, bytes.subarray(at), at);
  } finally {
    fs.close(copy);
  }
  const file = JournalFile.create(fs, `${path}.new`);
  file.append(values);
  fs.syncNow(file.fd);
  fs.rename(file.path, path);
  return file;
}
