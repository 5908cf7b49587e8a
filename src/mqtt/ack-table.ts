/**
 * The packets of one connection that wait for the broker's answer, by packet identifier, in the order in which they were
 * sent. Owns a range of identifiers, who waits and for how long; sends nothing.
 */

/** Gets the reason codes of PUBACK, SUBACK or UNSUBACK; null: the connection ended first. */
export type Settle = (codes: readonly number[] | null) => void;

interface Waiting {
  readonly settle: Settle;
  readonly sinceTick: number;
}

export class AckTable {
  readonly #waiting = new Map<number, Waiting>();
  readonly #firstId: number;
  readonly #count: number;
  /** Of the last identifier, in the range. */
  #last = -1;
  #ticks = 0;

  /** Both inclusive. */
  constructor(firstId: number, lastId: number) {
    this.#firstId = firstId;
    this.#count = lastId - firstId + 1;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The next identifier that nothing waits under, or null when all are taken. */
  nextId(): number | null {
    if (this.#waiting.size >= this.#count) return null;
    do this.#last = (this.#last + 1) % this.#count;
    while (this.#waiting.has(this.#firstId + this.#last));
    return this.#firstId + this.#last;
  }

  wait(id: number, settle: Settle): void {
    this.#waiting.set(id, { settle, sinceTick: this.#ticks });
  }

  /** An answer that nothing waits for is ignored. */
  answer(id: number, codes: readonly number[]): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.settle(codes);
  }

  /**
   * Called at even intervals; answers how many of them the oldest packet has waited for. Counted in calls, not in time: a
   * process that slept, or was busy, has to read what arrived meanwhile before it blames the broker.
   */
  tick(): number {
    this.#ticks += 1;
    for (const { sinceTick } of this.#waiting.values()) return this.#ticks - sinceTick;
    return 0;
  }

  /** The connection is over. */
  lose(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { settle } of waiting) settle(null);
  }
}
