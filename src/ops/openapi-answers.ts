/** The schemas of what EMQX's API has not: overview, routes, explanations, clients, drain reports, errors. */
import { BROKER_KINDS } from "../config/types.ts";
import { COUNT, FLAG, type JsonSchema, list, object, oneOf, orNull, ref, said, TEXT, TIME } from "./json-schema.ts";

const NEVER = ["bad_topic", "reserved", "control_topic", "disabled"] as const;
const OUT_CODE = oneOf(
  "sent",
  "spooled",
  "blocked",
  "not_exported",
  "no_route",
  "peer_unknown",
  "peer_left",
  "subscription_refused",
  "subscription_pending",
  ...NEVER,
);
const IN_CODE = oneOf(
  "wanted",
  "wide",
  "widened",
  "not_announced",
  "peer_left",
  "route_refused",
  "not_in_topics",
  "no_interest",
  ...NEVER,
);

const SESSION = object({ up: FLAG, reason: orNull(TEXT) });
const META = object({
  page: COUNT,
  limit: COUNT,
  count: COUNT,
  hasnext: FLAG,
  cut: said(FLAG, "The table is larger than one request may look through."),
});

export const ANSWER_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Error: object({ code: TEXT, message: TEXT }),
  Overview: object({
    at: TIME,
    cluster: TEXT,
    version: TEXT,
    ready: FLAG,
    stopping: FLAG,
    started_at: TIME,
    editable: FLAG,
    read_only_reason: orNull(TEXT),
    local: object({
      broker: oneOf(...BROKER_KINDS),
      server: TEXT,
      sessions: object({ events: SESSION, link: SESSION, data: SESSION }),
      wide: said(
        orNull(object({ reason: TEXT, since: TIME, text: TEXT })),
        "Why links ask for all of their topics; null: every subscription is known.",
      ),
      subscriptions: COUNT,
      clients: COUNT,
      duplicate_agent: FLAG,
      control_denied: orNull(TEXT),
      events_advice: orNull(TEXT),
      api_problem: orNull(TEXT),
      disk_problem: orNull(TEXT),
      problems: list(object({ link: orNull(TEXT), code: TEXT, count: COUNT })),
    }),
    links: list(ref("Link")),
  }),
  RoutePage: object({
    data: list(
      object({
        link: TEXT,
        direction: oneOf("out", "in"),
        filter: TEXT,
        groups: list(TEXT),
        refused: said(orNull(COUNT), "Reason code of the broker that refuses to serve the route."),
      }),
    ),
    meta: META,
  }),
  Explanation: object({
    topic: TEXT,
    problem: orNull(TEXT),
    interest: object({
      exact: FLAG,
      reason: orNull(TEXT),
      filters: list(object({ filter: TEXT, clients: COUNT })),
      count: COUNT,
      clients: COUNT,
      cut: FLAG,
    }),
    out: list(
      object({ link: TEXT, verdict: oneOf("sent", "not_sent"), code: OUT_CODE, text: TEXT, route: orNull(TEXT) }),
    ),
    in: list(
      object({ link: TEXT, verdict: oneOf("wanted", "not_wanted"), code: IN_CODE, text: TEXT, route: orNull(TEXT) }),
    ),
  }),
  ClientPage: object({
    data: list(object({ clientid: TEXT, filter: TEXT, state: oneOf("connected", "away", "unknown"), certain: FLAG })),
    meta: META,
  }),
  DrainReport: object({
    link: TEXT,
    spool_messages: COUNT,
    spool_bytes: COUNT,
    oldest_at: orNull(TIME),
    peer_confirmed_all: FLAG,
    local_clients_with_interest: COUNT,
    sessions_away_with_interest: COUNT,
    broker_queued: { type: "null" },
    safe_to_switch_off: FLAG,
    reasons: list(TEXT),
  }),
  Status: said({ type: "object" }, "Everything the agent knows of itself, raw. May change with any version."),
};
