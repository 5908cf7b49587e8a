/** The schemas of a link: what is set, what is answered, its metrics in EMQX's words. */
import { COMPRESSION_CHOICES, DURABILITIES, LINK_PROTOCOLS, RETAINED } from "../config/types.ts";
import { COMPRESSIONS } from "../wire/compression.ts";
import {
  AMOUNT,
  COUNT,
  DURATION,
  FLAG,
  type JsonSchema,
  list,
  object,
  oneOf,
  orNull,
  ref,
  said,
  TEXT,
  TIME,
} from "./json-schema.ts";

const STATUS = oneOf("connected", "connecting", "disconnected", "inconsistent");
const FILTERS = list(TEXT);

const SECRET = said(TEXT, "Answered as `******`, which, sent back, keeps what is set.");

const SETTINGS = {
  name: said({ ...TEXT, pattern: "^[0-9A-Za-z][-0-9A-Za-z_]{0,63}$" }, "The peer's cluster."),
  enable: FLAG,
  server: said(TEXT, "The peer's broker; of several, with commas between. Absent: the peer dials in."),
  clientid: TEXT,
  username: TEXT,
  password: SECRET,
  ssl: object(
    {
      enable: FLAG,
      verify: oneOf("verify_peer", "verify_none"),
      servername: TEXT,
      cacertfile: SECRET,
      certfile: SECRET,
      keyfile: SECRET,
    },
    ["verify", "servername", "cacertfile", "certfile", "keyfile"],
  ),
  topics: said(FILTERS, "What this cluster wants to receive from the peer."),
  max_inflight: COUNT,
  retry_interval: DURATION,
  export: said(FILTERS, "What may leave to the peer."),
  control_prefix: TEXT,
  protocol_version: { enum: [4, 5, "auto"] },
  drain_rate: COUNT,
  max_routes: COUNT,
  max_demand: COUNT,
  route_retention: DURATION,
  durability: oneOf(...DURABILITIES),
  retained: oneOf(...RETAINED),
  compression: oneOf(...COMPRESSION_CHOICES),
  protocol: oneOf(...LINK_PROTOCOLS),
} satisfies Record<string, JsonSchema>;

const DIALLED_ONLY = ["server", "clientid", "username", "password", "control_prefix", "protocol_version"];

const TRAFFIC = object({
  messages: COUNT,
  frames: COUNT,
  bytes: COUNT,
  plain_bytes: said(COUNT, "Before compression."),
  frames_compressed: COUNT,
});

const DETAIL = object({
  peer_dials_in: FLAG,
  shortcomings: said(list(TEXT), "What the link's protocol cannot do, and ours can: see docs/EMQX.md."),
  transport_up: FLAG,
  connections: orNull(COUNT),
  interest: object({ exact: FLAG, reason: orNull(TEXT), since: orNull(TIME) }),
  out: orNull(
    object({
      state: TEXT,
      refused_with: orNull(TEXT),
      blocked: orNull(TEXT),
      routes: COUNT,
      last_op: COUNT,
      acked_op: COUNT,
      widened: FLAG,
    }),
  ),
  in: orNull(
    object({
      state: TEXT,
      blocked: orNull(TEXT),
      routes: COUNT,
      applied_op: COUNT,
      complete: FLAG,
      widened: FLAG,
      heard_at: orNull(TIME),
      agent_version: orNull(TEXT),
    }),
  ),
  compression: said(orNull(oneOf(...COMPRESSIONS)), "What frames leave with now; null: uncompressed."),
  retained: said(
    orNull(
      object({
        wanted: FLAG,
        blocked: said(orNull(TEXT), "Why there is none although it is wanted."),
        waiting: COUNT,
        readings: COUNT,
        sent: COUNT,
        published: COUNT,
        skipped: list(object({ direction: oneOf("out", "in"), reason: TEXT, count: COUNT })),
      }),
    ),
    "What became of `retained: sync`, here and for the peer.",
  ),
  queue: orNull(
    object({
      spool_messages: COUNT,
      spool_bytes: COUNT,
      spool_oldest_at: orNull(TIME),
      messages_inflight: COUNT,
      best_effort_messages: COUNT,
      inbound_messages: COUNT,
      held_messages: said(COUNT, "Held back for a moment, to see whether they circle."),
      held_bytes: COUNT,
      round_trip_ms: AMOUNT,
    }),
  ),
  counters: orNull(
    object({
      sent: TRAFFIC,
      received: TRAFFIC,
      frames_resent: COUNT,
      messages_settled: COUNT,
      messages_republished: COUNT,
      causality_timeouts: COUNT,
      dropped: list(object({ direction: oneOf("out", "in"), reason: TEXT, count: COUNT })),
      holds_cut_short: said(
        list(object({ reason: TEXT, count: COUNT })),
        "Holds that a limit ended before their time; their messages went on.",
      ),
      conversation: list(object({ what: TEXT, count: COUNT })),
    }),
  ),
  refused_routes: list(object({ filter: TEXT, reason_code: COUNT })),
  last_problem: orNull(object({ code: TEXT, reason: TEXT, at: TIME })),
  history: said(list(object({ at: TIME, from: STATUS, to: STATUS, why: TEXT })), "The last 50 changes, newest last."),
});

const FORWARDING = object({
  matched: COUNT,
  success: COUNT,
  failed: COUNT,
  dropped: COUNT,
  retried: COUNT,
  queuing: COUNT,
  inflight: COUNT,
  rate: AMOUNT,
  rate_last5m: AMOUNT,
  rate_max: AMOUNT,
});

export const LINK_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Link: said(
    object(
      {
        ...SETTINGS,
        status: said(STATUS, "True for both halves: our routes at the peer, and the peer's here."),
        node_status: list(object({ node: TEXT, status: STATUS, reason: TEXT }, ["reason"])),
        brokerlink: DETAIL,
      },
      [...DIALLED_ONLY, "drain_rate"],
    ),
    "A link as it is set, and how it is.",
  ),
  LinkSettings: {
    type: "object",
    properties: { ...SETTINGS, ssl: { type: "object" } },
    description:
      "As in the configuration file (docs/CONFIG.md). An answer may be sent back: what it says of the link's state is left out, and so are EMQX's settings that have no counterpart here; the header Brokerlink-Ignored names them.",
  },
  LinkMetrics: object({
    metrics: ref("Metrics"),
    node_metrics: list(object({ node: TEXT, metrics: ref("Metrics") })),
  }),
  Metrics: said(
    object({ router: object({ routes: COUNT }), forwarding: FORWARDING }),
    "`routes`: announced by the peer. Counted since the link began, or since the last reset; rates are messages per second.",
  ),
  LinkChange: object({ link: TEXT, at: TIME, from: STATUS, to: STATUS, why: TEXT }),
};
