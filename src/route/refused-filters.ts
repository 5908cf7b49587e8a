/**
 * The filters that the local broker refuses, with its reason and when each is tried again. Knows neither peers nor
 * covering. Holds at most what peers are allowed to want. Asking when the next one is due costs the same at any size.
 */

/** A refused filter is tried again: access lists are mended. */
export const REFUSED_RETRY_MS = 60_000;

interface Refused {
  reasonCode: number;
  retryAtMs: number;
}

export class RefusedFilters {
  readonly #filters = new Map<string, Refused>();
  /** No filter is due before; it may be too early, never too late. */
  #earliestMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#filters.size;
  }

  /** When `due` may answer something; Infinity: nothing is refused. */
  get deadlineMs(): number {
    return this.#earliestMs;
  }

  /** Why the broker refuses `filter`; undefined: it does not. */
  reasonCode(filter: string): number | undefined {
    return this.#filters.get(filter)?.reasonCode;
  }

  /** Answers whether that is news. */
  add(filter: string, reasonCode: number, nowMs: number): boolean {
    const retryAtMs = nowMs + REFUSED_RETRY_MS;
    this.#earliestMs = Math.min(this.#earliestMs, retryAtMs);
    const known = this.#filters.get(filter);
    this.#filters.set(filter, { reasonCode, retryAtMs });
    return known === undefined;
  }

  /** Answers the reason code that no longer holds; undefined: it was not refused. */
  delete(filter: string): number | undefined {
    const refused = this.#filters.get(filter);
    if (refused === undefined) return undefined;
    this.#filters.delete(filter);
    if (this.#filters.size === 0) this.#earliestMs = Number.POSITIVE_INFINITY;
    return refused.reasonCode;
  }

  /** The filters to try again now; each is due again after the retry time. */
  due(nowMs: number): string[] {
    const due: string[] = [];
    if (nowMs < this.#earliestMs) return due;
    this.#earliestMs = Number.POSITIVE_INFINITY;
    for (const [filter, refused] of this.#filters) {
      if (nowMs >= refused.retryAtMs) {
        refused.retryAtMs = nowMs + REFUSED_RETRY_MS;
        due.push(filter);
      }
      this.#earliestMs = Math.min(this.#earliestMs, refused.retryAtMs);
    }
    return due;
  }

  /** Filters with the broker's reason codes. */
  *[Symbol.iterator](): Generator<readonly [string, number]> {
    for (const [filter, { reasonCode }] of this.#filters) yield [filter, reasonCode];
  }
}
