/** How long a session waits before it connects again. */
import { Backoff } from "../base/backoff.ts";
import type { Diagnosis, Side } from "./connection-end.ts";

export interface Reconnect {
  readonly baseMs: number;
  readonly capMs: number;
  /** A connection that held this long was no failure. */
  readonly settledMs: number;
}

type Pace = Diagnosis["retry"];

const SETTLED_MS = 10_000;
/**
 * The local broker is next door, and what its clients publish or subscribe between its start and our return is missed. A
 * peer's broker may be at the end of a line that is paid for.
 */
const RECONNECT: Readonly<Record<Side, Reconnect>> = {
  local: { baseMs: 500, capMs: 1_000, settledMs: SETTLED_MS },
  peer: { baseMs: 500, capMs: 10_000, settledMs: SETTLED_MS },
};
/** When there may be a rival. */
const CALM_MS = 5_000;
/** After what a person has to mend, or a rival whose turn it is. */
const SLOW_MS = 30_000;
const BACKOFF = { factor: 2, jitter: 0.5 } as const;

export class Retries {
  readonly #backoffs: Readonly<Record<Pace, Backoff>>;
  readonly #settledMs: number;

  /** With figures of its own nothing waits longer than their cap. */
  constructor(how: Side | Reconnect, random: () => number) {
    const { baseMs, capMs, settledMs } = typeof how === "string" ? RECONNECT[how] : how;
    const backoff = (fromMs: number, toMs: number): Backoff =>
      new Backoff({ ...BACKOFF, baseMs: fromMs, capMs: toMs }, random);
    const steady = (ms: number): Backoff => (typeof how === "string" ? backoff(ms, ms) : backoff(capMs, capMs));
    this.#backoffs = { soon: backoff(baseMs, capMs), calm: steady(CALM_MS), slow: steady(SLOW_MS) };
    this.#settledMs = settledMs;
  }

  next(pace: Pace): number {
    return this.#backoffs[pace].next();
  }

  /** A connection ended that had stood this long. */
  stood(forMs: number): void {
    if (forMs >= this.#settledMs) this.#backoffs.soon.reset();
  }
}
