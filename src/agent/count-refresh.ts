/**
 * When to ask the local broker for a fresh count of its subscriptions. Brokers publish a counter at intervals of their own
 * (Mosquitto's `sys_interval`, ten seconds unless configured), and only when it changed: whoever changes it and changes it
 * back before it was published gets none. So after each question the answer is awaited, and only then the next is asked.
 * A plain value of the time; the owner keeps the clock.
 */

/** Longer than the broker's own interval is unless somebody made it longer; then the question is put again. */
const ANSWER_MS = 12_000;
/** Soon at first, since most starts need two counts; rarely when counts do not help: a change of the count comes unasked. */
const AGAIN_MIN_MS = 500;
const AGAIN_MAX_MS = 30_000;

export class CountRefresh {
  #wanted = false;
  #waiting = false;
  #againMs = AGAIN_MIN_MS;
  #atMs = 0;

  /** When to ask; the owner says whether a count would settle anything, and somebody is there to ask. */
  deadlineMs(wanted: boolean): number {
    if (wanted !== this.#wanted) {
      this.#wanted = wanted;
      this.#waiting = false;
      this.#againMs = AGAIN_MIN_MS;
      this.#atMs = 0;
    }
    return wanted ? this.#atMs : Number.POSITIVE_INFINITY;
  }

  asked(nowMs: number): void {
    this.#waiting = true;
    this.#atMs = nowMs + ANSWER_MS;
  }

  /** The broker published a count. */
  counted(nowMs: number): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#atMs = nowMs + this.#againMs;
    this.#againMs = Math.min(this.#againMs * 2, AGAIN_MAX_MS);
  }
}
