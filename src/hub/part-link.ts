/**
 * The end of a link while the agent goes on: its peer is told and drops our routes, its own go. What is in its spools stays
 * there: whoever has the logs decides. Pure.
 */
import type { HubLink } from "./hub-link.ts";
import type { SavedLink } from "./saved-state.ts";

/** Answers what makes it possible to go on later, if it was only switched off. */
export function partLink(link: HubLink, nowMs: number): SavedLink {
  // What the local broker has confirmed is told to the peer before the goodbye.
  link.flush(nowMs);
  link.states.end();
  link.perform(link.conversation.goodbye("leave"), nowMs);
  const { acceptor } = link.conversation;
  const outputs = acceptor.routes.clear().map(({ filter }) => ({ type: "peer_route", filter, up: false }) as const);
  link.perform(outputs, nowMs);
  link.outbound.closed();
  const records = [...link.inbound.records()].map(([stream, record]) => ({ stream, ...record }));
  return { incarnation: acceptor.highest, routes: [], records };
}
