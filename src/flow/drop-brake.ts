/**
 * How fast backlogs may come into the local broker, in per cent of their pace, by what that broker says it drops for its
 * clients. Pure.
 *
 *   100 % ──more dropped while a backlog drains──▶ half as fast ──30 s──▶ 10 % more each 10 s ──▶ 100 %
 *
 * A client that is away, with its queue full, loses its share of everything at any pace; slowing down for its sake would
 * hold back the rest for ever. So each time it is seen whether going slower helped.
 */

const HOLD_MS = 30_000;
const GROW_MS = 10_000;
const GROW_PERCENT = 10;
const FULL_PERCENT = 100;
/** A later halving must at least bring the share that is dropped down to this much of what it was. */
const HELPS_BELOW = 0.75;
/** It did not help: what is dropped meanwhile is nobody's haste. */
const USELESS_MS = 600_000;

export class DropBrake {
  #percent = FULL_PERCENT;
  /** When the next tenth may be given back. */
  #growAtMs = Number.POSITIVE_INFINITY;
  #total: number | null = null;
  /** Messages handed to the broker when it last spoke of drops. */
  #republished = 0;
  /** The share that was dropped at the present pace, after it was chosen; null: the first halving looks at none. */
  #share: number | null = null;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  get percent(): number {
    return this.#percent;
  }

  get deadlineMs(): number {
    return this.#growAtMs;
  }

  /**
   * The broker's counter. `live`: said now, not kept from before; `republished`: what this agent has ever handed to it;
   * `draining`: whether a backlog goes into it.
   */
  counted(total: number, live: boolean, republished: number, draining: boolean, nowMs: number): void {
    const before = this.#total ?? (live ? 0 : total);
    const handed = republished - this.#republished;
    this.#total = total;
    this.#republished = republished;
    const dropped = total - before;
    if (dropped <= 0 || handed <= 0 || !draining || nowMs < this.#restsUntilMs) return;
    const share = this.#percent === FULL_PERCENT ? null : dropped / handed;
    if (this.#share !== null && share !== null && share > this.#share * HELPS_BELOW) {
      this.#restsUntilMs = nowMs + USELESS_MS;
      this.#release();
      return;
    }
    this.#share = share;
    this.#percent = Math.max(1, this.#percent >> 1);
    this.#growAtMs = nowMs + HOLD_MS + GROW_MS;
  }

  tick(nowMs: number): void {
    while (nowMs >= this.#growAtMs) {
      this.#percent += GROW_PERCENT;
      this.#growAtMs += GROW_MS;
      // Of another pace.
      this.#share = null;
      if (this.#percent >= FULL_PERCENT) this.#release();
    }
  }

  #release(): void {
    this.#percent = FULL_PERCENT;
    this.#share = null;
    this.#growAtMs = Number.POSITIVE_INFINITY;
  }
}
