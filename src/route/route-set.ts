/**
 * What one link announces: local interest cut to the link's `topics`, reduced to its minimal cover, kept within the
 * limit. Incremental; every change is answered as the operations to announce, adds before deletes, so that at no point
 * of a batch less is announced than before and after it.
 */
import { combine, type Digest, EMPTY_DIGEST, routeDigest } from "../base/digest.ts";
import { intersect, minimalCover } from "../topic/algebra.ts";
import { FilterBudget } from "./budget.ts";
import { type CoverChange, CoverSet } from "./cover-set.ts";
import type { InterestEdge } from "./interest-event.ts";
import type { Route, RouteOp } from "./route.ts";

/** Shared-subscription groups named with a route; with more of them it counts as plain. */
const GROUPS_MAX = 16;
const NO_GROUPS: readonly string[] = [];

/** Who leads to one filter: how many plain subscriptions, how many of each group. */
interface Sources {
  plain: number;
  groups: Map<string, number> | null;
}

export class RouteSet {
  readonly #topics: readonly string[];
  readonly #sources = new Map<string, Sources>();
  readonly #budget: FilterBudget;
  readonly #cover = new CoverSet();
  /** What is announced, with the groups it was announced with. */
  readonly #announced = new Map<string, readonly string[]>();
  #digest: Digest = EMPTY_DIGEST;
  #wide = false;

  constructor(topics: readonly string[], routesMax: number) {
    this.#topics = topics;
    this.#budget = new FilterBudget(routesMax);
  }

  get size(): number {
    return this.#announced.size;
  }

  /** Of the set as it is after the operations returned last. */
  get digest(): Digest {
    return this.#digest;
  }

  /** Past `max_routes`: announced wider than the interest is. */
  get widened(): boolean {
    return this.#budget.widened;
  }

  *routes(): Iterable<Route> {
    for (const [filter, groups] of this.#announced) yield { filter, groups };
  }

  apply(edges: readonly InterestEdge[]): RouteOp[] {
    const touched = new Set<string>();
    for (const { filter, group, up } of edges) {
      for (const met of this.#meet(filter)) this.#change(met, group, up, touched);
    }
    return this.#ops(touched);
  }

  /** Wide: the link's topics themselves are announced, whatever the interest is known to be. */
  setWide(on: boolean): RouteOp[] {
    if (on === this.#wide) return [];
    this.#wide = on;
    const touched = new Set<string>();
    for (const topic of this.#topics) this.#change(topic, null, on, touched);
    return this.#ops(touched);
  }

  /** Where the filter meets the topics: parts that another part covers add nothing. */
  #meet(filter: string): readonly string[] {
    const met: string[] = [];
    for (const topic of this.#topics) {
      const part = intersect(topic, filter);
      if (part !== null) met.push(part);
    }
    return met.length < 2 ? met : minimalCover(met);
  }

  #change(filter: string, group: string | null, up: boolean, touched: Set<string>): void {
    let sources = this.#sources.get(filter);
    const isNew = sources === undefined;
    sources ??= { plain: 0, groups: null };
    const step = up ? 1 : -1;
    if (group === null) {
      sources.plain += step;
    } else {
      sources.groups ??= new Map();
      const count = (sources.groups.get(group) ?? 0) + step;
      if (count > 0) sources.groups.set(group, count);
      else sources.groups.delete(group);
      if (sources.groups.size === 0) sources.groups = null;
    }
    touched.add(filter);
    const gone = sources.plain <= 0 && sources.groups === null;
    if (isNew && !gone) {
      this.#sources.set(filter, sources);
      this.#coverChanges(this.#budget.add(filter), touched);
    } else if (!isNew && gone) {
      this.#sources.delete(filter);
      this.#coverChanges(this.#budget.remove(filter), touched);
    }
  }

  #coverChanges(change: CoverChange, touched: Set<string>): void {
    for (const filter of change.up) touchAll(this.#cover.add(filter), touched);
    for (const filter of change.down) touchAll(this.#cover.remove(filter), touched);
  }

  /** The net change: what came and went within one call is not mentioned. */
  #ops(touched: ReadonlySet<string>): RouteOp[] {
    const adds: RouteOp[] = [];
    const deletes: RouteOp[] = [];
    for (const filter of touched) {
      const before = this.#announced.get(filter);
      if (!this.#cover.isUp(filter)) {
        if (before === undefined) continue;
        this.#announced.delete(filter);
        this.#digest = combine(this.#digest, routeDigest(filter, before));
        deletes.push({ op: "delete", filter });
        continue;
      }
      const groups = this.#groupsOf(filter);
      if (before !== undefined) {
        if (sameGroups(before, groups)) continue;
        this.#digest = combine(this.#digest, routeDigest(filter, before));
      }
      this.#announced.set(filter, groups);
      this.#digest = combine(this.#digest, routeDigest(filter, groups));
      adds.push({ op: "add", filter, groups });
    }
    return adds.concat(deletes);
  }

  #groupsOf(filter: string): readonly string[] {
    const sources = this.#sources.get(filter);
    if (
      sources === undefined ||
      sources.plain > 0 ||
      sources.groups === null ||
      sources.groups.size > GROUPS_MAX
    )
      return NO_GROUPS;
    return [...sources.groups.keys()].sort();
  }
}

function touchAll(change: CoverChange, touched: Set<string>): void {
  for (const filter of change.up) touched.add(filter);
  for (const filter of change.down) touched.add(filter);
}

function sameGroups(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((group, at) => group === b[at]);
}
