/**
 * What outlives this process, on disk: the state that the hub saves, the messages of each durable link, the incarnation.
 * A shell around `store/`: opens all of it before anything is connected, writes it at the end of each turn, tells the owner
 * when the disk has more, and tries again when the disk takes nothing.
 */
import type { LinkConfig } from "../config/types.ts";
import type { SpoolLog } from "../flow/spool-log.ts";
import { decodeState, type HubState, type SavedEntry } from "../hub/saved-state.ts";
import type { StoreStatus } from "../ops/agent-status.ts";
import { DataDir } from "../store/data-dir.ts";
import { DiskSpoolLog, type DiskSpoolOptions } from "../store/disk-spool-log.ts";
import { diskFileSystem, type FileSystem } from "../store/file-system.ts";
import { Journal } from "../store/journal.ts";
import { removeSpool } from "../store/spool-removal.ts";
import type { DiskAnswer, Report, StoreProblem } from "../store/store-problem.ts";
import { ByteReader, ByteWriter } from "../wire/bytes.ts";

/** The key of the shell's own in the journal. */
const INCARNATION = "agent/incarnation";
/** A disk that took nothing is asked again after this. */
const RETRY_MS = 1_000;
/** A snapshot is all of the state: one that fails is not tried at each turn. */
const SNAPSHOT_MS = 60_000;

export interface AgentStoreEvents {
  /** The link's log has more on disk than before. */
  synced(link: string): void;
  /** Null: what was wrong with the disk is over. */
  problem(problem: StoreProblem | null): void;
}

export class AgentStore {
  readonly restored: HubState;
  /** Of the life before; 0: there was none. */
  readonly lastIncarnation: number;
  readonly #dir: DataDir;
  readonly #journal: Journal;
  readonly #logs: Map<string, DiskSpoolLog>;
  readonly #options: DiskSpoolOptions;
  readonly #syncing = new Set<string>();
  /** Links whose last sync failed: asked again when the disk is. */
  readonly #stalled = new Set<string>();
  #journalStalled = false;
  #snapshotAfterMs = Number.NEGATIVE_INFINITY;
  #events: AgentStoreEvents | null = null;
  #incarnation = 0;
  #problem: StoreProblem | null = null;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #dirty = false;
  #closed = false;

  private constructor(
    dir: DataDir,
    journal: Journal,
    logs: Map<string, DiskSpoolLog>,
    options: DiskSpoolOptions,
    restored: HubState,
    lastIncarnation: number,
  ) {
    this.#dir = dir;
    this.#journal = journal;
    this.#logs = logs;
    this.#options = options;
    this.restored = restored;
    this.lastIncarnation = lastIncarnation;
  }

  /** Rejects with a LinkError: an agent that cannot keep its word does not start. */
  static async open(
    path: string,
    links: readonly LinkConfig[],
    report: Report,
    fs: FileSystem = diskFileSystem,
  ): Promise<AgentStore> {
    const options = { report, fs };
    const dir = await DataDir.open(path, options);
    try {
      const { journal, values } = Journal.open(dir.journalPath, options);
      const { state, refused } = decodeState(values);
      for (const { key, reason } of refused) report({ code: "JOURNAL_DAMAGED", message: `${key}: ${reason}` });
      const logs = new Map<string, DiskSpoolLog>();
      for (const { name, enable, durability } of links) {
        if (enable && durability === "disk") logs.set(name, DiskSpoolLog.open(dir.spoolFolder(name), options));
      }
      return new AgentStore(dir, journal, logs, options, state, incarnationOf(values.get(INCARNATION)));
    } catch (error) {
      dir.close();
      throw error;
    }
  }

  /** Before anything else is asked of it. */
  connect(events: AgentStoreEvents): void {
    this.#events = events;
  }

  log(link: string): SpoolLog | undefined {
    return this.#logs.get(link);
  }

  /** Of a link that comes, or comes back. Throws a LinkError. */
  open(link: string): SpoolLog {
    const log = this.#logs.get(link) ?? DiskSpoolLog.open(this.#dir.spoolFolder(link), this.#options);
    this.#logs.set(link, log);
    return log;
  }

  /** The link is gone for good: its messages go. Answers how many there were; rejects with a LinkError. */
  async remove(link: string): Promise<number> {
    const folder = this.#dir.spoolFolder(link);
    if ((this.#options.fs ?? diskFileSystem).state(folder) === null) return 0;
    const log = this.#logs.get(link) ?? DiskSpoolLog.open(folder, this.#options);
    this.#logs.delete(link);
    this.#stalled.delete(link);
    await new Promise((done) => log.close(done));
    removeSpool(folder);
    return log.lastNumber + 1 - log.base;
  }

  get status(): StoreStatus {
    let [lost, refused, writeFailures, syncFailures, waitingBytes] = [0, 0, 0, 0, 0];
    for (const { counters, pendingBytes } of this.#logs.values()) {
      lost += counters.lost;
      refused += counters.refused;
      writeFailures += counters.writeFailures;
      syncFailures += counters.syncFailures;
      waitingBytes += pendingBytes;
    }
    return {
      path: this.#dir.path,
      problem: this.#problem === null ? null : `${this.#problem.code}: ${this.#problem.message}`,
      journalBytes: this.#journal.bytes,
      lost,
      refused,
      writeFailures,
      syncFailures,
      waitingBytes,
    };
  }

  get deadlineMs(): number {
    return this.#retryAtMs;
  }

  save(key: string, value: Uint8Array | null): void {
    if (this.#closed) return;
    this.#journal.put(key, value);
    this.#dirty = true;
  }

  /** The agent speaks under this incarnation from now on. */
  incarnation(incarnation: number): void {
    if (incarnation === this.#incarnation) return;
    this.#incarnation = incarnation;
    this.save(INCARNATION, encodedIncarnation(incarnation));
  }

  /** What was saved is written, as far as the disk takes it, before the act that it describes. */
  written(): void {
    if (!this.#dirty || this.#journalStalled || this.#closed) return;
    const answer = this.#journal.write();
    this.#dirty = !answer.ok;
    this.#journalStalled = !answer.ok;
    this.#took(answer);
  }

  /** The end of a turn: messages go to the disk, and the owner hears when it has them. */
  flush(nowMs: number, saved: () => Iterable<SavedEntry>): void {
    if (this.#closed) return;
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Number.POSITIVE_INFINITY;
      this.#journalStalled = false;
      this.#stalled.clear();
    }
    this.written();
    if (this.#journal.wantsSnapshot && nowMs >= this.#snapshotAfterMs) {
      this.#snapshotAfterMs = nowMs + SNAPSHOT_MS;
      this.#snapshot(saved());
    }
    for (const [link, log] of this.#logs) this.#keep(link, log);
    if (this.#problem !== null && this.#retryAtMs === Number.POSITIVE_INFINITY) this.#retryAtMs = nowMs + RETRY_MS;
  }

  /** Whether everything that was given to a log is on the disk. */
  get isKept(): boolean {
    for (const log of this.#logs.values()) if (log.durableNumber < log.lastNumber) return false;
    return true;
  }

  /** Writes what is left. Nothing is saved after it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const log of this.#logs.values()) this.#took(await new Promise((done) => log.close(done)));
    this.#took(await new Promise((done) => this.#journal.close(done)));
    this.#dir.close();
  }

  #keep(link: string, log: DiskSpoolLog): void {
    const answer = log.write();
    this.#took(answer);
    if (!answer.ok || !log.wantsSync || this.#syncing.has(link) || this.#stalled.has(link)) return;
    this.#syncing.add(link);
    log.sync((synced) => {
      this.#syncing.delete(link);
      if (this.#closed) return;
      if (!synced.ok) this.#stalled.add(link);
      this.#took(synced);
      this.#events?.synced(link);
    });
  }

  #snapshot(saved: Iterable<SavedEntry>): void {
    this.#journal.compact(withIncarnation(this.#incarnation, saved), (answer) => {
      // One that the end of the agent cuts short is no problem: what is there is complete.
      if (!this.#closed) this.#took(answer);
    });
  }

  /** One word per change: the disk may say the same a thousand times a second. */
  #took(answer: DiskAnswer): void {
    const problem = answer.ok ? null : { code: answer.code, message: answer.reason };
    if (problem !== null) {
      if (this.#problem?.code === problem.code && this.#problem.message === problem.message) return;
      this.#problem = problem;
      this.#events?.problem(problem);
      return;
    }
    // A success elsewhere says nothing of what still waits.
    if (this.#problem === null || this.#dirty || !this.isKept) return;
    this.#problem = null;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    this.#events?.problem(null);
  }
}

function* withIncarnation(incarnation: number, saved: Iterable<SavedEntry>): Generator<SavedEntry> {
  yield [INCARNATION, encodedIncarnation(incarnation)];
  yield* saved;
}

function encodedIncarnation(incarnation: number): Uint8Array {
  const writer = new ByteWriter(8);
  writer.varint(incarnation);
  return writer.finish();
}

/** A value that cannot be read is none: the clock then says which life this is, as it does for an agent without a disk. */
function incarnationOf(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : new ByteReader(bytes).varint();
}
