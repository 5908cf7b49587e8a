/** When what is under way is sent again: four smoothed round trips, doubled with every resend in a row, within bounds. */

/** Least wait before a resend. */
const RESEND_MIN_MS = 1_000;

export class ResendClock {
  readonly #cap: () => number;
  #roundTripMs = 0;
  #waitMs = RESEND_MIN_MS;
  #atMs = Number.POSITIVE_INFINITY;

  /** A peer whose broker was away for a minute has a round trip of a minute: nobody waits for four of them. */
  constructor(capMs: () => number) {
    this.#cap = capMs;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** Infinity: nothing is waited for. */
  get deadlineMs(): number {
    return this.#atMs;
  }

  /** One message was confirmed so long after it left. */
  measure(sampleMs: number): void {
    // The clock went back meanwhile.
    if (sampleMs < 0) return;
    this.#roundTripMs = this.#roundTripMs === 0 ? sampleMs : this.#roundTripMs * 0.875 + sampleMs * 0.125;
  }

  get #capMs(): number {
    return Math.max(this.#cap(), RESEND_MIN_MS);
  }

  /** Something is under way; runs already: it keeps its time. */
  start(nowMs: number): void {
    if (this.#atMs === Number.POSITIVE_INFINITY) this.#atMs = nowMs + this.#waitMs;
  }

  /** The peer has confirmed something: patience begins anew, if anything is still under way. */
  progress(isUnderWay: boolean, nowMs: number): void {
    this.#waitMs = Math.min(this.#capMs, Math.max(RESEND_MIN_MS, 4 * this.#roundTripMs));
    this.#atMs = isUnderWay ? nowMs + this.#waitMs : Number.POSITIVE_INFINITY;
  }

  /** Everything goes again: the next time is twice as far. */
  expired(): void {
    this.#waitMs = Math.min(this.#capMs, this.#waitMs * 2);
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  reset(): void {
    this.#waitMs = RESEND_MIN_MS;
    this.stop();
  }
}
