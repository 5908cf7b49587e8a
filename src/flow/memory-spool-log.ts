/** A spool log that lives as long as the process: appended at the end, freed from the front. */
import type { Message } from "../wire/message.ts";
import type { SpoolEntry, SpoolLog } from "./spool-log.ts";

/** Freed places at the front of the array are given back once they are this many, and half of it. */
const COMPACT_FROM = 1_024;

export class MemorySpoolLog implements SpoolLog {
  readonly stream: string;
  #entries: SpoolEntry[] = [];
  /** Index in #entries of the oldest one kept. */
  #head = 0;
  #lastNumber = 0;
  #bytes = 0;

  constructor(stream: string) {
    this.stream = stream;
  }

  get base(): number {
    return this.#lastNumber + 1 - (this.#entries.length - this.#head);
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  get isFull(): boolean {
    return false;
  }

  get durableNumber(): number {
    return this.#lastNumber;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(message: Message, bytes: number, nowMs: number): number {
    this.#lastNumber += 1;
    this.#entries.push({ number: this.#lastNumber, message, bytes, storedAtMs: nowMs });
    this.#bytes += bytes;
    return this.#lastNumber;
  }

  get(number: number): SpoolEntry | undefined {
    const index = number - this.base;
    return index < 0 ? undefined : this.#entries[this.#head + index];
  }

  free(base: number): void {
    const count = Math.min(base - this.base, this.#entries.length - this.#head);
    for (let i = 0; i < count; i += 1) {
      const entry = this.#entries[this.#head];
      if (entry !== undefined) this.#bytes -= entry.bytes;
      // The array keeps its length for a while; the message must not live as long.
      this.#entries[this.#head] = FREED;
      this.#head += 1;
    }
    if (this.#head < COMPACT_FROM || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

const FREED: SpoolEntry = {
  number: 0,
  message: { topic: "", payload: new Uint8Array(0), qos: 0, retain: false, properties: null, expiryMs: null },
  bytes: 0,
  storedAtMs: 0,
};
