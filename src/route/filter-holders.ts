/** Filters that somebody holds, alone or as a member of a group, and how many do. Tells the first and the last holder. Pure. */
import type { InterestEdge } from "./interest-event.ts";

interface Holders {
  plain: number;
  groups: Map<string, number> | null;
}

export class FilterHolders {
  readonly #holders = new Map<string, Holders>();

  /** Filters with a holder. */
  get size(): number {
    return this.#holders.size;
  }

  hold(filter: string, group: string | null, edges: InterestEdge[]): void {
    let holders = this.#holders.get(filter);
    if (holders === undefined) {
      holders = { plain: 0, groups: null };
      this.#holders.set(filter, holders);
    }
    if (group === null) {
      holders.plain += 1;
      if (holders.plain === 1) edges.push({ filter, group, up: true });
      return;
    }
    holders.groups ??= new Map();
    const count = (holders.groups.get(group) ?? 0) + 1;
    holders.groups.set(group, count);
    if (count === 1) edges.push({ filter, group, up: true });
  }

  /** Answers whether the filter was held. */
  release(filter: string, group: string | null, edges: InterestEdge[]): boolean {
    const holders = this.#holders.get(filter);
    if (holders === undefined) return false;
    if (group === null) {
      holders.plain -= 1;
      if (holders.plain === 0) edges.push({ filter, group, up: false });
    } else {
      const count = (holders.groups?.get(group) ?? 1) - 1;
      if (count > 0) holders.groups?.set(group, count);
      else holders.groups?.delete(group);
      if (count === 0) edges.push({ filter, group, up: false });
      if (holders.groups?.size === 0) holders.groups = null;
    }
    if (holders.plain === 0 && holders.groups === null) this.#holders.delete(filter);
    return true;
  }

  /** Everything held now, as edges that come up. */
  *edges(): Iterable<InterestEdge> {
    for (const [filter, holders] of this.#holders) {
      if (holders.plain > 0) yield { filter, group: null, up: true };
      for (const group of holders.groups?.keys() ?? []) yield { filter, group, up: true };
    }
  }

  /** Each filter with how many subscriptions ask for it. */
  *counts(): Iterable<{ readonly filter: string; readonly clients: number }> {
    for (const [filter, { plain, groups }] of this.#holders) {
      let clients = plain;
      for (const count of groups?.values() ?? []) clients += count;
      yield { filter, clients };
    }
  }
}
