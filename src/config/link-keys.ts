/**
 * The keys of one link, and those it shares with the local broker: what each means, what it takes, what it is when nobody
 * says anything.
 */
import { CLUSTER_NAME_PATTERN } from "../wire/names.ts";
import { group, optional, required, type Values, withDefault } from "./format.ts";
import { choice, DAY_MS, duration, FILE_NAME, flag, integer, pattern, SECRET, text } from "./formats.ts";
import { HOST_NAME, SERVERS } from "./server-format.ts";
import { CONTROL_PREFIX, LINK_TOPICS, PLAIN_FILTERS } from "./topic-formats.ts";
import { COMPRESSION_CHOICES, DURABILITIES, LINK_PROTOCOLS, RETAINED } from "./types.ts";

/** A client id may be 65,535 bytes long; brokers print and index them, and ours get endings. */
export const CLIENT_ID_BYTES_MAX = 200;
export const CONTROL_PREFIX_DEFAULT = "$LINK";
export const LATER = "comes with a later version";

export const CLIENT_ID = text(`a client id of at most ${CLIENT_ID_BYTES_MAX} bytes`, {
  bytesMax: CLIENT_ID_BYTES_MAX,
});
export const CLUSTER_NAME = pattern(
  "a name of 1 to 64 letters, digits, `-` and `_`, beginning with a letter or digit",
  "cluster name",
  CLUSTER_NAME_PATTERN,
);
/** A frame has one message at least, and never more than this many are under way. */
const FRAMES_INFLIGHT_MAX = 2_000;
const USER_NAME = text("a text");
/** What is written as 4 or 5, or left to the agent. */
const PROTOCOL_VERSION = {
  expects: "`auto` (5, then 4), `5`, or `4` (MQTT 3.1.1)",
  text: "scalar",
  parse(value: unknown, report: (message: string) => void): 4 | 5 | "auto" | undefined {
    if (value === 4 || value === 5 || value === "auto") return value;
    if (value === "3.1.1" || value === "v4") report('is called 4 here: "protocol_version: 4" is MQTT 3.1.1');
    else report('must be "auto", 5, or 4 (MQTT 3.1.1)');
    return undefined;
  },
} as const;

/** What is trusted, and who we are. */
export const TLS_KEYS = {
  cacertfile: optional(FILE_NAME, "PEM file of the authorities to trust.", {
    fallbackDoc: "those of Node.js",
  }),
  certfile: optional(FILE_NAME, "PEM file of the own certificate and its chain; needs `keyfile`."),
  keyfile: optional(FILE_NAME, "PEM file of the own private key, without a passphrase; needs `certfile`."),
  verify: withDefault(
    flag(["verify_peer"], ["verify_none"]),
    true,
    "Whether the broker's certificate must be valid. `verify_peer` and `verify_none` work too, as in EMQX.",
  ),
  servername: optional(HOST_NAME, "Name to ask for (SNI) and to expect in the certificate.", {
    fallbackDoc: "the URL's host",
  }),
} as const;

const SSL = group("TLS towards this broker; only with `mqtts://` and `wss://`.", {
  enable: optional(
    flag(),
    "For EMQX's sake: says what a `server` of the form `host:port` means, and must not contradict a URL.",
    { fallbackDoc: "as the URL says" },
  ),
  ...TLS_KEYS,
});

/** How to come in at a broker. */
export const LOGIN = {
  username: optional(USER_NAME, "User name at this broker."),
  password: optional(SECRET, "Password at this broker. Better in `password_file`.", { sensitive: true }),
  password_file: optional(FILE_NAME, "File with the password; a line end at its end does not count."),
  ssl: SSL,
  protocol_version: withDefault(PROTOCOL_VERSION, "auto", "MQTT version spoken with this broker."),
} as const;

export const LINK_KEYS = {
  name: required(CLUSTER_NAME, "The peer's `cluster`. Never the own one, and each only once."),
  enable: withDefault(
    flag(),
    true,
    "`false`: the link is off. A peer that reaches this broker is told, and drops this cluster's routes; others do after `route_retention`.",
  ),
  server: optional(
    SERVERS,
    "The peer's broker; of a list, one is tried after the other. Left out: the peer cannot be reached and dials in.",
    { fallbackDoc: "absent: the peer dials in" },
  ),
  topics: withDefault(
    LINK_TOPICS,
    [],
    "What this cluster wants to receive from the peer. `[]` receives nothing, and the link can still send.",
  ),
  export: withDefault(
    PLAIN_FILTERS,
    ["#"],
    "What may leave to this peer, whatever it asks for. `[]` lets nothing leave.",
  ),
  clientid: optional(CLIENT_ID, "Client id at the peer's broker. Each agent there needs its own.", {
    fallbackDoc: "`<local.clientid>-to-<name>`",
  }),
  ...LOGIN,
  control_prefix: withDefault(
    CONTROL_PREFIX,
    CONTROL_PREFIX_DEFAULT,
    "The peer's own `control_prefix`; only with `server`.",
  ),
  max_inflight: withDefault(
    integer(1, FRAMES_INFLIGHT_MAX),
    64,
    "Frames (batches of messages) sent and not yet confirmed by the peer's agent.",
  ),
  retry_interval: withDefault(
    duration(1_000, DAY_MS / 24),
    "15s",
    "The longest wait for the peer's confirmation before frames are sent again. The first wait is 1 s, or four round trips; it doubles from there.",
  ),
  drain_rate: optional(
    integer(1, 1_000_000),
    "Messages per second that a backlog may at most take: what waited longer than a second, on its way to the peer and from it to the local broker. What is fresh is never held back.",
    { fallbackDoc: "adaptive: half more than the live rate, at least 100" },
  ),
  max_routes: withDefault(
    integer(1, 10_000_000),
    1_000_000,
    "Filters announced to the peer, and taken from it. Past it they are widened and counted, never refused.",
  ),
  max_demand: withDefault(
    integer(1, 1_000_000),
    50_000,
    "Filters subscribed to on the local broker for this peer. Past it they are widened and counted, never refused.",
  ),
  route_retention: optional(
    duration(1_000, 30 * DAY_MS),
    "How long the routes of a silent peer stay in force, so that what is published meanwhile reaches the spool.",
    { fallbackDoc: "`spool.max_age` where `durability` is `disk`, else `60s`" },
  ),
  durability: optional(
    choice("durability", DURABILITIES),
    "When a message counts as safe, so that the local broker may forget it. `disk`: it is in `data_dir`. `memory`: it is in this agent's memory, which survives a cut of the link, not the end of the agent. `end_to_end`: the peer has it; until then it also waits in the local broker's queue, whose size is then the limit.",
    { fallbackDoc: "`disk` with `data_dir`, else `memory`" },
  ),
  retained: withDefault(
    choice("treatment of retained messages", RETAINED),
    "strip",
    "What becomes of the retain flag of the peer's messages here. `strip`: they are published without it, and the local broker stores none. `live`: they keep it, so the local broker stores the value, or forgets it if the payload is empty. Only what crosses counts: what was retained on the other side before, and what is set or cleared there while nobody here subscribes to it, does not come. `sync`: as `live`, and what is retained over there is brought over when a subscription here first asks for it; it replaces nothing that is not the peer's. Both local brokers must speak MQTT 5.",
  ),
  compression: withDefault(
    choice("compression", COMPRESSION_CHOICES),
    "auto",
    "Whether frames to the peer are compressed, if it takes compressed ones. `auto`: where it pays, which is over a wide-area link or a congested one, and not for payloads that do not shrink, with the best algorithm that both agents have. An algorithm: that one, on any link; `zstd` needs Node.js 22.15 at both ends. `none`: never, and the peer is told to send none either.",
  ),
  protocol: withDefault(
    choice("link protocol", LINK_PROTOCOLS),
    "brokerlink",
    "What is spoken with the peer. `emqx`: EMQX's own Cluster Linking, with a cluster of EMQX 5.8 or later that needs no agent; `name` is its `cluster.name`, and its link to this cluster has this `cluster` as its name and the local broker as its server. Needs `server`, and MQTT 5 on both brokers; see docs/EMQX.md.",
  ),
} as const;

export type LinkValues = Values<typeof LINK_KEYS>;

const NODE_TLS = "is EMQX's and has no counterpart: Node.js's own choice is a safe one";

/** Keys of a link that are known and not taken, and what is said of them. */
export const LINK_REFUSED: Readonly<Record<string, string>> = {
  pool_size: "is EMQX's and has no counterpart: one connection is enough here",
  resource_opts: "is EMQX's and has no counterpart: see spool",
  tcp_opts: "is EMQX's and has no counterpart here",
  "ssl.server_name_indication": "is called servername here",
  "ssl.versions": NODE_TLS,
  "ssl.ciphers": NODE_TLS,
  "ssl.depth": NODE_TLS,
  "ssl.password": "is not taken: an agent starts without a person, so the key in keyfile has no passphrase",
  url: "is called server here",
};
