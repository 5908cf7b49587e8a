/**
 * Whether one queue has a backlog, and how much of it may go now. What is fresh is never paced: it comes as fast here as
 * its publishers made it. Pure.
 *
 *   fresh ──the next message is older than 1 s──▶ draining ──younger than 250 ms──▶ fresh
 */

/** Older than this, a message has waited for something else than its turn. */
const DRAIN_FROM_MS = 1_000;
const FRESH_BELOW_MS = 250;

/** What all queues of one direction share. */
export interface PaceShare {
  count(nowMs: number): void;
  began(nowMs: number): void;
  ended(): void;
  tokens(nowMs: number): number;
  take(count: number): void;
  readonly nextAtMs: number;
}

export class LanePace {
  readonly #share: PaceShare;
  #draining = false;
  #waits = false;

  constructor(share: PaceShare) {
    this.#share = share;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** How many may go now. `storedAtMs`: of the next one; null: there is none. */
  allowance(storedAtMs: number | null, nowMs: number): number {
    this.#share.count(nowMs);
    const ageMs = storedAtMs === null ? 0 : nowMs - storedAtMs;
    if (this.#draining ? ageMs < FRESH_BELOW_MS : ageMs <= DRAIN_FROM_MS) {
      this.stop();
      return Number.POSITIVE_INFINITY;
    }
    if (!this.#draining) this.#share.began(nowMs);
    this.#draining = true;
    const allowed = this.#share.tokens(nowMs);
    this.#waits = allowed === 0;
    return allowed;
  }

  went(count: number): void {
    if (this.#draining) this.#share.take(count);
  }

  /** Nothing drains here (any more). */
  stop(): void {
    if (this.#draining) this.#share.ended();
    this.#draining = false;
    this.#waits = false;
  }

  /** When more may go; Infinity: now. */
  get deadlineMs(): number {
    return this.#waits ? this.#share.nextAtMs : Number.POSITIVE_INFINITY;
  }
}
