/**
 * The packets of one connection that wait for the broker's answer, by packet identifier, in the order in which they were
 * sent. Owns who waits and for how long; sends nothing.
 */

/** Gets the reason codes of PUBACK, SUBACK or UNSUBACK; null: the connection ended first. */
export type Settle = (codes: readonly number[] | null) => void;

interface Waiting {
  readonly settle: Settle;
  readonly sinceTick: number;
}

/** MQTT-2.2.1: 16 bits, and never 0. */
const ID_MAX = 65_535;

export class AckTable {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ticks = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** The next identifier that nothing waits under, or null when all are taken. */
  nextId(): number | null {
    if (this.#waiting.size >= ID_MAX) return null;
    do this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1;
    while (this.#waiting.has(this.#lastId));
    return this.#lastId;
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
