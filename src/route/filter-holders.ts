/** How many subscriptions ask for each filter, plain ones and those of each group; only the first and the last are edges. */
import type { InterestEdge } from "./interest-event.ts";

interface Holders {
  plain: number;
  groups: Map<string, number> | null;
}

export class FilterHolders {
  readonly #holders = new Map<string, Holders>();

  /** Filters that somebody asks for. */
  get size(): number {
    return this.#holders.size;
  }

  add(filter: string, group: string | null, edges: InterestEdge[]): void {
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

  remove(filter: string, group: string | null, edges: InterestEdge[]): void {
    const holders = this.#holders.get(filter);
    if (holders === undefined) return;
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
  }

  /** Everything asked for now, as edges that come up. */
  *edges(): Iterable<InterestEdge> {
    for (const [filter, holders] of this.#holders) {
      if (holders.plain > 0) yield { filter, group: null, up: true };
      for (const group of holders.groups?.keys() ?? []) yield { filter, group, up: true };
    }
  }

  *holdings(): Iterable<{ readonly filter: string; readonly clients: number }> {
    for (const [filter, { plain, groups }] of this.#holders) {
      let clients = plain;
      for (const count of groups?.values() ?? []) clients += count;
      yield { filter, clients };
    }
  }
}
