/** The rates of one link over the last minutes, from the counters of two overviews each. Counters that went back (the agent is a new one) begin anew. */
import type { LinkAnswer } from "./overview.ts";

/** One a second: two minutes. */
const POINTS_MAX = 120;

export interface RatePoint {
  /** Seconds since 1970, as charts want them. */
  readonly atSeconds: number;
  readonly messagesOut: number;
  readonly messagesIn: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

interface Reading {
  readonly atMs: number;
  readonly messagesOut: number;
  readonly messagesIn: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export class RateHistory {
  #last: Reading | null = null;
  #points: RatePoint[] = [];

  get points(): readonly RatePoint[] {
    return this.#points;
  }

  get now(): RatePoint | null {
    return this.#points.at(-1) ?? null;
  }

  /** `link`: as an overview of `atMs` had it. */
  add(link: LinkAnswer, atMs: number): void {
    const reading = readingOf(link, atMs);
    const last = this.#last;
    this.#last = reading;
    if (reading === null || last === null) return;
    const seconds = (reading.atMs - last.atMs) / 1_000;
    if (seconds <= 0) return;
    const rate = (key: keyof Reading): number => Math.max(0, reading[key] - last[key]) / seconds;
    const isNewLife = reading.bytesOut < last.bytesOut || reading.bytesIn < last.bytesIn;
    if (isNewLife) return;
    const point = {
      atSeconds: atMs / 1_000,
      messagesOut: rate("messagesOut"),
      messagesIn: rate("messagesIn"),
      bytesOut: rate("bytesOut"),
      bytesIn: rate("bytesIn"),
    };
    this.#points = [...this.#points.slice(1 - POINTS_MAX), point];
  }
}

/** A link that is disabled has no counters. */
function readingOf({ brokerlink }: LinkAnswer, atMs: number): Reading | null {
  if (brokerlink.counters === null) return null;
  const { sent, received } = brokerlink.counters;
  return {
    atMs,
    messagesOut: sent.messages,
    messagesIn: received.messages,
    bytesOut: sent.bytes,
    bytesIn: received.bytes,
  };
}
