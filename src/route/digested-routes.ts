/**
 * Routes by filter with their digest at hand: what one side announced, as its announcer and its acceptor both keep it.
 * Decides nothing, and has no limit of its own.
 */
import { combine, type Digest, EMPTY_DIGEST, routeDigest } from "../base/digest.ts";
import type { Route } from "./route.ts";

/** A route with more groups is announced as a plain one: an operation must stay small however many groups there are. */
export const ROUTE_GROUPS_MAX = 16;

/** One array for all the plain routes: at a million routes an empty array each would be 16 MB. */
const PLAIN: readonly string[] = [];

export class DigestedRoutes {
  readonly #groups = new Map<string, readonly string[]>();
  #digest = EMPTY_DIGEST;

  get size(): number {
    return this.#groups.size;
  }

  /** The exclusive or of the routes' digests. */
  get digest(): Digest {
    return this.#digest;
  }

  has(filter: string): boolean {
    return this.#groups.has(filter);
  }

  /** The groups of the route `filter`; undefined: there is none. */
  groups(filter: string): readonly string[] | undefined {
    return this.#groups.get(filter);
  }

  filters(): Iterable<string> {
    return this.#groups.keys();
  }

  *routes(): Generator<Route> {
    for (const [filter, groups] of this.#groups) yield { filter, groups };
  }

  /** Replaces the groups of a route that is there already. */
  set(filter: string, groups: readonly string[]): void {
    this.#toggle(filter);
    this.#groups.set(filter, groups.length === 0 ? PLAIN : groups);
    this.#toggle(filter);
  }

  /** Answers false when there was no such route. */
  delete(filter: string): boolean {
    this.#toggle(filter);
    return this.#groups.delete(filter);
  }

  /** Takes a route that is there into the digest, or out of it. */
  #toggle(filter: string): void {
    const groups = this.#groups.get(filter);
    if (groups !== undefined) this.#digest = combine(this.#digest, routeDigest(filter, groups));
  }
}
