/**
 * What is known of the numbers of a stream that were sent lately: when, and whether they are settled. A few bytes for
 * each, and only for those between the oldest unconfirmed one and the last one sent: a spool of millions costs nothing here.
 * The message itself is kept until it is settled, so that a resend reads no disk.
 */
import { assert } from "../base/assert.ts";
import type { SpoolEntry } from "./spool-log.ts";

/** How far the last number sent may lie ahead of the oldest unconfirmed one; a receiver remembers twice as many. */
export const SENT_WINDOW_MAX = 32_768;
/** Few windows ever hold more. */
const FIRST_SLOTS = 64;
const NEVER = Number.NEGATIVE_INFINITY;

export class SentWindow {
  /** Everything below is forgotten. */
  #base: number;
  #entries: (SpoolEntry | null)[] = new Array(FIRST_SLOTS).fill(null);
  #sentAtMs = new Float64Array(FIRST_SLOTS).fill(NEVER);
  #settled = new Uint8Array(FIRST_SLOTS);
  #settledCount = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** How many are settled and not forgotten. */
  get settledCount(): number {
    return this.#settledCount;
  }

  /** Whether there is room to note something of this number. */
  includes(number: number): boolean {
    return number >= this.#base && number < this.#base + SENT_WINDOW_MAX;
  }

  isSettled(number: number): boolean {
    return this.#holds(number) && this.#settled[this.#at(number)] === 1;
  }

  /** When it last left in a frame; null: never, or nothing is known of it. */
  sentAtMs(number: number): number | null {
    if (!this.#holds(number)) return null;
    const atMs = this.#sentAtMs[this.#at(number)] ?? NEVER;
    return atMs === NEVER ? null : atMs;
  }

  /** The message, if it was sent and is not settled. */
  entry(number: number): SpoolEntry | null {
    return this.#holds(number) ? (this.#entries[this.#at(number)] ?? null) : null;
  }

  sent(entry: SpoolEntry, nowMs: number): void {
    this.#reserve(entry.number);
    const at = this.#at(entry.number);
    this.#entries[at] = entry;
    this.#sentAtMs[at] = nowMs;
  }

  settle(number: number): void {
    if (this.isSettled(number)) return;
    this.#reserve(number);
    const at = this.#at(number);
    this.#settled[at] = 1;
    this.#settledCount += 1;
    this.#entries[at] = null;
  }

  /** Nothing is known any more of what lies below `base`. */
  forget(base: number): void {
    const end = Math.min(base, this.#base + this.#entries.length);
    for (let number = this.#base; number < end; number += 1) {
      const at = this.#at(number);
      if (this.#settled[at] === 1) this.#settledCount -= 1;
      this.#entries[at] = null;
      this.#sentAtMs[at] = NEVER;
      this.#settled[at] = 0;
    }
    this.#base = Math.max(this.#base, base);
  }

  #holds(number: number): boolean {
    return number >= this.#base && number < this.#base + this.#entries.length;
  }

  #at(number: number): number {
    // Numbers are larger than 32 bits may hold.
    return number % this.#entries.length;
  }

  #reserve(number: number): void {
    assert(this.includes(number), `number ${number} within the window`);
    let size = this.#entries.length;
    if (number < this.#base + size) return;
    while (number >= this.#base + size) size *= 2;
    const [entries, sentAtMs, settled] = [this.#entries, this.#sentAtMs, this.#settled];
    this.#entries = new Array(size).fill(null);
    this.#sentAtMs = new Float64Array(size).fill(NEVER);
    this.#settled = new Uint8Array(size);
    for (let known = this.#base; known < this.#base + entries.length; known += 1) {
      const [from, to] = [known % entries.length, known % size];
      this.#entries[to] = entries[from] ?? null;
      this.#sentAtMs[to] = sentAtMs[from] ?? NEVER;
      this.#settled[to] = settled[from] ?? 0;
    }
  }
}
