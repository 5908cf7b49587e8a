/** "What happens to this topic?", answered for people: the verdicts of `hub/explain` with a sentence for each. */
import type { AgentConfig, Retained } from "../config/types.ts";
import {
  explainIn,
  explainOut,
  type HubTables,
  type InCode,
  type InVerdict,
  type OutCode,
  type OutVerdict,
} from "../hub/explain.ts";
import { matches } from "../topic/algebra.ts";
import { isReserved, topicProblem } from "../topic/filter.ts";
import type { ScanQueue } from "./scan-queue.ts";

/** Filters shown; the rest is only counted. */
const FILTERS_SHOWN_MAX = 100;

export interface HeldFilter {
  readonly filter: string;
  readonly clients: number;
}

export interface OutAnswer extends Omit<OutVerdict, "code"> {
  readonly code: OutCode | "disabled";
  readonly text: string;
}

export interface InAnswer extends Omit<InVerdict, "code"> {
  readonly code: InCode | "disabled";
  readonly text: string;
}

export interface ExplainAnswer {
  readonly topic: string;
  /** What is wrong with the topic itself; null: nothing. */
  readonly problem: string | null;
  readonly interest: {
    /** Whether every subscription is known. */
    readonly exact: boolean;
    readonly reason: string | null;
    /** Local subscriptions that match, at most 100. */
    readonly filters: readonly HeldFilter[];
    /** How many filters match. */
    readonly count: number;
    /** How many subscriptions of clients there are to all of them; a client with two counts twice. */
    readonly clients: number;
    /** There are more filters than one request may look through. */
    readonly cut: boolean;
  };
  readonly out: readonly OutAnswer[];
  readonly in: readonly InAnswer[];
}

const DISABLED = "The link is disabled.";
const BAD_TOPIC = "This is no topic that a client can publish to.";
const RESERVED = "Topics that begin with $ belong to their broker and never cross a link.";
const CONTROL = "Topics under the control prefix belong to the agents and are never forwarded.";

const OUT_TEXTS: Readonly<Record<OutCode, string>> = {
  bad_topic: BAD_TOPIC,
  reserved: RESERVED,
  control_topic: CONTROL,
  sent: "The peer wants it and listens: it leaves at once.",
  spooled: "The peer wants it and is away: QoS 1 and 2 wait in the spool for its return, QoS 0 is dropped.",
  blocked: "The peer wants it, but a broker on the way refuses our messages: QoS 1 and 2 wait in the spool.",
  not_exported: "The link's export list does not include it.",
  no_route: "Nobody on the other side has subscribed to it.",
  peer_unknown: "The peer has not said yet what it wants.",
  peer_left: "The peer has taken leave: it wants nothing.",
  subscription_refused: "The peer wants it, but the local broker refuses us the subscription that would bring it.",
  subscription_pending: "The peer wants it, and the local broker has not confirmed our subscription yet.",
};

const IN_TEXTS: Readonly<Record<InCode, string>> = {
  bad_topic: BAD_TOPIC,
  reserved: RESERVED,
  control_topic: CONTROL,
  wanted: "Somebody here has subscribed to it, and the peer has our route.",
  wide: "Not every subscription here is known for certain, so all of the link's topics are asked for.",
  widened: "There are more routes than max_routes allows, so they ask for more than is wanted.",
  not_in_topics: "The link's topics do not include it.",
  no_interest: "Nobody here has subscribed to it.",
  not_announced: "Somebody here has subscribed to it, but the peer does not listen to us now.",
  peer_left: "Somebody here has subscribed to it, but the peer has taken leave.",
  route_refused: "We ask for it, but the peer's broker refuses the peer that subscription.",
};

/** What the local broker makes of the retain flag of what comes here. */
const RETAINED_TEXTS: Readonly<Record<Retained, string>> = {
  strip: "",
  live: " The local broker stores it, if it has the retain flag.",
  sync: " The local broker stores it, if it has the retain flag; what was retained there before comes too, unless somebody else's value is stored here.",
};

/** Null: too many such questions wait already. */
export async function explainAnswer(
  topic: string,
  config: AgentConfig,
  hub: HubTables,
  scans: ScanQueue,
): Promise<ExplainAnswer | null> {
  const filters: HeldFilter[] = [];
  let [count, clients] = [0, 0];
  const problem = topicProblem(topic);
  const isNever = problem !== null || isReserved(topic);
  const scan = scans.scan(
    () => (isNever ? [] : hub.interest.holdings()),
    (held) => {
      if (!matches(held.filter, topic)) return;
      count += 1;
      clients += held.clients;
      if (filters.length < FILTERS_SHOWN_MAX) filters.push(held);
    },
  );
  if (scan === null) return null;
  const { cut } = await scan;
  const { wide } = hub.interest;
  return {
    topic,
    problem: problem === null ? null : `the topic ${problem}`,
    interest: { exact: wide === null, reason: wide?.reason ?? null, filters, count, clients, cut },
    out: config.links.map(({ name }) => outAnswer(name, topic, config, hub)),
    in: config.links.map(({ name }) => inAnswer(name, topic, config, hub)),
  };
}

function outAnswer(name: string, topic: string, { controlPrefix }: AgentConfig, hub: HubTables): OutAnswer {
  const link = hub.link(name);
  if (link === undefined) return { link: name, verdict: "not_sent", code: "disabled", text: DISABLED, route: null };
  const verdict = explainOut(hub, link, topic, controlPrefix);
  return { ...verdict, text: OUT_TEXTS[verdict.code] };
}

function inAnswer(name: string, topic: string, { controlPrefix }: AgentConfig, hub: HubTables): InAnswer {
  const link = hub.link(name);
  if (link === undefined) return { link: name, verdict: "not_wanted", code: "disabled", text: DISABLED, route: null };
  const verdict = explainIn(hub, link, topic, controlPrefix);
  const stored = verdict.verdict === "wanted" ? RETAINED_TEXTS[link.options.retained ?? "strip"] : "";
  return { ...verdict, text: `${IN_TEXTS[verdict.code]}${stored}` };
}
