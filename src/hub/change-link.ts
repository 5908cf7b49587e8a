/**
 * Another configuration for a link that goes on: what is under way, in the spool and in the records stays, and the peer
 * hears of the difference only. Where the interest meets old and new topics alike, nothing is told at all. Pure.
 */
import type { InterestEdge } from "../route/interest-event.ts";
import type { HubLink } from "./hub-link.ts";
import type { HubLinkOptions, LinkHost } from "./link-host.ts";

/** `told`: all that links were told of the interest and that stands. The log and the codec of `next` do not count: they stay. */
export function changeLink(
  link: HubLink,
  next: HubLinkOptions,
  told: () => readonly InterestEdge[],
  host: LinkHost,
  nowMs: number,
): void {
  const before = link.options;
  const { log, codec } = before;
  link.options = { ...next, ...(log === undefined ? {} : { log }), ...(codec === undefined ? {} : { codec }) };
  const { acceptor } = link.conversation;
  if (!areEqual(before.topics, next.topics) || before.routesMax !== next.routesMax) {
    link.announceEdges(nowMs);
    const ops = link.routes.retarget(next.topics, next.routesMax, told());
    link.perform(link.conversation.announce(ops, nowMs), nowMs);
  }
  acceptor.routeRetentionMs = next.routeRetentionMs;
  const edges = acceptor.routes.limit(next.routesMax);
  link.perform(
    edges.map(({ filter, up }) => ({ type: "peer_route", filter, up })),
    nowMs,
  );
  if (!areEqual(before.exportFilters, next.exportFilters)) {
    const { up, down } = link.peerDemand.retarget(next.exportFilters, acceptor.routes.effective());
    for (const filter of up) host.peerRoute(link, filter, true);
    for (const filter of down) host.peerRoute(link, filter, false);
    for (const filter of up) link.states.route(filter, true);
    for (const filter of down) link.states.route(filter, false);
  }
  link.states.changed(before, nowMs);
  link.outbound.reconfigure(link.options);
  link.inbound.pace.cap(next.drainPerSecond ?? null);
}

function areEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((filter, at) => filter === b[at]);
}
