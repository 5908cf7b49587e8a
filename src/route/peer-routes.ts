/**
 * What one peer announced, and when: `live` is the set of its current life, `stale` what earlier lives left behind, in
 * force until the new set is complete. Both together are the effective set, whose changes every call returns as edges.
 * Past the limit it keeps no single route and the effective set is `#`: more than the peer wants, never less.
 * Knows no time and no conversation.
 */
import { assert } from "../base/assert.ts";
import { type Digest, digestEquals } from "../base/digest.ts";
import { canonical, filterProblem, isReserved } from "../topic/filter.ts";
import type { RoutesMark } from "../wire/message.ts";
import { DigestedRoutes, ROUTE_GROUPS_MAX } from "./digested-routes.ts";
import type { Route, RouteOp } from "./route.ts";

/** A filter that came into the effective set or left it. */
export interface PeerRouteEdge {
  readonly filter: string;
  readonly up: boolean;
}

export type ApplyResult =
  | { readonly ok: true; readonly edges: readonly PeerRouteEdge[] }
  | { readonly ok: false; readonly problem: "bad_filter" };

export type CommitResult =
  | { readonly ok: true; readonly edges: readonly PeerRouteEdge[] }
  /** What of the staged set differs from its mark. Nothing changed, the staged set is gone. */
  | { readonly ok: false; readonly problem: "count" | "digest" };

const EVERYTHING = "#";
const NO_EDGES: readonly PeerRouteEdge[] = [];
const UNCHANGED: ApplyResult = { ok: true, edges: NO_EDGES };

/** "overflow": a set that was too large to keep. */
type Staged = DigestedRoutes | "overflow";

export class PeerRoutes {
  #routesMax: number;
  #live = new DigestedRoutes();
  #stale = new DigestedRoutes();
  #staging: Staged | null = null;
  #complete = false;
  #overflow = false;
  #overflows = 0;

  /** `routesMax`: how many routes of one life are kept; at least 1. */
  constructor(routesMax: number) {
    assert(Number.isInteger(routesMax) && routesMax > 0, `a limit of ${routesMax} routes`);
    this.#routesMax = routesMax;
  }

  /** Another limit: more than it lets be is no longer kept one by one. */
  limit(routesMax: number): readonly PeerRouteEdge[] {
    this.#routesMax = routesMax;
    return this.#live.size > routesMax && !this.#overflow ? this.#enterOverflow() : NO_EDGES;
  }

  /** How many routes the current life announced; 0 in overflow, where nobody counts. */
  get size(): number {
    return this.#live.size;
  }

  /** Of the current life's routes; says nothing in overflow. */
  get digest(): Digest {
    return this.#live.digest;
  }

  /** Whether a whole set of the current life was taken over. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether the current life announced more than the limit. Only a bootstrap that fits ends it. */
  get overflow(): boolean {
    return this.#overflow;
  }

  /** How often a set became too large. */
  get overflows(): number {
    return this.#overflows;
  }

  /** How many filters are in force. */
  get effectiveSize(): number {
    if (this.#overflow) return 1;
    const [less, more] = this.#live.size < this.#stale.size ? [this.#live, this.#stale] : [this.#stale, this.#live];
    let size = more.size;
    for (const filter of less.filters()) if (!more.has(filter)) size += 1;
    return size;
  }

  /** The filters in force, each once. */
  *effective(): Generator<string> {
    if (this.#overflow) yield EVERYTHING;
    yield* this.#live.filters();
    for (const filter of this.#stale.filters()) if (!this.#live.has(filter)) yield filter;
  }

  /**
   * The filters in force, some twice, for a walk that goes on while they change: each that is in force from its beginning to
   * its end comes. So it looks for none in the other set, where a filter may have gone after that was walked through.
   */
  *walk(): Generator<string> {
    const [live, stale] = [this.#live, this.#stale];
    if (this.#overflow) yield EVERYTHING;
    yield* live.filters();
    yield* stale.filters();
  }

  /** The routes in force, each once. */
  *effectiveRoutes(): Generator<Route> {
    if (this.#overflow) yield { filter: EVERYTHING, groups: [] };
    yield* this.#live.routes();
    for (const route of this.#stale.routes()) if (!this.#live.has(route.filter)) yield route;
  }

  /** Whether a set of `count` routes would be kept. */
  fits(count: number): boolean {
    return count <= this.#routesMax;
  }

  /** One operation of the current life. Repeating it changes nothing. */
  apply(op: RouteOp): ApplyResult {
    if (!isValid(op)) return { ok: false, problem: "bad_filter" };
    if (this.#overflow) return UNCHANGED;
    const { filter } = op;
    if (op.op === "delete") {
      if (!this.#live.delete(filter) || this.#stale.has(filter)) return UNCHANGED;
      return { ok: true, edges: [{ filter, up: false }] };
    }
    const known = this.#live.has(filter);
    if (!known && this.#live.size >= this.#routesMax) return { ok: true, edges: this.#enterOverflow() };
    this.#live.set(filter, op.groups);
    return known || this.#stale.has(filter) ? UNCHANGED : { ok: true, edges: [{ filter, up: true }] };
  }

  /** A new set begins to arrive; an unfinished one is dropped. What is in force stays so. */
  beginBootstrap(): void {
    this.#staging = new DigestedRoutes();
  }

  /** A part of the new set. False: a route is invalid, and the staged set is gone. */
  stage(ops: readonly RouteOp[]): boolean {
    for (const op of ops) {
      if (!isValid(op)) {
        this.abandonStaging();
        return false;
      }
      this.#staging = this.#staged(this.#staging ?? new DigestedRoutes(), op);
    }
    return true;
  }

  abandonStaging(): void {
    this.#staging = null;
  }

  /** The new set is whole: takes it over in one step, in place of the live and the stale one. Adds come first. */
  commit(mark: RoutesMark): CommitResult {
    const staged = this.#staging;
    this.#staging = null;
    if (staged === null) return { ok: false, problem: "count" };
    if (staged === "overflow") {
      // More routes than the limit arrived, so a mark that fits tells of another set.
      if (this.fits(mark.count)) return { ok: false, problem: "count" };
      this.#complete = true;
      return { ok: true, edges: this.#enterOverflow() };
    }
    if (staged.size !== mark.count) return { ok: false, problem: "count" };
    if (!digestEquals(staged.digest, mark.digest)) return { ok: false, problem: "digest" };
    const edges = this.#edgesTo(staged);
    this.#live = staged;
    this.#stale = new DigestedRoutes();
    this.#overflow = false;
    this.#complete = true;
    return { ok: true, edges };
  }

  /** Filters that were in force in an earlier life of ours: in force again until a whole set is taken over. */
  restore(filters: readonly string[]): readonly PeerRouteEdge[] {
    const stale = filters.length > this.#routesMax ? everything() : new DigestedRoutes();
    if (filters.length <= this.#routesMax) for (const filter of filters) stale.set(filter, []);
    const edges = this.#edgesTo(stale);
    this.#stale = stale;
    return edges;
  }

  /** The peer lives anew: what it announced before stays in force until its new set is complete. */
  newSpeaker(): readonly PeerRouteEdge[] {
    this.#staging = null;
    this.#complete = false;
    if (this.#overflow) {
      this.#stale = everything();
      this.#overflow = false;
      return NO_EDGES;
    }
    const left = this.#live;
    this.#live = new DigestedRoutes();
    if (this.#stale.size === 0) {
      this.#stale = left;
      return NO_EDGES;
    }
    for (const { filter, groups } of left.routes()) this.#stale.set(filter, groups);
    if (this.#stale.size <= this.#routesMax) return NO_EDGES;
    // Lives that end before their set is complete would heap up their remains without end.
    const widened = everything();
    const edges = this.#edgesTo(widened);
    this.#stale = widened;
    this.#overflows += 1;
    return edges;
  }

  /** The peer has left, or was silent for too long: nothing stays. */
  clear(): readonly PeerRouteEdge[] {
    const edges = this.#edgesTo(new DigestedRoutes());
    this.#live = new DigestedRoutes();
    this.#stale = new DigestedRoutes();
    this.#staging = null;
    this.#complete = false;
    this.#overflow = false;
    return edges;
  }

  #staged(staging: Staged, op: RouteOp): Staged {
    if (staging === "overflow") return staging;
    if (op.op === "delete") staging.delete(op.filter);
    else if (staging.size >= this.#routesMax && !staging.has(op.filter)) return "overflow";
    else staging.set(op.filter, op.groups);
    return staging;
  }

  #enterOverflow(): readonly PeerRouteEdge[] {
    const edges = this.#edgesTo(everything());
    this.#live = new DigestedRoutes();
    this.#stale = new DigestedRoutes();
    this.#overflow = true;
    this.#overflows += 1;
    return edges;
  }

  /** The way from what is in force to `next`, adds first. */
  #edgesTo(next: DigestedRoutes): readonly PeerRouteEdge[] {
    const edges: PeerRouteEdge[] = [];
    for (const filter of next.filters()) if (!this.#isInForce(filter)) edges.push({ filter, up: true });
    for (const filter of this.effective()) if (!next.has(filter)) edges.push({ filter, up: false });
    return edges;
  }

  #isInForce(filter: string): boolean {
    if (this.#overflow) return filter === EVERYTHING;
    return this.#live.has(filter) || this.#stale.has(filter);
  }
}

function everything(): DigestedRoutes {
  const routes = new DigestedRoutes();
  routes.set(EVERYTHING, []);
  return routes;
}

/**
 * Peers send rubbish. Only canonical filters: two names of one route would make two digests of one set. Groups are checked
 * for what keeps them few and the digest unambiguous.
 */
function isValid(op: RouteOp): boolean {
  const { filter } = op;
  if (isReserved(filter) || canonical(filter) !== filter || filterProblem(filter) !== null) return false;
  if (op.op === "delete") return true;
  if (op.groups.length > ROUTE_GROUPS_MAX) return false;
  return op.groups.every((group) => !group.includes("/") && filterProblem(`$share/${group}/x`) === null);
}
