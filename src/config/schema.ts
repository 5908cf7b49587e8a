/**
 * Every key of the configuration. The docs, the environment variables, the checks and the types all come from here and
 * from link-keys.ts.
 */

import { API_SERVERS } from "./api-server-format.ts";
import { group, optional, required, type Values, withDefault } from "./format.ts";
import { bytes, choice, DAY_MS, DIRECTORY_NAME, duration, FILE_NAME, integer, list, SECRET, text } from "./formats.ts";
import { CLIENT_ID, CLUSTER_NAME, CONTROL_PREFIX_DEFAULT, LATER, LINK_REFUSED, LOGIN, TLS_KEYS } from "./link-keys.ts";
import { LINKS } from "./links-format.ts";
import { LISTEN_HOST, SERVERS } from "./server-format.ts";
import { CLIENT_FILTERS, CONTROL_PREFIX, EVENTS_FILTER } from "./topic-formats.ts";
import { BROKER_KINDS, LOG_LEVELS, SPOOL_POLICIES } from "./types.ts";

const IGNORED_CLIENTS_MAX = 1_000;
const KIB = 2 ** 10;
/** The machine's own limit comes first. */
const SPOOL_BYTES_MAX = 2 ** 40;

export const AGENT_KEYS = {
  cluster: required(CLUSTER_NAME, "This cluster's unique name."),
  control_prefix: withDefault(
    CONTROL_PREFIX,
    CONTROL_PREFIX_DEFAULT,
    "Where agents talk on the local broker: `<prefix>/v1/<to>/<from>/…`. Nothing below it is ever forwarded.",
  ),
  data_dir: optional(
    DIRECTORY_NAME,
    "Directory for messages and state, which then outlive the agent. Made if it is not there, closed to other users, and for one agent only. Relative to the working directory.",
    { fallbackDoc: "absent: in memory" },
  ),
  local: group("The broker that this agent stands beside.", {
    server: required(SERVERS, "The local broker; of a list, one is tried after the other."),
    broker: required(
      choice("kind of broker", BROKER_KINDS),
      "How the broker tells of its clients' subscriptions: Mosquitto's log topics, Aedes with JSON in `$SYS`, EMQX's event messages, the same `events` on a topic of your choice, or `static` filters.",
    ),
    clientid: optional(
      CLIENT_ID,
      "Beginning of all client ids of this agent: `-events`, `-link`, `-data`, `-retained` are added.",
      {
        fallbackDoc: "`brokerlink-<cluster>`",
      },
    ),
    ...LOGIN,
    ignore_clients: withDefault(
      list(text("a pattern"), "patterns of client ids", IGNORED_CLIENTS_MAX),
      [],
      "Client ids whose subscriptions do not count, such as other bridges. `*` stands for any text. Not for `broker: static`.",
    ),
    untracked_subscriptions: withDefault(
      integer(0, 1_000_000),
      0,
      "Only for `broker: mosquitto`: filters that the broker counts and never announces, such as those of its own bridges.",
    ),
    interest_at_start: withDefault(
      choice("state at the start", ["unknown", "none"]),
      "unknown",
      "`none`: the agent is always there before any client. `unknown`: it asks for all of `topics` until it knows better. Not for `broker: static`.",
    ),
    trust_after: withDefault(
      duration(1_000, 30 * DAY_MS, true),
      "never",
      "After this time the agent trusts what it has seen of its clients, without proof that it is all. Not for `broker: static`.",
    ),
    events_topic: optional(
      EVENTS_FILTER,
      "Only for `broker: events`, and needed there: where the events are published.",
    ),
    filters: withDefault(
      CLIENT_FILTERS,
      [],
      "Only for `broker: static`, and needed there: what the clients are taken to subscribe to.",
    ),
    api: group(
      "Only for `broker: emqx`: its REST API, which lists what clients subscribe to. It proves the interest complete, and mends what EMQX's events do not say. See [EMQX.md](EMQX.md).",
      {
        server: optional(
          API_SERVERS,
          "Address of the API; of a list, one is tried after the other. `/api/v5` is added to it.",
          { fallbackDoc: "absent: events alone" },
        ),
        key: optional(text("a text"), "The API key. A `viewer` is enough."),
        secret: optional(SECRET, "Its secret. Better in `secret_file`.", { sensitive: true }),
        secret_file: optional(FILE_NAME, "File with the secret; a line end at its end does not count."),
        poll_interval: withDefault(
          duration(2_000, DAY_MS / 24),
          "30s",
          "From the end of one list to the beginning of the next.",
        ),
        timeout: withDefault(
          duration(1_000, 300_000),
          "15s",
          "How long one page of the list may take, which is 5,000 subscriptions.",
        ),
        ssl: group("TLS towards the API; only with `https://`.", TLS_KEYS),
      },
    ),
  }),
  links: withDefault(LINKS, [], "One entry for each peer."),
  spool: group("Messages that a peer has not confirmed, for each link.", {
    max_bytes: optional(
      bytes(64 * KIB, SPOOL_BYTES_MAX),
      "Size of one link's spool: on disk, or heap memory where `durability` is not `disk`.",
      { fallbackDoc: "`1GiB` with `data_dir`, else `128MiB`" },
    ),
    max_age: withDefault(duration(1_000, 30 * DAY_MS), "24h", "Older messages are dropped and counted."),
    when_full: withDefault(
      choice("policy of a full spool", SPOOL_POLICIES),
      "drop_oldest",
      "What happens when there is no room: the oldest messages go, or the newest, and every drop is counted. `backpressure`: nothing more is acknowledged to the local broker until there is room, so that its own queue holds the rest; size that queue for it.",
    ),
  }),
  http: group("Health, metrics and the API.", {
    host: withDefault(
      LISTEN_HOST,
      "127.0.0.1",
      "Address to listen on. Anywhere but on this machine's own, the API answers only with a token.",
    ),
    port: withDefault(integer(0, 65_535), 9464, "Port to listen on; `0` takes any free one."),
    token_file: optional(FILE_NAME, "File with the token that the API asks for."),
  }),
  log: group("The log, as JSON lines on stderr.", {
    level: withDefault(choice("log level", LOG_LEVELS), "info", "The least that is logged."),
  }),
} as const;

export type AgentValues = Values<typeof AGENT_KEYS>;

/** Keys that are known and not taken, and what is said of them. */
export const AGENT_REFUSED: Readonly<Record<string, string>> = {
  "local.publish_server": LATER,
  ...prefixed("local.", "ssl."),
  ...prefixed("local.api.", "ssl."),
  "local.api.url": "is called server here",
  "local.api.username": "is called key here",
  "local.api.password": "is called secret here",
  "local.url": "is called server here",
  "http.token": "never stands in the configuration itself: put the token into a file and name it in token_file",
};

/** Those refusals of a link's keys that begin with `group`, for another place. */
function prefixed(place: string, group: string): Record<string, string> {
  const entries = Object.entries(LINK_REFUSED).filter(([key]) => key.startsWith(group));
  return Object.fromEntries(entries.map(([key, why]) => [`${place}${key}`, why]));
}
