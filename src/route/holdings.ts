/**
 * Which filters are interest and how many subscriptions ask for each: a number for each filter and group. Says when the
 * first one comes and the last one goes. Who holds what is the table's.
 */
import { canonical, filterProblem, isReserved, LEVELS_MAX, splitShared, widenDeep } from "../topic/filter.ts";
import { underPrefix } from "../wire/names.ts";
import type { InterestEdge } from "./interest-event.ts";

interface Holders {
  plain: number;
  groups: Map<string, number> | null;
}

export class Holdings {
  readonly #controlPrefix: string;
  readonly #holders = new Map<string, Holders>();
  #invalid = 0;

  constructor(controlPrefix: string) {
    this.#controlPrefix = controlPrefix;
  }

  /** Different filters. */
  get size(): number {
    return this.#holders.size;
  }

  /** Subscriptions that no broker should have granted. */
  get invalid(): number {
    return this.#invalid;
  }

  /** Everything held now, as edges that come up. */
  *edges(): Iterable<InterestEdge> {
    for (const [filter, holders] of this.#holders) {
      if (holders.plain > 0) yield { filter, group: null, up: true };
      for (const group of holders.groups?.keys() ?? []) yield { filter, group, up: true };
    }
  }

  /** With how many subscriptions ask for each. */
  *all(): Iterable<{ readonly filter: string; readonly clients: number }> {
    for (const [filter, { plain, groups }] of this.#holders) {
      let clients = plain;
      for (const count of groups?.values() ?? []) clients += count;
      yield { filter, clients };
    }
  }

  /** Answers whether the row is interest. */
  hold(raw: string, edges: InterestEdge[]): boolean {
    const interest = this.interestOf(raw);
    if (interest === null) {
      if (!isReserved(splitShared(raw).filter)) this.#invalid += 1;
      return false;
    }
    const { filter, group } = interest;
    let holders = this.#holders.get(filter);
    if (holders === undefined) {
      holders = { plain: 0, groups: null };
      this.#holders.set(filter, holders);
    }
    if (group === null) {
      holders.plain += 1;
      if (holders.plain === 1) edges.push({ filter, group, up: true });
      return true;
    }
    holders.groups ??= new Map();
    const count = (holders.groups.get(group) ?? 0) + 1;
    holders.groups.set(group, count);
    if (count === 1) edges.push({ filter, group, up: true });
    return true;
  }

  release(raw: string, edges: InterestEdge[]): boolean {
    const interest = this.interestOf(raw);
    if (interest === null) return false;
    const { filter, group } = interest;
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

  /** What a subscription asks for in messages of clients; null: nothing that may cross. */
  interestOf(raw: string): { filter: string; group: string | null } | null {
    const shared = splitShared(raw);
    const filter =
      shared.filter.split("/", LEVELS_MAX + 1).length > LEVELS_MAX ? widenDeep(shared.filter) : shared.filter;
    // Reserved topics belong to their broker; the control prefix belongs to agents.
    if (isReserved(filter) || underPrefix(this.#controlPrefix, filter) || filterProblem(filter) !== null) return null;
    return { filter: canonical(filter), group: shared.group };
  }
}
