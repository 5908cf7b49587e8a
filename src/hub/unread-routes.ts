/**
 * Of which of a peer's routes the states still have to be read: each once in a life of the peer, as soon as the local broker
 * has taken the subscription for it, so that nothing falls between. A route within one that was read brings nothing new, as
 * long as that one stands: what changes there crosses live. Pure.
 */
import { FilterTrie } from "../topic/trie.ts";

/** Topics without wildcards are read together: a broker stores one message of each. */
const TOPICS_MAX = 100;

export class UnreadRoutes {
  /** With the revision of the demand that serves it: ascending. */
  readonly #unread = new Map<string, number>();
  #read = new FilterTrie<true>();
  /** The last one heard of. */
  #revision = 0;

  get size(): number {
    return this.#unread.size;
  }

  up(filter: string, revision: number): void {
    this.#revision = revision;
    let isCovered = false;
    this.#read.covering(filter, () => {
      isCovered = true;
      return true;
    });
    if (isCovered) this.#read.set(filter, true);
    else this.#unread.set(filter, revision);
  }

  down(filter: string): void {
    this.#unread.delete(filter);
    this.#read.delete(filter);
  }

  /** What serves them is in force only with this revision of the demand. */
  servedFrom(revision: number): void {
    this.#revision = revision;
    for (const filter of this.#unread.keys()) this.#unread.set(filter, revision);
  }

  /** What to read next; empty: nothing is due. It counts as read until `again` says otherwise. */
  take(settledRevision: number): string[] {
    const taken: string[] = [];
    for (const [filter, revision] of this.#unread) {
      if (revision > settledRevision || taken.length === TOPICS_MAX) break;
      const isWild = hasWildcard(filter);
      if (isWild && taken.length > 0) break;
      taken.push(filter);
      if (isWild) break;
    }
    for (const filter of taken) {
      this.#unread.delete(filter);
      this.#read.set(filter, true);
    }
    return taken;
  }

  /** Those of them that are still wanted were not read after all. */
  again(filters: readonly string[]): void {
    for (const filter of filters) if (this.#read.delete(filter)) this.#unread.set(filter, this.#revision);
  }

  clear(): void {
    this.#unread.clear();
    this.#read = new FilterTrie<true>();
  }
}

function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.includes("#");
}
