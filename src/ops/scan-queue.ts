/**
 * Walks through large tables for people's questions without keeping messages waiting: one walk at a time, a few
 * milliseconds of it in each round of the event loop, and not for ever.
 */
import { setImmediate as nextRound } from "node:timers/promises";

/** Less than a round-trip to a broker on the same machine takes. */
const SLICE_MS = 4;
/** The clock is looked at once in so many entries: it costs as much as they do. */
const ENTRIES_PER_LOOK = 256;
/** Two full tables of a million: past it the answer says that it was cut. */
export const ENTRIES_MAX = 2_000_000;
/** Walks that wait for their turn; a browser that asks at every key press has a few. */
export const WAITING_MAX = 32;

export interface ScanResult {
  /** Whether entries were left out because there were too many. */
  readonly cut: boolean;
}

export class ScanQueue {
  readonly #entriesMax: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #refused = 0;

  constructor(entriesMax = ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
  }

  /** Walks that were refused because too many waited. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Hands each entry to `visit` until that answers true. The table may change between two rounds: its iterators go on,
   * as those of a Map do. Null: too many walks wait already.
   */
  scan<T>(entries: () => Iterable<T>, visit: (entry: T) => boolean | undefined): Promise<ScanResult> | null {
    if (this.#waiting >= WAITING_MAX) {
      this.#refused += 1;
      return null;
    }
    this.#waiting += 1;
    const scan = this.#last
      .then(() => this.#walk(entries(), visit))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = scan.catch(() => {});
    return scan;
  }

  async #walk<T>(entries: Iterable<T>, visit: (entry: T) => boolean | undefined): Promise<ScanResult> {
    let count = 0;
    let endMs = performance.now() + SLICE_MS;
    for (const entry of entries) {
      if (count === this.#entriesMax) return { cut: true };
      count += 1;
      if (visit(entry) === true) break;
      if (count % ENTRIES_PER_LOOK !== 0 || performance.now() < endMs) continue;
      await nextRound();
      endMs = performance.now() + SLICE_MS;
    }
    return { cut: false };
  }
}
