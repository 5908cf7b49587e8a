/**
 * One sync at a time: those who ask while it is under way share the next one, since what they wrote may have come too
 * late for this. So each burst of messages costs one wait for the disk, however many it has.
 */
import type { FileSystem, SyncDone } from "./file-system.ts";

/** What one sync brings to the disk. */
export interface SyncRound {
  readonly files: readonly { readonly fd: number; readonly synced: () => void }[];
  /** The folder to sync behind the files, because it has new ones; null: none. */
  readonly folder: string | null;
  /** Called before those who asked are told. */
  readonly ended: (error: Error | null) => void;
}

export class GroupSync {
  readonly #fs: FileSystem;
  readonly #begin: () => SyncRound;
  #waiting: SyncDone[] = [];
  #isUnderWay = false;

  constructor(fs: FileSystem, begin: () => SyncRound) {
    this.#fs = fs;
    this.#begin = begin;
  }

  ask(done: SyncDone): void {
    this.#waiting.push(done);
    if (!this.#isUnderWay) this.#run();
  }

  #run(): void {
    const asked = this.#waiting;
    this.#waiting = [];
    this.#isUnderWay = true;
    const round = this.#begin();
    const end = (error: Error | null) => {
      this.#isUnderWay = false;
      round.ended(error);
      for (const done of asked) done(error);
      if (this.#waiting.length > 0 && !this.#isUnderWay) this.#run();
    };
    this.#next(round, 0, end);
  }

  #next(round: SyncRound, index: number, end: SyncDone): void {
    const file = round.files[index];
    if (file !== undefined) {
      this.#fs.sync(file.fd, (error) => {
        if (error !== null) return end(error);
        file.synced();
        this.#next(round, index + 1, end);
      });
    } else if (round.folder !== null) {
      this.#fs.syncFolder(round.folder, end);
    } else {
      process.nextTick(end, null);
    }
  }
}
