/**
 * Work is done in turns: what one round of the event loop brings is handled together, events and control bytes as they
 * come, messages and everything that leaves at its end. setImmediate runs after all sockets that were readable have
 * been read, so an event that the broker wrote before a message is known before that message is stamped.
 */
import { steadyNowMs } from "../ops/steady-clock.ts";

export class Turn {
  readonly #run: (nowMs: number) => void;
  readonly #deadlineMs: () => number;
  #requested = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(run: (nowMs: number) => void, deadlineMs: () => number) {
    this.#run = run;
    this.#deadlineMs = deadlineMs;
  }

  request(): void {
    if (this.#requested || this.#stopped) return;
    this.#requested = true;
    setImmediate(() => {
      this.#requested = false;
      if (this.#stopped) return;
      this.#run(steadyNowMs());
      this.#arm();
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(): void {
    const atMs = this.#deadlineMs();
    if (atMs === this.#timerAtMs && this.#timer !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    // Timers take 31 bits; a deadline further away is looked at again then.
    const waitMs = Math.min(Math.max(atMs - steadyNowMs(), 1), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.request();
    }, waitMs);
  }
}
