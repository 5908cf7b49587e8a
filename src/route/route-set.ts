/**
 * What one link announces to its peer: interest met with the link's topics, without what another route covers, widened
 * past the limit. Each call returns what it changed in all, adds before deletes, so that nothing wanted before and after
 * is ever without a route. Knows nothing of peers, numbers or messages.
 *
 * The groups of a route speak of the subscribers to that very filter. A filter it covers may have plain ones: groups are
 * for display, and no reason to leave a message out.
 */
import { assert } from "../base/assert.ts";
import type { Digest } from "../base/digest.ts";
import { covers, intersect, minimalCover } from "../topic/algebra.ts";
import { canonical, isReserved, widenDeep } from "../topic/filter.ts";
import { type BudgetChange, FilterBudget } from "./budget.ts";
import { type CoverChange, CoverSet } from "./cover-set.ts";
import { DigestedRoutes, ROUTE_GROUPS_MAX } from "./digested-routes.ts";
import type { InterestEdge } from "./interest-event.ts";
import type { Route, RouteOp } from "./route.ts";

/** Longer names together make a route plain, too: one group's name may be as long as a topic. */
const GROUP_UNITS_MAX = 4_096;

const PLAIN: readonly string[] = [];

/** The sources of one filter that are shared subscriptions. */
class SharedSources {
  total = 0;
  readonly byGroup = new Map<string, number>();
}

export class RouteSet {
  #topics: readonly string[] = [];
  /** Interest met with the topics, one reference per source. */
  #wanted = new CoverSet();
  #shared = new Map<string, SharedSources>();
  #budget: FilterBudget;
  /** What the budget made of the wanted filters; null while it leaves them as they are. */
  #projected: CoverSet | null = null;
  readonly #announced = new DigestedRoutes();
  #wide = false;

  /** `topics`: the link's filters; none: nothing is ever announced. `routesMax`: past it routes are widened; at least 1. */
  constructor(topics: readonly string[], routesMax: number) {
    this.#topics = coverOf(topics);
    this.#budget = new FilterBudget(routesMax, this.#topics);
  }

  /** Other topics, or another limit, for the same interest: `edges` is all of it. */
  retarget(topics: readonly string[], routesMax: number, edges: readonly InterestEdge[]): RouteOp[] {
    const touched = new Set<string>(this.#announced.filters());
    this.#topics = coverOf(topics);
    this.#wanted = new CoverSet();
    this.#shared = new Map();
    this.#budget = new FilterBudget(routesMax, this.#topics);
    this.#projected = null;
    this.#applyTo(edges, touched);
    if (this.#wide) for (const topic of this.#topics) this.#hold(topic, null, touched);
    return this.#settle(touched);
  }

  /** Of the announced routes, after the operations returned last. */
  get digest(): Digest {
    return this.#announced.digest;
  }

  /** How many routes are announced. */
  get size(): number {
    return this.#announced.size;
  }

  /** Whether the limit was passed and routes are cut to fewer levels. */
  get widened(): boolean {
    return this.#budget.widened;
  }

  /** How often the limit was passed. */
  get widenings(): number {
    return this.#budget.widenings;
  }

  routes(): Iterable<Route> {
    return this.#announced.routes();
  }

  /** A (filter, group) pair goes down only after it came up. */
  apply(edges: readonly InterestEdge[]): RouteOp[] {
    const touched = new Set<string>();
    this.#applyTo(edges, touched);
    return this.#settle(touched);
  }

  /** On: the topics themselves are wanted too, because the interest is not known to be complete. */
  setWide(on: boolean): RouteOp[] {
    if (on === this.#wide) return [];
    this.#wide = on;
    const touched = new Set<string>();
    for (const topic of this.#topics) {
      if (on) this.#hold(topic, null, touched);
      else this.#release(topic, null, touched);
    }
    return this.#settle(touched);
  }

  #applyTo(edges: readonly InterestEdge[], touched: Set<string>): void {
    for (const { filter, group, up } of edges) {
      for (const met of this.#meets(filter)) {
        if (up) this.#hold(met, group, touched);
        else this.#release(met, group, touched);
      }
    }
  }

  /** Where a wanted filter and the link's topics meet, each once. A peer takes no deeper filter than `widenDeep` makes. */
  #meets(filter: string): Iterable<string> {
    const wanted = widenDeep(filter);
    const met = new Set<string>();
    for (const topic of this.#topics) {
      // The wanted filter itself where it can be: one string for all links that announce it.
      const common = covers(topic, wanted) ? canonical(wanted) : intersect(topic, wanted);
      if (common !== null) met.add(common);
    }
    return met;
  }

  #hold(filter: string, group: string | null, touched: Set<string>): void {
    if (group !== null) {
      const shared = this.#shared.get(filter) ?? new SharedSources();
      this.#shared.set(filter, shared);
      shared.total += 1;
      shared.byGroup.set(group, (shared.byGroup.get(group) ?? 0) + 1);
    }
    touched.add(filter);
    touchAll(this.#wanted.add(filter), touched);
  }

  #release(filter: string, group: string | null, touched: Set<string>): void {
    if (group !== null) {
      const shared = this.#shared.get(filter);
      const count = shared?.byGroup.get(group) ?? 0;
      assert(shared !== undefined && count > 0, `group ${group} of ${filter} goes and was not there`);
      shared.total -= 1;
      if (count > 1) shared.byGroup.set(group, count - 1);
      else shared.byGroup.delete(group);
      if (shared.total === 0) this.#shared.delete(filter);
    }
    touched.add(filter);
    touchAll(this.#wanted.remove(filter), touched);
  }

  /** What the call changed in all, for the filters that may differ. */
  #settle(touched: ReadonlySet<string>): RouteOp[] {
    const affected = new Set<string>();
    // Removals first, and only the difference: a set that is past the limit for a moment must not be widened for long.
    const entering: string[] = [];
    for (const filter of touched) {
      const up = this.#wanted.isUp(filter);
      if (up === this.#budget.has(filter)) continue;
      if (up) entering.push(filter);
      else this.#budgetChanged(this.#budget.remove(filter), affected);
    }
    for (const filter of entering) this.#budgetChanged(this.#budget.add(filter), affected);
    const adds: RouteOp[] = [];
    const deletes: RouteOp[] = [];
    for (const filter of touched) this.#announce(filter, adds, deletes);
    for (const filter of affected) this.#announce(filter, adds, deletes);
    return adds.concat(deletes);
  }

  #budgetChanged(change: BudgetChange, affected: Set<string>): void {
    if (this.#budget.widened !== (this.#projected !== null)) {
      this.#changeSets(affected);
    } else if (this.#projected !== null) {
      // Widened filters may cover each other and those that were short enough to stay.
      for (const filter of change.up) touchAll(this.#projected.add(filter), affected);
      for (const filter of change.down) touchAll(this.#projected.remove(filter), affected);
    }
  }

  /** From exact to widened or back: rare, and every route may change, if only its groups. */
  #changeSets(affected: Set<string>): void {
    for (const filter of this.#announced.filters()) affected.add(filter);
    this.#projected = null;
    if (this.#budget.widened) {
      this.#projected = new CoverSet();
      for (const filter of this.#budget.projected()) this.#projected.add(filter);
    }
    for (const filter of (this.#projected ?? this.#wanted).announced()) affected.add(filter);
  }

  /** Brings one route up to date; doing it twice changes nothing. */
  #announce(filter: string, adds: RouteOp[], deletes: RouteOp[]): void {
    // While nothing is widened the budget holds just what is up, and its Map answers sooner than a trie.
    const up = this.#projected === null ? this.#budget.has(filter) : this.#projected.isUp(filter);
    if (!up) {
      if (this.#announced.delete(filter)) deletes.push({ op: "delete", filter });
      return;
    }
    const before = this.#announced.groups(filter);
    const groups = this.#groupsOf(filter);
    if (before !== undefined && equal(before, groups)) return;
    this.#announced.set(filter, groups);
    adds.push({ op: "add", filter, groups });
  }

  #groupsOf(filter: string): readonly string[] {
    const shared = this.#projected === null ? this.#shared.get(filter) : undefined;
    if (shared === undefined || this.#wanted.count(filter) > shared.total) return PLAIN;
    if (shared.byGroup.size > ROUTE_GROUPS_MAX) return PLAIN;
    const groups = [...shared.byGroup.keys()].sort();
    return groups.reduce((units, group) => units + group.length, 0) > GROUP_UNITS_MAX ? PLAIN : groups;
  }
}

function coverOf(topics: readonly string[]): readonly string[] {
  return minimalCover(topics.filter((topic) => !isReserved(topic)));
}

function touchAll({ up, down }: CoverChange, touched: Set<string>): void {
  for (const filter of up) touched.add(filter);
  for (const filter of down) touched.add(filter);
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((group, i) => group === b[i]);
}
