/**
 * How fast the backlogs of one direction of one link may go on together: somewhat faster than messages come anyway, since
 * the queues of the subscribers behind are made for that and hold a thousand messages (Mosquitto's default). Pure.
 *
 * Each queue has its own `LanePace`; what is fresh in one is not paced, however long another one's backlog is.
 */
import { LanePace } from "./lane-pace.ts";
import type { SpoolLog } from "./spool-log.ts";

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
/** Single messages have no rate: it is taken over at least so long … */
const COUNT_MS = 1_000;
/** … the live rate is a mean over about this time … */
const MEAN_MS = 5_000;
/** … and what it has reached is remembered for about this one: a line that was cut in the evening comes back in the night. */
const PEAK_MS = 600_000;

export class DrainPace {
  #capPerSecond = Number.POSITIVE_INFINITY;
  #percent = 100;
  #draining = 0;
  #drainedAtMs = Number.NEGATIVE_INFINITY;
  #meanPerSecond = 0;
  #peakPerSecond = 0;
  #offered = 0;
  #countedAtMs: number | null = null;
  #tokens = 0;
  #filledAtMs = 0;

  /** `capPerSecond`: what the configuration says a backlog may at most take; null: nothing. */
  constructor(capPerSecond: number | null) {
    this.cap(capPerSecond);
  }

  cap(perSecond: number | null): void {
    this.#capPerSecond = perSecond ?? Number.POSITIVE_INFINITY;
  }

  /** For one more queue. */
  lane(): LanePace {
    return new LanePace(this);
  }

  get draining(): boolean {
    return this.#draining > 0;
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
    this.count(nowMs);
    this.#offered += 1;
  }

  /** What came while nobody counted: the backlog that an earlier life left. */
  seen(log: SpoolLog): void {
    const [first, last] = [log.get(log.base), log.get(log.lastNumber)];
    if (first === undefined || last === undefined || last.storedAtMs <= first.storedAtMs) return;
    const perSecond = ((last.number - first.number) / (last.storedAtMs - first.storedAtMs)) * 1_000;
    this.#peakPerSecond = Math.max(this.#peakPerSecond, perSecond);
  }

  /** One of the queues begins to drain. */
  began(nowMs: number): void {
    if (this.#draining === 0) this.#tokens = this.#burst;
    else this.#fill(nowMs);
    this.#filledAtMs = nowMs;
    this.#draining += 1;
  }

  ended(): void {
    this.#draining -= 1;
  }

  /** How many messages may go now, of whatever queue that drains. */
  tokens(nowMs: number): number {
    this.#drainedAtMs = nowMs;
    this.#fill(nowMs);
    return this.#tokens < this.#chunk ? 0 : Math.floor(this.#tokens);
  }

  /** When there will be some, if there are none now. */
  get nextAtMs(): number {
    return this.#filledAtMs + Math.ceil(((this.#chunk - this.#tokens) / this.perSecond) * 1_000);
  }

  take(count: number): void {
    this.#tokens = Math.max(0, this.#tokens - count);
  }

  /** Takes the live rate when it is time. */
  count(nowMs: number): void {
    this.#countedAtMs ??= nowMs;
    const sinceMs = nowMs - this.#countedAtMs;
    // The clock may go back.
    if (sinceMs < 0) this.#countedAtMs = nowMs;
    if (sinceMs < COUNT_MS) return;
    const perSecond = (this.#offered / sinceMs) * 1_000;
    this.#offered = 0;
    this.#countedAtMs = nowMs;
    this.#meanPerSecond += (perSecond - this.#meanPerSecond) * (1 - Math.exp(-sinceMs / MEAN_MS));
    this.#peakPerSecond = Math.max(this.#meanPerSecond, this.#peakPerSecond * Math.exp(-sinceMs / PEAK_MS));
  }

  get #chunk(): number {
    return Math.max(1, this.perSecond * CHUNK_SECONDS);
  }

  get #burst(): number {
    return Math.max(this.#chunk, Math.min(BURST_MAX, this.perSecond * BURST_SECONDS));
  }

  #fill(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (sinceMs / 1_000) * this.perSecond);
    this.#filledAtMs = nowMs;
  }
}
