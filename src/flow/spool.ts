/**
 * The queue of reliable messages that the peer has not confirmed, in memory: numbered without gaps, settled in any
 * order, freed from the front. Pure. Bounded by bytes and age; at the limit the oldest go, or new ones are refused,
 * as configured, and every message given up is counted by the caller with the reason it gets.
 */
import type { Message } from "../wire/message.ts";

/** Freed places at the front of the array are given back once they are this many, and half of it. */
const COMPACT_FROM = 1_024;

export interface SpoolOptions {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  readonly whenFull: "drop_oldest" | "drop_newest";
}

export interface Spooled {
  readonly number: number;
  readonly message: Message;
  readonly origin: string | null;
  readonly bytes: number;
  readonly storedAtMs: number;
  /** When it last left in a frame; null: it waits. */
  sentAtMs: number | null;
  settled: boolean;
}

export interface SpoolDrop {
  readonly reason: "spool_full" | "spool_age";
  readonly count: number;
}

export class Spool {
  /** Random for every life of the spool: a number of one stream is never given to another message. */
  readonly stream: string;
  readonly #options: SpoolOptions;
  #entries: Spooled[] = [];
  /** Index in #entries of the oldest one kept. */
  #head = 0;
  #nextNumber = 1;
  #bytes = 0;
  #unsettled = 0;

  readonly #givenUp: (entry: Spooled) => void;

  /** `givenUp` hears of every unsettled message that leaves because of a limit. */
  constructor(stream: string, options: SpoolOptions, givenUp: (entry: Spooled) => void) {
    this.stream = stream;
    this.#options = options;
    this.#givenUp = givenUp;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that the peer has not confirmed. */
  get depth(): number {
    return this.#unsettled;
  }

  /** Every number below this one is settled or given up. */
  get base(): number {
    return this.#nextNumber - (this.#entries.length - this.#head);
  }

  get lastNumber(): number {
    return this.#nextNumber - 1;
  }

  get oldestStoredAtMs(): number | null {
    return this.#entries[this.#head]?.storedAtMs ?? null;
  }

  /** When the oldest message is too old; Infinity: there is none. */
  get deadlineMs(): number {
    const oldestMs = this.oldestStoredAtMs;
    return oldestMs === null ? Number.POSITIVE_INFINITY : oldestMs + this.#options.ageMaxMs + 1;
  }

  /**
   * Stores a message; answers what had to be given up for it: the message itself with `drop_newest`, or when it alone is
   * larger than the spool.
   */
  push(message: Message, origin: string | null, bytes: number, nowMs: number): SpoolDrop | null {
    const { bytesMax, whenFull } = this.#options;
    if (bytes > bytesMax) return { reason: "spool_full", count: 1 };
    let dropped = 0;
    while (this.#bytes + bytes > bytesMax) {
      if (whenFull === "drop_newest") return { reason: "spool_full", count: 1 };
      dropped += this.#dropOldest();
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    this.#entries.push({ number, message, origin, bytes, storedAtMs: nowMs, sentAtMs: null, settled: false });
    this.#bytes += bytes;
    this.#unsettled += 1;
    return dropped === 0 ? null : { reason: "spool_full", count: dropped };
  }

  get(number: number): Spooled | undefined {
    const index = number - this.base;
    return index < 0 ? undefined : this.#entries[this.#head + index];
  }

  settle(number: number): Spooled | null {
    const entry = this.get(number);
    if (entry === undefined || entry.settled) return null;
    entry.settled = true;
    this.#unsettled -= 1;
    return entry;
  }

  /** Frees the settled front. To be called once after a series of settle(). */
  trim(): void {
    while (this.#entries[this.#head]?.settled === true) this.#free();
  }

  /** Gives up what is older than the age limit. */
  expire(nowMs: number): SpoolDrop | null {
    let count = 0;
    for (;;) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined || nowMs - oldest.storedAtMs <= this.#options.ageMaxMs) break;
      count += this.#dropOldest();
    }
    this.trim();
    return count === 0 ? null : { reason: "spool_age", count };
  }

  #dropOldest(): number {
    const entry = this.#entries[this.#head];
    const lost = entry !== undefined && !entry.settled;
    if (lost) {
      this.#unsettled -= 1;
      this.#givenUp(entry);
    }
    this.#free();
    return lost ? 1 : 0;
  }

  #free(): void {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    // The array keeps its length for a while; the message must not live as long.
    this.#entries[this.#head] = FREED;
    this.#head += 1;
    if (this.#head < COMPACT_FROM || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

const FREED: Spooled = {
  number: 0,
  message: { topic: "", payload: new Uint8Array(0), qos: 0, retain: false, properties: null, expiryMs: null },
  origin: null,
  bytes: 0,
  storedAtMs: 0,
  sentAtMs: null,
  settled: true,
};
