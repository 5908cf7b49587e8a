/**
 * Candidate filters, counted, and which of them are announced: those that no other one covers. Kept up to date change by
 * change: a filter without wildcards costs the length of its path however many others there are, one with wildcards what
 * it covers. Decides nothing about what a candidate is: who wants it, and what becomes of the announcement, is the owner's.
 */
import { assert } from "../base/assert.ts";
import { canonical, isReserved } from "../topic/filter.ts";
import { FilterTrie } from "../topic/trie.ts";

/** What one call changed in the announced set; no filter is in both. Announce `up` before `down` goes. */
export interface CoverChange {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

const NO_CHANGE: CoverChange = { up: [], down: [] };

// A candidate's state is one small integer, not an object: there may be a million of them.
const UP = 1;
const BLOCKED = 2;
/** The bits above the flags count references. */
const REFERENCE = 4;

export class CoverSet {
  readonly #candidates = new FilterTrie<number>();
  #size = 0;

  /** How many filters are announced. */
  get size(): number {
    return this.#size;
  }

  /** How many different candidates there are, announced or not. */
  get candidates(): number {
    return this.#candidates.size;
  }

  /** Whether `filter` is a candidate, announced or not. */
  has(filter: string): boolean {
    return this.#candidates.get(canonical(filter)) !== undefined;
  }

  /** Whether `filter` itself is announced. */
  isUp(filter: string): boolean {
    return ((this.#candidates.get(canonical(filter)) ?? 0) & UP) !== 0;
  }

  /** References to the candidate `filter`; 0: it is none. */
  count(filter: string): number {
    return Math.floor((this.#candidates.get(canonical(filter)) ?? 0) / REFERENCE);
  }

  /** A snapshot of the announced filters, in no set order. */
  announced(): Iterable<string> {
    const filters: string[] = [];
    this.#candidates.coveredBy("#", (state, filter) => {
      if ((state & UP) !== 0) filters.push(filter);
    });
    return filters;
  }

  /** The announced filter that matches `topic`, the longest of several; null: none does. */
  upFor(topic: string): string | null {
    let found: string | null = null;
    this.#candidates.match(topic, (state, filter) => {
      if ((state & UP) !== 0 && (found === null || filter.length > found.length)) found = filter;
    });
    return found;
  }

  /** One more reference to `filter`, which must not begin with `$`. */
  add(filter: string): CoverChange {
    const own = canonical(filter);
    assert(!isReserved(own), `the reserved filter ${own} among candidates`);
    const state = this.#candidates.get(own);
    if (state === undefined) return this.#appear(own, REFERENCE);
    this.#candidates.set(own, state + REFERENCE);
    return NO_CHANGE;
  }

  /** One reference less to `filter`, which must have one. The last one takes a block with it. */
  remove(filter: string): CoverChange {
    const own = canonical(filter);
    const state = this.#candidates.get(own);
    assert(state !== undefined, `${own} goes and was no candidate`);
    if (state >= 2 * REFERENCE) {
      this.#candidates.set(own, state - REFERENCE);
      return NO_CHANGE;
    }
    this.#candidates.delete(own);
    return this.#disappear(own, state);
  }

  /** The broker refused `filter`: neither announced nor covering any more, still counted. No candidate: nothing happens. */
  block(filter: string): CoverChange {
    const own = canonical(filter);
    const state = this.#candidates.get(own);
    if (state === undefined || (state & BLOCKED) !== 0) return NO_CHANGE;
    this.#candidates.set(own, (state & ~UP) | BLOCKED);
    return this.#disappear(own, state);
  }

  unblock(filter: string): CoverChange {
    const own = canonical(filter);
    const state = this.#candidates.get(own);
    if (state === undefined || (state & BLOCKED) === 0) return NO_CHANGE;
    return this.#appear(own, state & ~BLOCKED);
  }

  /** `filter` takes part from now on; `state` has no flags yet. */
  #appear(filter: string, state: number): CoverChange {
    if (this.#isCovered(filter)) {
      this.#candidates.set(filter, state);
      return NO_CHANGE;
    }
    const down: string[] = [];
    this.#candidates.coveredBy(filter, (other, stored) => {
      if ((other & UP) !== 0) down.push(stored);
    });
    for (const stored of down) this.#flip(stored);
    this.#candidates.set(filter, state | UP);
    this.#size += 1 - down.length;
    return { up: [filter], down };
  }

  /** `filter`, whose state was `state`, no longer takes part: gone, or marked as blocked. */
  #disappear(filter: string, state: number): CoverChange {
    // Whatever covered it covers what it covered.
    if ((state & UP) === 0) return NO_CHANGE;
    const up: string[] = [];
    this.#candidates.coveredBy(filter, (other, stored) => {
      if ((other & BLOCKED) === 0 && !this.#isCovered(stored)) up.push(stored);
    });
    for (const stored of up) this.#flip(stored);
    this.#size += up.length - 1;
    return { up, down: [filter] };
  }

  #isCovered(filter: string): boolean {
    let covered = false;
    this.#candidates.covering(filter, (state, stored) => {
      covered = (state & BLOCKED) === 0 && stored !== filter;
      return covered;
    });
    return covered;
  }

  #flip(filter: string): void {
    this.#candidates.set(filter, (this.#candidates.get(filter) ?? 0) ^ UP);
  }
}
