/**
 * What would become of a message on a topic, by the tables that forwarding itself goes by: what is answered here is what
 * happens, or would with the next message. Pure, and changes nothing.
 */
import type { Demand } from "../route/demand.ts";
import type { Interest } from "../route/interest.ts";
import type { RouteTable } from "../route/route-table.ts";
import { matches } from "../topic/algebra.ts";
import { isReserved, topicProblem } from "../topic/filter.ts";
import { underPrefix } from "../wire/names.ts";
import type { HubLink } from "./hub-link.ts";

/** The hub's tables, for reading. */
export interface HubTables {
  readonly interest: Interest;
  readonly demand: Demand;
  readonly table: RouteTable;
  links(): Iterable<HubLink>;
  link(name: string): HubLink | undefined;
}

/** Why no message on the topic crosses any link. */
type NeverCode = "bad_topic" | "reserved" | "control_topic";

/** What becomes of a message that a local client publishes, for one peer. */
export type OutCode =
  | NeverCode
  /** Leaves at once. */
  | "sent"
  /** The peer is away: reliable messages wait in the spool, best-effort ones are dropped. */
  | "spooled"
  /** A broker on the way refuses our frames: as with `spooled`. */
  | "blocked"
  /** The export list keeps it here. */
  | "not_exported"
  /** The peer has announced no route that matches. */
  | "no_route"
  /** It has announced nothing yet. */
  | "peer_unknown"
  /** It took leave, or its link with us is disabled or gone. */
  | "peer_left"
  /** The local broker refuses us the subscription that would bring it. */
  | "subscription_refused"
  /** The local broker has not confirmed that subscription yet. */
  | "subscription_pending";

/** What becomes of a message that a client of the peer publishes there. */
export type InCode =
  | NeverCode
  /** Somebody here holds a matching subscription. */
  | "wanted"
  /** Not every subscription is known, so all of the link's topics are asked for. */
  | "wide"
  /** More routes than `max_routes`: they are cut to fewer levels. */
  | "widened"
  /** The link's topics do not include it. */
  | "not_in_topics"
  /** Nobody here subscribes to it. */
  | "no_interest"
  /** The route is not with the peer: it does not listen to us now. */
  | "not_announced"
  /** The peer took leave: nothing of it is taken until it greets anew. */
  | "peer_left"
  /** The peer's broker refuses the peer that subscription. */
  | "route_refused";

export interface OutVerdict {
  readonly link: string;
  readonly verdict: "sent" | "not_sent";
  readonly code: OutCode;
  /** The peer's route, cut to what is exported, that the message takes. */
  readonly route: string | null;
}

export interface InVerdict {
  readonly link: string;
  readonly verdict: "wanted" | "not_wanted";
  readonly code: InCode;
  /** Our route that the message would take. */
  readonly route: string | null;
}

/** What is wrong with the topic for every link; null: nothing. */
function neverCode(topic: string, controlPrefix: string): NeverCode | null {
  if (topicProblem(topic) !== null) return "bad_topic";
  if (underPrefix(controlPrefix, topic)) return "control_topic";
  return isReserved(topic) ? "reserved" : null;
}

/** Would a message that a local client publishes now go to the link's peer? */
export function explainOut(hub: HubTables, link: HubLink, topic: string, controlPrefix: string): OutVerdict {
  const never = neverCode(topic, controlPrefix);
  const no = (code: OutCode, route: string | null = null): OutVerdict => {
    return { link: link.name, verdict: "not_sent", code, route };
  };
  if (never !== null) return no(never);
  if (!link.exports(topic)) return no("not_exported");
  const route = routeOf(hub.table, link.name, topic);
  if (route === null) return no(whyNoRoute(link));
  const demand = hub.demand.memory.heldFor(topic);
  if (demand !== "held") {
    const isRefused = demand === "refused" || hub.demand.refusedWith(route) !== null;
    return no(isRefused ? "subscription_refused" : "subscription_pending", route);
  }
  return { link: link.name, verdict: "sent", code: howSent(link), route };
}

/** Would a message that a client of the link's peer publishes there come here? */
export function explainIn(hub: HubTables, link: HubLink, topic: string, controlPrefix: string): InVerdict {
  const never = neverCode(topic, controlPrefix);
  const no = (code: InCode): InVerdict => ({ link: link.name, verdict: "not_wanted", code, route: null });
  if (never !== null) return no(never);
  if (!link.options.topics.some((filter) => matches(filter, topic))) return no("not_in_topics");
  const route = link.routes.routeFor(topic);
  if (route === null) return no("no_interest");
  return { link: link.name, verdict: "wanted", code: howWanted(hub, link, route), route };
}

function routeOf(table: RouteTable, peer: string, topic: string): string | null {
  // The answer that forwarding goes by; the filter behind it is for people.
  if (!table.match(topic).includes(peer)) return null;
  let route: string | null = null;
  table.visit(topic, (filter, peers) => {
    if (peers.includes(peer) && (route === null || filter.length > route.length)) route = filter;
  });
  return route;
}

function whyNoRoute({ conversation: { acceptor } }: HubLink): OutCode {
  if (acceptor.state === "left") return "peer_left";
  return acceptor.complete ? "no_route" : "peer_unknown";
}

function howSent({ outbound, passage }: HubLink): OutCode {
  if (passage.outward !== null) return "blocked";
  return outbound.isOpen ? "sent" : "spooled";
}

function howWanted(hub: HubTables, link: HubLink, route: string): InCode {
  if (link.conversation.acceptor.state === "left") return "peer_left";
  if (link.refused.reasonCode(route) !== null) return "route_refused";
  if (link.conversation.announcer.state !== "online") return "not_announced";
  if (hub.interest.wide !== null) return "wide";
  return link.routes.widened ? "widened" : "wanted";
}
