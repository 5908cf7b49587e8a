/**
 * When all demand is subscribed again, because events about it may have been missed: at once, but one client's odd lines
 * must not make the agent subscribe to thousands of filters again and again.
 */
const INTERVAL_MS = 30_000;

export class Resubscription {
  #dueAtMs = Number.POSITIVE_INFINITY;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** Infinity: nothing is to be done. */
  get deadlineMs(): number {
    return this.#dueAtMs;
  }

  wanted(nowMs: number): void {
    this.#dueAtMs = Math.min(this.#dueAtMs, Math.max(nowMs, this.#lastAtMs + INTERVAL_MS));
  }

  /** Whether it is time: answers true once. */
  take(nowMs: number): boolean {
    if (nowMs < this.#dueAtMs) return false;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    this.#lastAtMs = nowMs;
    return true;
  }
}
