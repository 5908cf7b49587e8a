/**
 * A link as scripts written for EMQX send it, in the keys of our configuration. An answer of ours may come back as it is:
 * what it tells of the link's state is no setting. EMQX's own tuning has no counterpart here and is left out, and said.
 */
import type { JsonObject } from "./json-body.ts";

/** What answers have and requests need not. */
const STATE_KEYS: ReadonlySet<string> = new Set(["status", "node_status", "brokerlink"]);
const EMQX_KEYS: ReadonlySet<string> = new Set(["pool_size", "resource_opts", "tcp_opts", "ps_actor_incarnation"]);
/** Node.js's own choice stands for these. */
const EMQX_SSL_KEYS: ReadonlySet<string> = new Set([
  "ciphers",
  "depth",
  "hibernate_after",
  "log_level",
  "reuse_sessions",
  "secure_renegotiate",
  "versions",
]);
/** Between two addresses of an answer's `server`. */
const NEXT_SERVER = /,(?=(?:mqtts?|wss?):\/\/)/;

export interface LinkBody {
  readonly link: JsonObject;
  /** Keys of EMQX that were left out. */
  readonly ignored: readonly string[];
}

export function linkBody(body: JsonObject): LinkBody {
  const ignored: string[] = [];
  const link: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(body)) {
    if (STATE_KEYS.has(key)) continue;
    if (EMQX_KEYS.has(key)) ignored.push(key);
    else link[key] = key === "ssl" ? sslBody(value, ignored) : value;
  }
  const { server, ssl } = link;
  if (typeof server === "string" && NEXT_SERVER.test(server)) link["server"] = server.split(NEXT_SERVER);
  // Where the peer dials in there is nothing to encrypt, and EMQX says so of every link.
  if (server === undefined && isOff(ssl)) delete link["ssl"];
  return { link: { ...link }, ignored };
}

function sslBody(value: unknown, ignored: string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const ssl: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    if (EMQX_SSL_KEYS.has(key)) ignored.push(`ssl.${key}`);
    else ssl[key] = item;
  }
  return { ...ssl };
}

function isOff(ssl: unknown): boolean {
  return typeof ssl === "object" && ssl !== null && "enable" in ssl && ssl.enable === false;
}
