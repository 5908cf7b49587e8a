/**
 * What one peer announced: the *live* set of its current life, and the *stale* one of earlier lives, which stays in
 * force until a new bootstrap is complete. Pure bookkeeping; answers the changes of the set in force (live ∪ stale).
 * Past the limit the peer counts as wanting everything: wider, counted, memory flat.
 */
import { combine, type Digest, digestEquals, EMPTY_DIGEST, routeDigest } from "../base/digest.ts";
import { canonical, filterProblem, isReserved } from "../topic/filter.ts";
import type { RoutesMark, WireRouteOp } from "../wire/message.ts";

export interface PeerRouteEdge {
  readonly filter: string;
  readonly up: boolean;
}

export type ApplyResult =
  | { readonly ok: true; readonly edges: readonly PeerRouteEdge[] }
  | { readonly ok: false; readonly problem: "bad_filter" };
export type CommitResult =
  | { readonly ok: true; readonly edges: readonly PeerRouteEdge[] }
  | { readonly ok: false; readonly problem: "count" | "digest" | "not_begun" };

const EVERYTHING = "#";
const NO_EDGES: readonly PeerRouteEdge[] = [];
const NO_GROUPS: readonly string[] = [];
/** Below this share of the limit an overflown peer may be taken exactly again. */
const FITS_AT = 0.9;

interface Staging {
  routes: Map<string, readonly string[]>;
  digest: Digest;
  overflow: boolean;
}

export class PeerRoutes {
  readonly #routesMax: number;
  #live = new Map<string, readonly string[]>();
  #stale = new Set<string>();
  #staging: Staging | null = null;
  #digest: Digest = EMPTY_DIGEST;
  #complete = false;
  #overflow = false;

  constructor(routesMax: number) {
    this.#routesMax = routesMax;
  }

  /** Whether a bootstrap of the current life was committed. */
  get complete(): boolean {
    return this.#complete;
  }

  get overflow(): boolean {
    return this.#overflow;
  }

  get size(): number {
    return this.#live.size;
  }

  get digest(): Digest {
    return this.#digest;
  }

  /** Filters in force. */
  get effectiveSize(): number {
    if (this.#overflow) return 1;
    let size = this.#live.size;
    for (const filter of this.#stale) if (!this.#live.has(filter)) size += 1;
    return size;
  }

  *effective(): Iterable<string> {
    if (this.#overflow) yield EVERYTHING;
    yield* this.#live.keys();
    for (const filter of this.#stale) if (!this.#live.has(filter)) yield filter;
  }

  /** Whether a set of this size fits well enough to be taken exactly again. */
  fits(count: number): boolean {
    return count <= this.#routesMax * FITS_AT;
  }

  apply(op: WireRouteOp): ApplyResult {
    if (!isRoute(op.filter)) return { ok: false, problem: "bad_filter" };
    if (this.#overflow) return { ok: true, edges: NO_EDGES };
    const before = this.#live.get(op.filter);
    if (before !== undefined) this.#digest = combine(this.#digest, routeDigest(op.filter, before));
    if (op.op === "delete") {
      if (before === undefined) return { ok: true, edges: NO_EDGES };
      this.#live.delete(op.filter);
      return { ok: true, edges: this.#stale.has(op.filter) ? NO_EDGES : [{ filter: op.filter, up: false }] };
    }
    if (before === undefined && this.#live.size >= this.#routesMax)
      return { ok: true, edges: this.#enterOverflow() };
    this.#digest = combine(this.#digest, routeDigest(op.filter, op.groups));
    this.#live.set(op.filter, op.groups.length === 0 ? NO_GROUPS : op.groups);
    return {
      ok: true,
      edges:
        before !== undefined || this.#stale.has(op.filter) ? NO_EDGES : [{ filter: op.filter, up: true }],
    };
  }

  beginBootstrap(): void {
    this.#staging = { routes: new Map(), digest: EMPTY_DIGEST, overflow: false };
  }

  /** Collects a part of the bootstrap under way; false: it holds something that is no route. */
  stage(ops: readonly WireRouteOp[]): boolean {
    const staging = this.#staging;
    if (staging === null) return true;
    for (const op of ops) {
      if (op.op !== "add" || !isRoute(op.filter)) return false;
      if (staging.overflow) continue;
      if (staging.routes.size >= this.#routesMax) {
        staging.overflow = true;
        staging.routes = new Map();
        continue;
      }
      const before = staging.routes.get(op.filter);
      if (before !== undefined) staging.digest = combine(staging.digest, routeDigest(op.filter, before));
      staging.digest = combine(staging.digest, routeDigest(op.filter, op.groups));
      staging.routes.set(op.filter, op.groups.length === 0 ? NO_GROUPS : op.groups);
    }
    return true;
  }

  /** The end marker: if what was staged is what the peer holds, it takes the place of everything before, in one step. */
  commit(mark: RoutesMark): CommitResult {
    const staging = this.#staging;
    if (staging === null) return { ok: false, problem: "not_begun" };
    this.#staging = null;
    if (staging.overflow) {
      this.#complete = true;
      return { ok: true, edges: this.#enterOverflow() };
    }
    if (staging.routes.size !== mark.count) return { ok: false, problem: "count" };
    if (!digestEquals(staging.digest, mark.digest)) return { ok: false, problem: "digest" };
    const before = new Set(this.effective());
    const edges: PeerRouteEdge[] = [];
    for (const filter of staging.routes.keys()) if (!before.has(filter)) edges.push({ filter, up: true });
    for (const filter of before) if (!staging.routes.has(filter)) edges.push({ filter, up: false });
    this.#live = staging.routes;
    this.#digest = staging.digest;
    this.#stale = new Set();
    this.#overflow = false;
    this.#complete = true;
    return { ok: true, edges };
  }

  /** The peer starts a new life: what its old one announced stays in force, stale. */
  newSpeaker(): readonly PeerRouteEdge[] {
    if (this.#overflow) this.#stale.add(EVERYTHING);
    for (const filter of this.#live.keys()) this.#stale.add(filter);
    this.#live = new Map();
    this.#digest = EMPTY_DIGEST;
    this.#staging = null;
    this.#complete = false;
    this.#overflow = false;
    return NO_EDGES;
  }

  /** Everything goes. */
  clear(): readonly PeerRouteEdge[] {
    const edges = [...this.effective()].map((filter) => ({ filter, up: false }));
    this.#live = new Map();
    this.#stale = new Set();
    this.#digest = EMPTY_DIGEST;
    this.#staging = null;
    this.#complete = false;
    this.#overflow = false;
    return edges;
  }

  #enterOverflow(): PeerRouteEdge[] {
    const before = new Set(this.effective());
    const edges: PeerRouteEdge[] = before.has(EVERYTHING) ? [] : [{ filter: EVERYTHING, up: true }];
    for (const filter of before) if (filter !== EVERYTHING) edges.push({ filter, up: false });
    this.#live = new Map();
    this.#stale = new Set();
    this.#digest = EMPTY_DIGEST;
    this.#overflow = true;
    return edges;
  }
}

/** A filter that a peer may announce: valid, not shared, not reserved, in its one canonical form. */
function isRoute(filter: string): boolean {
  return !isReserved(filter) && filterProblem(filter) === null && canonical(filter) === filter;
}
