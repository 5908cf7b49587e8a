/**
 * How fast a backlog may go on: somewhat faster than messages come anyway, since the queues of the subscribers behind are
 * made for that and hold a thousand messages (Mosquitto's default). What is fresh is never paced: it comes as fast here as
 * its publishers made it. Pure.
 *
 *   fresh ──the next message is older than 1 s──▶ draining ──younger than 250 ms──▶ fresh
 */
import type { SpoolLog } from "./spool-log.ts";

/** Older than this, a message has waited for something else than its turn. */
const DRAIN_FROM_MS = 1_000;
const FRESH_BELOW_MS = 250;
/** Of the live rate: a subscriber that keeps up with twice of it has room for its own pauses. */
const SHARE = 1.5;
/** Without a live rate to speak of: two thirds of a subscriber's queue may come at once, and then so many a second. */
const RATE_MIN = 100;
const BURST_MAX = 250;
/** However much a broker drops, a backlog comes to its end. */
const SLOW_MIN = 25;
/** A burst is at most so much of a second's worth. */
const BURST_SECONDS = 0.25;
/** So much goes at a time: a frame for each message would cost more than it carries. */
const CHUNK_SECONDS = 0.02;
/** The live rate is a mean over about this time … */
const MEAN_MS = 5_000;
/** … and what it has reached is remembered for about this one: a line that was cut in the evening comes back in the night. */
const PEAK_MS = 600_000;

export class DrainPace {
  #capPerSecond = Number.POSITIVE_INFINITY;
  #percent = 100;
  #draining = false;
  #drainedAtMs = Number.NEGATIVE_INFINITY;
  #meanPerSecond = 0;
  #peakPerSecond = 0;
  #offered = 0;
  #countedAtMs: number | null = null;
  #tokens = 0;
  #filledAtMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;

  /** `capPerSecond`: what the configuration says a backlog may at most take; null: nothing. */
  constructor(capPerSecond: number | null) {
    this.cap(capPerSecond);
  }

  cap(perSecond: number | null): void {
    this.#capPerSecond = perSecond ?? Number.POSITIVE_INFINITY;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** When it was last seen draining. */
  get drainedAtMs(): number {
    return this.#drainedAtMs;
  }

  /** Messages per second, while draining. */
  get perSecond(): number {
    const full = Math.min(Math.max(this.#peakPerSecond * SHARE, RATE_MIN), this.#capPerSecond);
    return Math.max((full * this.#percent) / 100, Math.min(full, SLOW_MIN));
  }

  /** Of the pace, because the broker behind drops messages; 100: all of it. */
  slow(percent: number): void {
    this.#percent = percent;
  }

  /** A message came. */
  offered(nowMs: number): void {
    this.#count(nowMs);
    this.#offered += 1;
  }

  /** What came while nobody counted: the backlog that an earlier life left. */
  seen(log: SpoolLog): void {
    const [first, last] = [log.get(log.base), log.get(log.lastNumber)];
    if (first === undefined || last === undefined || last.storedAtMs <= first.storedAtMs) return;
    const perSecond = ((last.number - first.number) / (last.storedAtMs - first.storedAtMs)) * 1_000;
    this.#peakPerSecond = Math.max(this.#peakPerSecond, perSecond);
  }

  /** How many may go now. `storedAtMs`: of the next one; null: there is none. */
  allowance(storedAtMs: number | null, nowMs: number): number {
    const allowed = this.#allowed(storedAtMs === null ? 0 : nowMs - storedAtMs, nowMs);
    const missing = this.#chunk - this.#tokens;
    this.#deadlineMs =
      allowed > 0 ? Number.POSITIVE_INFINITY : this.#filledAtMs + Math.ceil((missing / this.perSecond) * 1_000);
    return allowed;
  }

  /** When more may go; Infinity: now. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  #allowed(ageMs: number, nowMs: number): number {
    this.#count(nowMs);
    if (this.#draining ? ageMs < FRESH_BELOW_MS : ageMs <= DRAIN_FROM_MS) {
      this.#draining = false;
      return Number.POSITIVE_INFINITY;
    }
    const perSecond = this.perSecond;
    const burst = Math.max(this.#chunk, Math.min(BURST_MAX, perSecond * BURST_SECONDS));
    if (!this.#draining) this.#tokens = burst;
    else {
      const sinceMs = Math.max(0, nowMs - this.#filledAtMs);
      this.#tokens = Math.min(burst, this.#tokens + (sinceMs / 1_000) * perSecond);
    }
    this.#draining = true;
    this.#drainedAtMs = nowMs;
    this.#filledAtMs = nowMs;
    return this.#tokens < this.#chunk ? 0 : Math.floor(this.#tokens);
  }

  went(count: number): void {
    if (this.#draining) this.#tokens = Math.max(0, this.#tokens - count);
  }

  get #chunk(): number {
    return Math.max(1, this.perSecond * CHUNK_SECONDS);
  }

  #count(nowMs: number): void {
    this.#countedAtMs ??= nowMs;
    const sinceMs = nowMs - this.#countedAtMs;
    // The clock may go back; and single messages have no rate.
    if (sinceMs < 0) this.#countedAtMs = nowMs;
    if (sinceMs < DRAIN_FROM_MS) return;
    const perSecond = (this.#offered / sinceMs) * 1_000;
    this.#offered = 0;
    this.#countedAtMs = nowMs;
    this.#meanPerSecond += (perSecond - this.#meanPerSecond) * (1 - Math.exp(-sinceMs / MEAN_MS));
    this.#peakPerSecond = Math.max(this.#meanPerSecond, this.#peakPerSecond * Math.exp(-sinceMs / PEAK_MS));
  }
}
