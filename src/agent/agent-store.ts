/**
 * What outlives this process, on disk: the state that the hub saves, the messages of each durable link, the incarnation.
 * A shell around `store/`: opens all of it before anything is connected, writes it at the end of each turn, tells the owner
 * when the disk has more, and tries again when the disk takes nothing.
 */
import type { LinkConfig } from "../config/types.ts";
import type { LaneLogs } from "../flow/outbound-options.ts";
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

/** Both lanes of a link. */
interface DiskLaneLogs extends LaneLogs {
  readonly main: DiskSpoolLog;
  readonly live: DiskSpoolLog;
}

export interface AgentStoreEvents {
  /** One of the link's logs has more on disk than before. */
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
  readonly #links: Map<string, DiskLaneLogs>;
  readonly #options: DiskSpoolOptions;
  readonly #syncing = new Set<DiskSpoolLog>();
  /** Those whose last sync failed: asked again when the disk is. */
  readonly #stalled = new Set<DiskSpoolLog>();
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
    links: Map<string, DiskLaneLogs>,
    options: DiskSpoolOptions,
    restored: HubState,
    lastIncarnation: number,
  ) {
    this.#dir = dir;
    this.#journal = journal;
    this.#links = links;
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
      const logs = new Map<string, DiskLaneLogs>();
      for (const { name, enable, durability } of links) {
        if (!enable || durability !== "disk") continue;
        logs.set(name, openLogs(dir, name, options));
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

  logs(link: string): LaneLogs | undefined {
    return this.#links.get(link);
  }

  /** Of a link that comes, or comes back. Throws a LinkError. */
  open(link: string): LaneLogs {
    const logs = this.#links.get(link) ?? openLogs(this.#dir, link, this.#options);
    this.#links.set(link, logs);
    return logs;
  }

  /** The link is gone for good: its messages go. Answers how many there were; rejects with a LinkError. */
  async remove(link: string): Promise<number> {
    const folder = this.#dir.spoolFolder(link);
    if ((this.#options.fs ?? diskFileSystem).state(folder) === null) return 0;
    const { main, live } = this.#links.get(link) ?? openLogs(this.#dir, link, this.#options);
    this.#links.delete(link);
    let count = 0;
    for (const log of [live, main]) {
      this.#stalled.delete(log);
      await new Promise((done) => log.close(done));
      count += log.lastNumber + 1 - log.base;
    }
    removeSpool(this.#dir.liveFolder(link));
    removeSpool(folder);
    return count;
  }

  get status(): StoreStatus {
    let [lost, refused, writeFailures, syncFailures, waitingBytes] = [0, 0, 0, 0, 0];
    for (const { counters, pendingBytes } of this.#allLogs()) {
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
    for (const [link, { main, live }] of this.#links) {
      this.#keep(link, live);
      this.#keep(link, main);
    }
    if (this.#problem !== null && this.#retryAtMs === Number.POSITIVE_INFINITY) this.#retryAtMs = nowMs + RETRY_MS;
  }

  /** Whether everything that was given to a log is on the disk. */
  get isKept(): boolean {
    for (const log of this.#allLogs()) if (log.durableNumber < log.lastNumber) return false;
    return true;
  }

  /** Writes what is left. Nothing is saved after it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const log of this.#allLogs()) this.#took(await new Promise((done) => log.close(done)));
    this.#took(await new Promise((done) => this.#journal.close(done)));
    this.#dir.close();
  }

  *#allLogs(): Iterable<DiskSpoolLog> {
    for (const { main, live } of this.#links.values()) {
      yield live;
      yield main;
    }
  }

  #keep(link: string, log: DiskSpoolLog): void {
    const answer = log.write();
    this.#took(answer);
    if (!answer.ok || !log.wantsSync || this.#syncing.has(log) || this.#stalled.has(log)) return;
    this.#syncing.add(log);
    log.sync((synced) => {
      this.#syncing.delete(log);
      if (this.#closed) return;
      if (!synced.ok) this.#stalled.add(log);
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

/** Throws a LinkError, and leaves nothing open then. */
function openLogs(dir: DataDir, link: string, options: DiskSpoolOptions): DiskLaneLogs {
  const main = DiskSpoolLog.open(dir.spoolFolder(link), options);
  try {
    return { main, live: DiskSpoolLog.open(dir.liveFolder(link), options) };
  } catch (error) {
    main.close(() => {});
    throw error;
  }
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
