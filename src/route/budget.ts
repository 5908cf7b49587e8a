/**
 * Keeps a set of filters under a limit by widening, never by refusing: past the limit every filter is cut to its first k
 * levels and `/#`, with the largest k whose result fits half the limit, so that the next change of k is far away. Back to
 * the filters themselves once they fit well again. Keeps every filter it was given: how many that may be is the caller's
 * affair, as is covering.
 */
import { assert } from "../base/assert.ts";
import { covers, intersect } from "../topic/algebra.ts";
import { canonical, isReserved, TOPIC_BYTES_MAX } from "../topic/filter.ts";

/** What one call changed in the set of projected filters; no filter is in both. Announce `up` before `down` goes. */
export interface BudgetChange {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

const NO_CHANGE: BudgetChange = { up: [], down: [] };
/** After widening, this share of the limit may be taken: room to grow before the next, costly, change of k. */
const WIDENED_SHARE = 0.5;
/** Exact again below this share of the limit: a set that hovers at the limit must not flap. */
const EXACT_SHARE = 0.8;
/** UTF-8 needs at most three bytes for one UTF-16 code unit: shorter texts surely fit a broker's limit. */
const SURELY_FITS_UNITS = Math.floor(TOPIC_BYTES_MAX / 3);
const EXACT_LEVELS = Number.POSITIVE_INFINITY;

interface Draft {
  readonly up: string[];
  readonly down: string[];
}

export class FilterBudget {
  readonly #filtersMax: number;
  readonly #within: readonly string[];
  /** References to each filter as it was given. */
  readonly #held = new Map<string, number>();
  /** How many of #held each projected filter stands for; null: each stands for itself. */
  #projected: Map<string, number> | null = null;
  #levels = EXACT_LEVELS;
  #widenings = 0;

  /**
   * `filtersMax`: how many different filters may come out, at least 1. `within`: widening does not reach beyond these
   * filters, which cover everything that comes in; if they alone are more than the limit, they are what comes out.
   */
  constructor(filtersMax: number, within: readonly string[] = ["#"]) {
    assert(Number.isInteger(filtersMax) && filtersMax > 0, `a budget of ${filtersMax} filters`);
    this.#filtersMax = filtersMax;
    this.#within = within;
  }

  get widened(): boolean {
    return this.#projected !== null;
  }

  /** How often it was widened, or widened further. */
  get widenings(): number {
    return this.#widenings;
  }

  /** How many different filters come out. */
  get size(): number {
    return (this.#projected ?? this.#held).size;
  }

  /** How many different filters came in. */
  get held(): number {
    return this.#held.size;
  }

  /** Whether `filter` came in. */
  has(filter: string): boolean {
    return this.#held.has(canonical(filter));
  }

  /** The filters that come out, in no set order. The budget must not change meanwhile. */
  projected(): Iterable<string> {
    return (this.#projected ?? this.#held).keys();
  }

  /** What stands for `filter` now: itself, or a filter that covers it. */
  project(filter: string): string {
    return this.#project(canonical(filter), this.#levels);
  }

  /** One more reference to `filter`, which must not begin with `$`. */
  add(filter: string): BudgetChange {
    const own = canonical(filter);
    assert(!isReserved(own), `the reserved filter ${own} in a budget`);
    const references = this.#held.get(own) ?? 0;
    if (references > 0) {
      this.#held.set(own, references + 1);
      return NO_CHANGE;
    }
    const change: Draft = { up: [], down: [] };
    if (this.#isFullFor(own)) this.#widen(change);
    this.#held.set(own, 1);
    const projected = this.project(own);
    if (this.#projected === null || increment(this.#projected, projected)) change.up.push(projected);
    return change;
  }

  /** One reference less to `filter`, which must have one. */
  remove(filter: string): BudgetChange {
    const own = canonical(filter);
    const references = this.#held.get(own) ?? 0;
    assert(references > 0, `${own} goes and was not in the budget`);
    if (references > 1) {
      this.#held.set(own, references - 1);
      return NO_CHANGE;
    }
    const change: Draft = { up: [], down: [] };
    const projected = this.project(own);
    this.#held.delete(own);
    if (this.#projected === null || decrement(this.#projected, projected)) change.down.push(projected);
    if (this.#projected !== null && this.#held.size < this.#filtersMax * EXACT_SHARE) {
      difference(this.#projected, this.#held, change);
      this.#projected = null;
      this.#levels = EXACT_LEVELS;
    }
    return change;
  }

  /** Whether one more is one too many. At no levels at all there is nothing left to widen. */
  #isFullFor(filter: string): boolean {
    if (this.size < this.#filtersMax || this.#levels === 0) return false;
    return this.#projected === null || !this.#projected.has(this.project(filter));
  }

  #widen(change: Draft): void {
    this.#levels = this.#fittingLevels();
    const projected = new Map<string, number>();
    for (const filter of this.#held.keys()) increment(projected, this.project(filter));
    difference(this.#projected ?? this.#held, projected, change);
    this.#projected = projected;
    this.#widenings += 1;
  }

  /** The largest k that leaves room. Fewer levels never leave more filters, so halving finds it. */
  #fittingLevels(): number {
    let fits = 0;
    let tooMany = 0;
    for (const filter of this.#held.keys()) tooMany = Math.max(tooMany, filter.split("/").length);
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2);
      if (this.#fitsAt(middle)) fits = middle;
      else tooMany = middle;
    }
    return fits;
  }

  #fitsAt(levels: number): boolean {
    const room = this.#filtersMax * WIDENED_SHARE;
    const different = new Set<string>();
    for (const filter of this.#held.keys()) {
      different.add(this.#project(filter, levels));
      if (different.size > room) return false;
    }
    return true;
  }

  #project(filter: string, levels: number): string {
    if (levels === EXACT_LEVELS) return filter;
    const cut = firstLevels(filter, levels);
    if (cut === filter) return filter;
    const bound = this.#within.find((wider) => covers(wider, filter)) ?? "#";
    if (cut.length <= SURELY_FITS_UNITS && covers(bound, cut)) return cut;
    return intersect(bound, cut) ?? cut;
  }
}

/** The first `levels` levels of a filter that has more, and `#`, canonical: it covers the filter. */
function firstLevels(filter: string, levels: number): string {
  if (levels === 0) return "#";
  let end = -1;
  for (let level = 0; level < levels; level += 1) {
    end = filter.indexOf("/", end + 1);
    if (end < 0) return filter;
  }
  return canonical(`${filter.slice(0, end)}/#`);
}

/** Adds what only `after` has to `up`, what only `before` has to `down`. */
function difference(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, change: Draft): void {
  for (const filter of after.keys()) if (!before.has(filter)) change.up.push(filter);
  for (const filter of before.keys()) if (!after.has(filter)) change.down.push(filter);
}

/** True: it is the first. */
function increment(counts: Map<string, number>, filter: string): boolean {
  const count = counts.get(filter) ?? 0;
  counts.set(filter, count + 1);
  return count === 0;
}

/** True: it was the last. */
function decrement(counts: Map<string, number>, filter: string): boolean {
  const count = counts.get(filter) ?? 0;
  if (count > 1) counts.set(filter, count - 1);
  else counts.delete(filter);
  return count <= 1;
}
