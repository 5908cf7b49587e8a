/**
 * Revisions that may not count as settled yet although nothing of theirs waits any more: their filter went before it was
 * subscribed, because a later revision's filter stands in for it. Bounded: past the limit two holds become one, which
 * holds back more than needed, never less.
 */

/** Stand-ins come one at a time; many at once mean that one wide filter replaced many, and those share a hold. */
const HOLDS_MAX = 64;

interface Hold {
  /** From this revision on nothing is settled … */
  from: number;
  /** … until this one is. */
  until: number;
}

export class RevisionHolds {
  readonly #holds: Hold[] = [];

  get size(): number {
    return this.#holds.length;
  }

  /** `until` never falls from one call to the next. */
  add(from: number, until: number): void {
    if (from > until) return;
    const last = this.#holds.at(-1);
    if (last !== undefined && (last.until === until || this.#holds.length === HOLDS_MAX)) {
      last.from = Math.min(last.from, from);
      last.until = Math.max(last.until, until);
    } else {
      this.#holds.push({ from, until });
    }
  }

  /** What is settled, where everything up to `settled` would be without the holds. */
  limit(settled: number): number {
    let limited = settled;
    // Latest first: a stand-in may itself have gone for a later one.
    for (let i = this.#holds.length - 1; i >= 0; i -= 1) {
      const hold = this.#holds[i];
      if (hold !== undefined && hold.until > limited) limited = Math.min(limited, hold.from - 1);
    }
    return limited;
  }

  /** Everything up to `settled` would be settled without the holds: forgets those that ended. */
  forget(settled: number): void {
    if (this.#holds.length === 0) return;
    const limited = this.limit(settled);
    const kept = this.#holds.filter(({ until }) => until > limited);
    this.#holds.splice(0, this.#holds.length, ...kept);
  }
}
