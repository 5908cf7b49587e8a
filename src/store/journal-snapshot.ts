/**
 * A new file of the journal that comes into being while the old one is still written: all that the owner keeps, a few
 * milliseconds of it in each round of the event loop, and whatever is put meanwhile behind what is there by then.
 *
 * The last value of a key counts, so the order decides. What is put is written at once, and a key that was put since the
 * beginning is not taken from the owner's iterators any more: they go on over tables that change under them, and may hand
 * out what was true a moment ago.
 */
import type { JournalFile } from "./journal-file.ts";

/** The clock is looked at once in so many entries: it costs as much as they do. */
const ENTRIES_PER_LOOK = 64;
/** One write for so much: nothing is kept from one slice to the next, or it would come behind what is put in between. */
const PIECE_BYTES = 64 * 1024;

export type Entry = readonly [string, Uint8Array];

export class JournalSnapshot {
  readonly file: JournalFile;
  readonly #sliceMs: number;
  readonly #entries: Iterator<Entry | null>;
  /** Keys put since the beginning: never more than the owner has had meanwhile. */
  readonly #changed = new Set<string>();

  /** `entries`: the owner's whole state; null: nothing here, and a moment to look at the clock. */
  constructor(file: JournalFile, entries: Iterable<Entry | null>, sliceMs: number) {
    this.file = file;
    this.#sliceMs = sliceMs;
    this.#entries = entries[Symbol.iterator]();
  }

  /** What the owner put meanwhile. Throws what the disk says. */
  append(entries: ReadonlyMap<string, Uint8Array | null>): void {
    this.file.append(entries);
    for (const key of entries.keys()) this.#changed.add(key);
  }

  /** Writes for a few milliseconds; answers whether that was all. Throws what the disk says. */
  writeSlice(): boolean {
    const endMs = performance.now() + this.#sliceMs;
    do {
      const { piece, isLast } = this.#piece(endMs);
      if (piece.length > 0) this.file.append(piece);
      if (isLast) return true;
    } while (performance.now() < endMs);
    return false;
  }

  #piece(endMs: number): { piece: readonly Entry[]; isLast: boolean } {
    const piece: Entry[] = [];
    let bytes = 0;
    for (let count = 1; bytes < PIECE_BYTES; count += 1) {
      const { done, value } = this.#entries.next();
      if (done === true) return { piece, isLast: true };
      if (value !== null && !this.#changed.has(value[0])) {
        piece.push(value);
        bytes += value[0].length + value[1].length;
      }
      if (count % ENTRIES_PER_LOOK === 0 && performance.now() >= endMs) break;
    }
    return { piece, isLast: false };
  }
}
