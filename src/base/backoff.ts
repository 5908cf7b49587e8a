/** How long to wait before trying again: grows with every failure, never past a cap, and differs between agents. */
import { assert } from "./assert.ts";

export interface BackoffOptions {
  /** The first delay before jitter. */
  readonly baseMs: number;
  /** No delay is longer. */
  readonly capMs: number;
  /** By how much each delay exceeds the one before; at least 1. */
  readonly factor: number;
  /** The share of a delay, 0 … 1, that chance may take off: agents that lost one broker together must not return together. */
  readonly jitter: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempts = 0;

  /** `random` answers 0 ≤ x < 1. */
  constructor(options: BackoffOptions, random: () => number) {
    assert(options.baseMs > 0 && options.capMs >= options.baseMs, `backs off ${options.baseMs} … ${options.capMs} ms`);
    assert(options.factor >= 1 && options.jitter >= 0 && options.jitter <= 1, "backoff factor or jitter out of range");
    this.#options = options;
    this.#random = random;
  }

  /** How many delays were handed out since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next delay in milliseconds. */
  next(): number {
    const { baseMs, capMs, factor, jitter } = this.#options;
    // The power overflows to Infinity after a few hundred attempts; the cap takes care of it.
    const fullMs = Math.min(capMs, baseMs * factor ** this.#attempts);
    this.#attempts += 1;
    return Math.round(fullMs * (1 - jitter * this.#random()));
  }

  /** It worked: the next failure starts from the base again. */
  reset(): void {
    this.#attempts = 0;
  }
}
