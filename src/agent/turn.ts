/**
 * Work is done in turns: what one round of the event loop brings is handled together, events and control bytes as they
 * come, what the data session brings and everything that leaves at its end.
 *
 * What an event loop reads of two sockets in one round is not what was written first: a message may arrive while the round
 * is under way, on a socket that is read in it, and the event that the broker wrote before it on a socket that is not. So
 * what is to come *after* the events waits until the sockets have been polled once more: everything that was written before
 * the message was read is read by then.
 */
import { clockMs } from "../ops/clock.ts";

type Work = (nowMs: number) => void;

export class Turn {
  readonly #run: (nowMs: number) => void;
  /** Came in this round; is due after the next one. */
  #fresh: Work[] = [];
  #due: Work[] = [];
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
      const nowMs = clockMs();
      const due = this.#due;
      this.#due = this.#fresh;
      this.#fresh = [];
      for (const work of due) work(nowMs);
      this.#run(nowMs);
      if (this.#due.length > 0) this.request();
      this.#arm();
    });
  }

  /** Whether something waits for a turn to come. */
  get idle(): boolean {
    return this.#fresh.length + this.#due.length === 0;
  }

  /** Does this after all events that the broker wrote before; in the order of the calls. */
  afterEvents(work: Work): void {
    this.#fresh.push(work);
    this.request();
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
    const waitMs = Math.min(Math.max(atMs - clockMs(), 1), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.request();
    }, waitMs);
  }
}
