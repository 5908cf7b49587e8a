/** Routes of all links, one after the other, as rows for people: what we announced, or what the peers did. */
import type { HubLink } from "../hub/hub-link.ts";
import type { Demand } from "../route/demand.ts";
import type { Route } from "../route/route.ts";
import { matches } from "../topic/algebra.ts";

export type RouteDirection = "out" | "in";

export interface RouteRow {
  readonly link: string;
  readonly direction: RouteDirection;
  readonly filter: string;
  /** Shared-subscription groups behind the route; empty: at least one plain subscriber. */
  readonly groups: readonly string[];
  /** Reason code with which the broker that has to serve the route refuses it; null: it does not. */
  readonly refused: number | null;
}

export interface RouteSearch {
  readonly direction: RouteDirection;
  /** Null: all. */
  readonly link: string | null;
  /** A part of the filter; null: any. */
  readonly search: string | null;
  /** What the filter has to match; null: anything. */
  readonly topic: string | null;
}

export interface LinkRoute {
  readonly link: HubLink;
  readonly route: Route;
}

/** Everything to look through; what does not fit the search is among it, so that the walk can be cut into slices. */
export function* linkRoutes(links: Iterable<HubLink>, search: RouteSearch): Generator<LinkRoute> {
  for (const link of links) {
    if (search.link !== null && link.name !== search.link) continue;
    const routes =
      search.direction === "out" ? link.routes.routes() : link.conversation.acceptor.routes.effectiveRoutes();
    for (const route of routes) yield { link, route };
  }
}

export function fitsSearch({ filter }: Route, { search, topic }: RouteSearch): boolean {
  return (search === null || filter.includes(search)) && (topic === null || matches(filter, topic));
}

export function routeRow({ link, route }: LinkRoute, direction: RouteDirection, demand: Demand): RouteRow {
  const { filter, groups } = route;
  const refused = direction === "out" ? link.refused.reasonCode(filter) : demand.refusedWith(filter);
  return { link: link.name, direction, filter, groups, refused };
}
