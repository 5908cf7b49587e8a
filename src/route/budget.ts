/**
 * Keeps a set of filters within a number: past it, every filter gives way to its first levels and `#`, with as many
 * levels as let the set fit half the limit. Wider, never narrower: too much is carried, nothing is missed. Below 80 %
 * of the limit the exact filters come back.
 */
import type { CoverChange } from "./cover-set.ts";

/** Levels worth trying: deeper prefixes than this hardly ever merge anything. */
const LEVELS_TRIED_MAX = 16;
const BACK_AT = 0.8;
const WIDEN_TO = 0.5;

export class FilterBudget {
  readonly #filtersMax: number;
  readonly #held = new Set<string>();
  /** How many held filters lead to each projected one; empty while exact. */
  #projected = new Map<string, number>();
  /** Levels kept; Infinity: exact. */
  #levels = Number.POSITIVE_INFINITY;
  #widenings = 0;

  constructor(filtersMax: number) {
    this.#filtersMax = filtersMax;
  }

  get widened(): boolean {
    return this.#levels !== Number.POSITIVE_INFINITY;
  }

  /** How often the limit was reached. */
  get widenings(): number {
    return this.#widenings;
  }

  /** What this filter counts as now; covers it. */
  project(filter: string): string {
    return projectTo(filter, this.#levels);
  }

  add(filter: string): CoverChange {
    if (this.#held.has(filter)) return { up: [], down: [] };
    this.#held.add(filter);
    if (!this.widened) {
      if (this.#held.size <= this.#filtersMax) return { up: [filter], down: [] };
      return this.#widen([...this.#held].filter((other) => other !== filter));
    }
    const projected = this.project(filter);
    const count = this.#projected.get(projected) ?? 0;
    if (count === 0 && this.#projected.size >= this.#filtersMax)
      return this.#widen([...this.#projected.keys()]);
    this.#projected.set(projected, count + 1);
    return { up: count === 0 ? [projected] : [], down: [] };
  }

  remove(filter: string): CoverChange {
    if (!this.#held.delete(filter)) return { up: [], down: [] };
    if (!this.widened) return { up: [], down: [filter] };
    if (this.#held.size < this.#filtersMax * BACK_AT) {
      const before = [...this.#projected.keys()];
      this.#levels = Number.POSITIVE_INFINITY;
      this.#projected = new Map();
      return difference(before, this.#held);
    }
    const projected = this.project(filter);
    const count = (this.#projected.get(projected) ?? 0) - 1;
    if (count > 0) {
      this.#projected.set(projected, count);
      return { up: [], down: [] };
    }
    this.#projected.delete(projected);
    return { up: [], down: [projected] };
  }

  #widen(before: readonly string[]): CoverChange {
    this.#widenings += 1;
    const from = Math.min(this.#levels, LEVELS_TRIED_MAX + 1);
    for (let levels = from - 1; levels >= 0; levels -= 1) {
      const projected = new Map<string, number>();
      for (const filter of this.#held) {
        const wide = projectTo(filter, levels);
        projected.set(wide, (projected.get(wide) ?? 0) + 1);
        if (levels > 0 && projected.size > this.#filtersMax * WIDEN_TO) break;
      }
      if (levels > 0 && projected.size > this.#filtersMax * WIDEN_TO) continue;
      this.#levels = levels;
      this.#projected = projected;
      break;
    }
    return difference(before, new Set(this.#projected.keys()));
  }
}

function difference(before: readonly string[], after: ReadonlySet<string>): CoverChange {
  const was = new Set(before);
  return {
    up: [...after].filter((filter) => !was.has(filter)),
    down: before.filter((filter) => !after.has(filter)),
  };
}

function projectTo(filter: string, levels: number): string {
  if (levels === Number.POSITIVE_INFINITY) return filter;
  if (levels === 0) return "#";
  let end = -1;
  for (let level = 0; level < levels; level += 1) {
    end = filter.indexOf("/", end + 1);
    if (end < 0) return filter;
  }
  return `${filter.slice(0, end)}/#`;
}
