/** When what was sent and not confirmed goes again: after a while that doubles with every time in a row. Pure. */

/** The least wait: a resend that crosses its answer is waste. */
const WAIT_MS = 1_000;
const WAIT_CAP_MS = 10_000;
/** The peer's word that something is missing is acted on at most this often. */
const ASKED_MS = WAIT_MS / 4;

export class ResendTimer {
  #atMs = Number.POSITIVE_INFINITY;
  #waitMs = WAIT_MS;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** Infinity: nothing waits for a confirmation. */
  get deadlineMs(): number {
    return this.#atMs;
  }

  start(nowMs: number): void {
    this.#atMs = nowMs + this.#waitMs;
  }

  stop(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  /** The peer confirms: the next wait is a short one. */
  calm(): void {
    this.#waitMs = WAIT_MS;
  }

  /** Whether it is time; then the next wait is longer. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.#atMs) return false;
    this.#waitMs = Math.min(this.#waitMs * 2, WAIT_CAP_MS);
    return true;
  }

  /** Whether to act on the peer's word that something is missing. */
  mayAnswer(nowMs: number): boolean {
    if (nowMs - this.#askedAtMs < ASKED_MS) return false;
    this.#askedAtMs = nowMs;
    return true;
  }
}
