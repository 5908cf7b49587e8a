/**
 * Asks the broker, by an own harmless request with a random name, whether it announces subscriptions at all.
 *
 * Owns when to ask, how long to wait and when to ask again. It sends nothing: the adapter does, and tells what came back.
 */

/** Every broker measured announces a request within milliseconds; a stalled one needs a few seconds. */
export const PROBE_ANSWER_MS = 5_000;
/** A broker that is silent may be told to speak at any time (SIGHUP): ask again now and then. */
export const PROBE_AGAIN_MS = 30_000;

export class Probe {
  readonly #stem: string;
  readonly #random: () => number;
  #filter: string | null = null;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #waiting = false;

  /** `stem`: the start of the probe's filter, below the control prefix, where nothing is ever forwarded. */
  constructor(stem: string, random: () => number) {
    this.#stem = stem;
    this.#random = random;
  }

  /** A fresh filter to ask with. */
  ask(nowMs: number): string {
    this.#filter = `${this.#stem}-${hex32(this.#random)}${hex32(this.#random)}`;
    this.#waiting = true;
    this.#deadlineMs = nowMs + PROBE_ANSWER_MS;
    return this.#filter;
  }

  /** What an answer must name; null: nothing was asked. An answer after the deadline still counts. */
  get filter(): string | null {
    return this.#filter;
  }

  answered(): void {
    this.stop();
  }

  /** Treat what came back as no answer: ask again later. */
  notEnough(nowMs: number): void {
    this.#waiting = false;
    this.#deadlineMs = nowMs + PROBE_AGAIN_MS;
  }

  stop(): void {
    this.#filter = null;
    this.#waiting = false;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** `silent`: no answer in time; `again`: time for the next `ask`. */
  tick(nowMs: number): "silent" | "again" | null {
    if (nowMs < this.#deadlineMs) return null;
    this.#deadlineMs = nowMs + PROBE_AGAIN_MS;
    if (!this.#waiting) return "again";
    this.#waiting = false;
    return "silent";
  }
}

function hex32(random: () => number): string {
  return Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");
}
