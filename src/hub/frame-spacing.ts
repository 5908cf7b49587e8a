/**
 * How long messages wait for company. Where the peer is near, or nothing was sent a moment ago, they leave at once; over a
 * long way frames keep a distance of a fraction of the round trip, so that a busy link sends few large frames, which
 * compress well, in place of many small ones. Pure.
 */

/** Of the round trip: what a message waits at most is little against what it travels. */
const SHARE = 0.1;
const GAP_MAX_MS = 10;
/** As many messages make a frame that has nothing to gain from more. */
const FULL_MESSAGES = 200;

export class FrameSpacing {
  #leftAtMs = Number.NEGATIVE_INFINITY;
  #deadlineMs = Number.POSITIVE_INFINITY;

  /** When what waits may leave; Infinity: nothing waits. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Whether so many messages may leave now. */
  mayLeave(messages: number, roundTripMs: number, nowMs: number): boolean {
    const gapMs = Math.min(GAP_MAX_MS, Math.floor(roundTripMs * SHARE));
    const sinceMs = nowMs - this.#leftAtMs;
    // A clock that went back must not hold anything back.
    const mayLeave = messages === 0 || messages >= FULL_MESSAGES || sinceMs >= gapMs || sinceMs < 0;
    this.#deadlineMs = mayLeave ? Number.POSITIVE_INFINITY : this.#leftAtMs + gapMs;
    return mayLeave;
  }

  left(nowMs: number): void {
    this.#leftAtMs = nowMs;
  }
}
