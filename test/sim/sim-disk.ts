/**
 * What one cluster's agents leave behind on their disk. Harsher than a process that is killed: of the spool only what was
 * synced survives, and of the state only what was written before something left that told of it.
 */
import type { LaneLogs } from "../../src/flow/outbound-options.ts";
import type { SpoolEntry, SpoolLog } from "../../src/flow/spool-log.ts";
import { decodeState, type HubState, type SavedEntry } from "../../src/hub/saved-state.ts";
import type { Message } from "../../src/wire/message.ts";

/** After an unclean end numbers go on far beyond any that may have been sent. */
const NUMBERS_SKIPPED = 10;

export class SimDisk {
  readonly failures: string[] = [];
  readonly #logs = new Map<string, { readonly main: SimDiskLog; readonly live: SimDiskLog }>();
  readonly #state = new Map<string, Uint8Array>();
  /** Saved and not written yet. */
  #unwritten: (readonly [string, Uint8Array | null])[] = [];

  /** The logs of the messages for one peer; `stream` names those that are new. */
  logsOf(peer: string, stream: () => string): LaneLogs {
    let logs = this.#logs.get(peer);
    if (logs === undefined) {
      logs = { main: new SimDiskLog(stream()), live: new SimDiskLog(stream()) };
      this.#logs.set(peer, logs);
    }
    return logs;
  }

  /** With the peer whose messages they have. */
  *logs(): Iterable<readonly [string, SimDiskLog]> {
    for (const [peer, { main, live }] of this.#logs) {
      yield [peer, live];
      yield [peer, main];
    }
  }

  save(key: string, value: Uint8Array | null): void {
    this.#unwritten.push([key, value]);
  }

  write(): void {
    for (const [key, value] of this.#unwritten.splice(0)) {
      if (value === null) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }

  /** The process ended. */
  crash(): void {
    this.#unwritten = [];
    for (const [, log] of this.logs()) log.crash();
  }

  restored(): HubState {
    const { state, refused } = decodeState(this.#state);
    for (const { key, reason } of refused) this.failures.push(`saved ${key} cannot be read: ${reason}`);
    return state;
  }

  /** Whether a whole snapshot is what was saved piece by piece. */
  compare(saved: Iterable<SavedEntry>, who: string): void {
    this.write();
    const whole = new Map<string, string>();
    for (const entry of saved) if (entry !== null) whole.set(entry[0], entry[1].join());
    for (const key of new Set([...whole.keys(), ...this.#state.keys()])) {
      const [pieces, all] = [this.#state.get(key)?.join(), whole.get(key)];
      // Records move on without news when the sender gives numbers up.
      if (pieces !== all && !key.startsWith("record/") && key !== "demand_id")
        this.failures.push(`${who} saved ${key} as [${pieces}], and all at once as [${all}]`);
    }
  }
}

export class SimDiskLog implements SpoolLog {
  readonly stream: string;
  base = 1;
  lastNumber = 0;
  bytes = 0;
  durableNumber = 0;
  readonly isFull = false;
  readonly #entries = new Map<number, SpoolEntry>();
  #durableBase = 1;

  constructor(stream: string) {
    this.stream = stream;
  }

  append(message: Message, bytes: number, nowMs: number): number {
    this.lastNumber += 1;
    this.#entries.set(this.lastNumber, { number: this.lastNumber, message, bytes, storedAtMs: nowMs });
    this.bytes += bytes;
    return this.lastNumber;
  }

  get(number: number): SpoolEntry | undefined {
    return this.#entries.get(number);
  }

  free(base: number): void {
    for (; this.base < base; this.base += 1) this.bytes -= this.#entries.get(this.base)?.bytes ?? 0;
    this.durableNumber = Math.max(this.durableNumber, this.base - 1);
  }

  get isSynced(): boolean {
    return this.durableNumber === this.lastNumber && this.#durableBase === this.base;
  }

  /** Everything from `base` up to `number` is on the disk. */
  synced(base: number, number: number): void {
    this.durableNumber = Math.max(this.durableNumber, number);
    for (; this.#durableBase < base; this.#durableBase += 1) this.#entries.delete(this.#durableBase);
  }

  /** What was freed since the last sync is there again. */
  crash(): void {
    const torn = this.lastNumber > this.durableNumber;
    for (let number = this.durableNumber + 1; number <= this.lastNumber; number += 1) this.#entries.delete(number);
    if (torn) this.lastNumber += NUMBERS_SKIPPED;
    this.durableNumber = this.lastNumber;
    this.base = this.#durableBase;
    this.bytes = 0;
    for (const { bytes } of this.#entries.values()) this.bytes += bytes;
  }
}
