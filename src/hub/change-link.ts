/**
 * Another configuration for a link that goes on: what is under way, in the spool and in the records stays, and the peer
 * hears of the difference only. Where the interest meets old and new topics alike, nothing is told at all. Pure.
 */
import type { InterestEdge } from "../route/interest-event.ts";
import type { HubLink } from "./hub-link.ts";
import type { HubLinkOptions } from "./link-host.ts";

/** `told`: all that links were told of the interest and that stands. The logs and the codec of `next` do not count: they stay. */
export function changeLink(
  link: HubLink,
  next: HubLinkOptions,
  told: () => readonly InterestEdge[],
  nowMs: number,
): void {
  const before = link.options;
  const { logs, codec } = before;
  link.options = { ...next, ...(logs === undefined ? {} : { logs }), ...(codec === undefined ? {} : { codec }) };
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
    for (const filter of up) link.serve(filter, true);
    for (const filter of down) link.serve(filter, false);
  }
  link.outbound.reconfigure(link.options);
  link.inbound.pace.cap(next.drainPerSecond ?? null);
  link.states.reconfigured(nowMs);
}

function areEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((filter, at) => filter === b[at]);
}
