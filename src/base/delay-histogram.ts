/**
 * How long something took, counted by how long: fixed bounds, one number each. A sample costs a few comparisons and makes
 * nothing, so that every message can be one.
 */

/** From a neighbour's answer to a satellite's, and on to what waited for a link that was cut. */
const BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 600_000];

export interface DelayCounts {
  /** Upper bounds, ascending; each bound itself belongs to its bucket. */
  readonly boundsMs: readonly number[];
  /** One for each bound, and a last one for all above; not added up. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export class DelayHistogram {
  readonly #counts: number[] = new Array<number>(BOUNDS_MS.length + 1).fill(0);
  #sumMs = 0;

  /** A clock that went back meanwhile makes no sample. */
  add(ms: number): void {
    if (!(ms >= 0)) return;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumMs += ms;
  }

  get value(): DelayCounts {
    return { boundsMs: BOUNDS_MS, counts: [...this.#counts], sumMs: this.#sumMs };
  }
}
