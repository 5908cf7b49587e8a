/**
 * Filters to be unsubscribed, each with the revision whose subscriptions must be in place first: its replacements'. A filter
 * that is wanted anew under one that goes has until now been served by it, so that one waits for it too.
 */
import { covers } from "../topic/algebra.ts";

/** What goes while much else goes is narrow and covers nothing new; a filter that covers the most stands alone or nearly. */
const LOOKED_AT_MAX = 64;
/** New filters may come for ever; the wide one that waits for them must not stay for ever. */
const POSTPONED_MAX = 100;

export class PendingDrops {
  readonly #after = new Map<string, number>();
  #postponed = 0;

  get size(): number {
    return this.#after.size;
  }

  has(filter: string): boolean {
    return this.#after.has(filter);
  }

  /** The revision it waits for. */
  after(filter: string): number | undefined {
    return this.#after.get(filter);
  }

  filters(): Iterable<string> {
    return this.#after.keys();
  }

  set(filter: string, after: number): void {
    this.#after.set(filter, after);
  }

  delete(filter: string): void {
    this.#after.delete(filter);
    if (this.#after.size === 0) this.#postponed = 0;
  }

  clear(): void {
    this.#after.clear();
    this.#postponed = 0;
  }

  /** `filter` is to be subscribed as of `revision`: what serves it meanwhile stays until then. */
  postpone(filter: string, revision: number): void {
    if (this.#postponed >= POSTPONED_MAX) return;
    let looked = 0;
    for (const wider of this.#after.keys()) {
      looked += 1;
      if (looked > LOOKED_AT_MAX) return;
      if (!covers(wider, filter)) continue;
      this.#after.set(wider, revision);
      this.#postponed += 1;
    }
  }

  /** At most `max` of those whose replacements are there. */
  ready(settledRevision: number, max: number): Map<string, number> {
    const drops = new Map<string, number>();
    for (const [filter, after] of this.#after) {
      if (drops.size === max) break;
      if (after <= settledRevision) drops.set(filter, after);
    }
    return drops;
  }
}
