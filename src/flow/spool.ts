/**
 * The queue of reliable messages that the peer has not confirmed, over a log that keeps them: numbered without gaps,
 * settled in any order, freed from the front. Pure. Bounded by bytes and age; at the limit the oldest go, or there is no
 * room for new ones, as configured, and every message given up is counted by the caller with the reason it gets.
 *
 * Of a message that was not sent yet nothing is kept in memory here: the log may be a gigabyte on a disk.
 */
import type { Message } from "../wire/message.ts";
import { SentWindow } from "./sent-window.ts";
import type { SpoolEntry, SpoolLog } from "./spool-log.ts";

export interface SpoolOptions {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  /** `backpressure`: there is no room until some is made, and whoever brings a message waits. */
  readonly whenFull: "drop_oldest" | "drop_newest" | "backpressure";
}

export interface SpoolDrop {
  readonly reason: "spool_full" | "spool_age";
  readonly count: number;
}

export class Spool {
  readonly log: SpoolLog;
  #options: SpoolOptions;
  readonly #sent: SentWindow;
  readonly #givenUp: (number: number) => void;
  /** The oldest one kept, once it was looked for. */
  #front: SpoolEntry | null = null;

  /** `givenUp` hears of every unsettled message that leaves because of a limit, before it does. */
  constructor(log: SpoolLog, options: SpoolOptions, givenUp: (number: number) => void) {
    this.log = log;
    this.#options = options;
    this.#givenUp = givenUp;
    this.#sent = new SentWindow(log.base);
    this.trim();
  }

  /** Other limits: what is too much now goes with the next message, or when its time comes. */
  limit(options: SpoolOptions): void {
    this.#options = options;
  }

  get stream(): string {
    return this.log.stream;
  }

  get bytes(): number {
    return this.log.bytes;
  }

  /** Messages that the peer has not confirmed. */
  get depth(): number {
    return this.log.lastNumber + 1 - this.log.base - this.#sent.settledCount;
  }

  /** Every number below this one is settled or given up. */
  get base(): number {
    return this.log.base;
  }

  get lastNumber(): number {
    return this.log.lastNumber;
  }

  get oldestStoredAtMs(): number | null {
    return this.#oldest()?.storedAtMs ?? null;
  }

  /** When the oldest message is too old; Infinity: there is none. */
  get deadlineMs(): number {
    const oldestMs = this.oldestStoredAtMs;
    return oldestMs === null ? Number.POSITIVE_INFINITY : oldestMs + this.#options.ageMaxMs + 1;
  }

  /**
   * Makes room for so many bytes: answers what had to be given up for them, or "full" when there is no room to be had.
   * `beside`: shares the limit, and gives up something only when nothing is left here.
   */
  makeRoom(bytes: number, beside: Spool | null = null): SpoolDrop | null | "full" {
    const { bytesMax, whenFull } = this.#options;
    if (bytes > bytesMax || this.log.isFull) return "full";
    let count = 0;
    while (this.bytes + (beside?.bytes ?? 0) + bytes > bytesMax) {
      const from = this.#isEmpty ? beside : this;
      if (from === null || from.#isEmpty) break;
      if (whenFull !== "drop_oldest") return "full";
      count += from.#dropOldest();
    }
    return count === 0 ? null : { reason: "spool_full", count };
  }

  /** Whether a message of this size can ever be taken. */
  fits(bytes: number): boolean {
    return bytes <= this.#options.bytesMax;
  }

  /** Takes a message that room was made for; answers its number. */
  append(message: Message, bytes: number, nowMs: number): number {
    return this.log.append(message, bytes, nowMs);
  }

  /** undefined: there is none, or it cannot be read (any more). */
  get(number: number): SpoolEntry | undefined {
    return this.#sent.entry(number) ?? this.log.get(number);
  }

  /** The message, if it was sent and is not settled. */
  sentEntry(number: number): SpoolEntry | null {
    return this.#sent.entry(number);
  }

  isSettled(number: number): boolean {
    return number < this.base || this.#sent.isSettled(number);
  }

  /** Whether so much may be under way: what is kept in memory of sent messages is bounded. */
  mayLeave(number: number): boolean {
    return this.#sent.includes(number);
  }

  /** The message leaves in a frame. */
  sent(entry: SpoolEntry, nowMs: number): void {
    this.#sent.sent(entry, nowMs);
  }

  /** When it last left in a frame; null: it waits, or it is not known that it left in an earlier life. */
  sentAtMs(number: number): number | null {
    return this.#sent.sentAtMs(number);
  }

  /** Answers false when the number is not kept, is settled, or lies too far ahead to be noted. */
  settle(number: number): boolean {
    if (number < this.base || number > this.lastNumber) return false;
    if (!this.#sent.includes(number) || this.#sent.isSettled(number)) return false;
    this.#sent.settle(number);
    return true;
  }

  /** Settles everything up to a number, however much that is; frees it. */
  settleUpTo(number: number): void {
    this.#freeTo(Math.min(number, this.lastNumber) + 1);
    this.trim();
  }

  /** Frees the settled front. To be called once after a series of settle(). */
  trim(): void {
    let { base } = this;
    for (const last = this.lastNumber; base <= last; base += 1) {
      if (this.#sent.isSettled(base)) continue;
      if (this.#front?.number === base) break;
      this.#front = this.log.get(base) ?? null;
      // What cannot be read is lost, and counted by the log.
      if (this.#front !== null) break;
    }
    this.#freeTo(base);
  }

  /** Gives up what is older than the age limit. */
  expire(nowMs: number): SpoolDrop | null {
    let count = 0;
    for (;;) {
      const oldest = this.#oldest();
      if (oldest === null || nowMs - oldest.storedAtMs <= this.#options.ageMaxMs) break;
      count += this.#dropOldest();
    }
    this.trim();
    return count === 0 ? null : { reason: "spool_age", count };
  }

  get #isEmpty(): boolean {
    return this.base > this.lastNumber;
  }

  #oldest(): SpoolEntry | null {
    const { base } = this;
    if (base > this.lastNumber) return null;
    if (this.#front?.number !== base) this.#front = this.log.get(base) ?? null;
    return this.#front;
  }

  #dropOldest(): number {
    const { base } = this;
    const lost = !this.#sent.isSettled(base);
    if (lost) this.#givenUp(base);
    this.#freeTo(base + 1);
    return lost ? 1 : 0;
  }

  #freeTo(base: number): void {
    if (base <= this.base) return;
    this.#sent.forget(base);
    this.log.free(base);
    if (this.#front !== null && this.#front.number < base) this.#front = null;
  }
}
