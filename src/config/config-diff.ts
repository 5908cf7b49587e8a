/**
 * What differs between two configurations of one agent, under the names of their keys: which links come, go and change
 * and how, and what can only change with a restart. Pure; no value is ever named, since some are secrets.
 */
import type {
  AgentConfig,
  BrokerApiConfig,
  EndpointConfig,
  LinkConfig,
  LocalConfig,
  SpoolConfig,
  TlsConfig,
} from "./types.ts";

export interface LinkChange {
  readonly before: LinkConfig;
  readonly after: LinkConfig;
  /** As in the file: `topics`, `ssl.certfile`. */
  readonly keys: readonly string[];
  /** `renew`: the next connection uses other secrets. `replace`: the connection has to be made anew. */
  readonly connection: "keep" | "renew" | "replace";
}

export interface ConfigDiff {
  /** Whole names of keys (`local.server`) that cannot change while the agent runs. */
  readonly needsRestart: readonly string[];
  /** Whole names of the keys beside those of links that change. */
  readonly keys: readonly string[];
  readonly added: readonly LinkConfig[];
  readonly removed: readonly LinkConfig[];
  readonly changed: readonly LinkChange[];
  readonly isEmpty: boolean;
}

type Names<T, Without extends keyof T = never> = Readonly<Record<Exclude<keyof T, Without>, string>>;

const LINK_NAMES: Names<LinkConfig, "name" | "endpoint"> = {
  protocol: "protocol",
  enable: "enable",
  topics: "topics",
  exportFilters: "export",
  controlPrefix: "control_prefix",
  routesMax: "max_routes",
  demandMax: "max_demand",
  routeRetentionMs: "route_retention",
  durability: "durability",
  retained: "retained",
  framesInflightMax: "max_inflight",
  retryIntervalMs: "retry_interval",
  drainPerSecond: "drain_rate",
  compression: "compression",
};
const ENDPOINT_NAMES: Names<EndpointConfig, "tls"> = {
  urls: "server",
  clientid: "clientid",
  username: "username",
  password: "password",
  protocolVersion: "protocol_version",
};
const TLS_NAMES: Names<TlsConfig> = {
  ca: "ssl.cacertfile",
  cert: "ssl.certfile",
  key: "ssl.keyfile",
  verify: "ssl.verify",
  servername: "ssl.servername",
};
const API_NAMES: Names<BrokerApiConfig, "tls"> = {
  urls: "server",
  key: "key",
  secret: "secret",
  pollIntervalMs: "poll_interval",
  timeoutMs: "timeout",
};
const LOCAL_NAMES: Names<LocalConfig, keyof EndpointConfig | "api"> = {
  broker: "broker",
  ignoreClients: "ignore_clients",
  untrackedSubscriptions: "untracked_subscriptions",
  interestAtStart: "interest_at_start",
  trustAfterMs: "trust_after",
  eventsTopic: "events_topic",
  filters: "filters",
};
const SPOOL_NAMES: Names<SpoolConfig> = { bytesMax: "max_bytes", ageMaxMs: "max_age", whenFull: "when_full" };
const TOP_NAMES = { cluster: "cluster", controlPrefix: "control_prefix", dataDir: "data_dir" } as const;
const HTTP_NAMES = { host: "http.host", port: "http.port" } as const;

/** What proves who we are, or who the broker is: a connection that stands needs it no more. */
const SECRETS: ReadonlySet<string> = new Set([
  "password",
  "ssl.cacertfile",
  "ssl.certfile",
  "ssl.keyfile",
  "api.key",
  "api.secret",
  "api.ssl.cacertfile",
  "api.ssl.certfile",
  "api.ssl.keyfile",
]);

export function configDiff(before: AgentConfig, after: AgentConfig): ConfigDiff {
  const local = [
    ...endpointKeys(before.local, after.local),
    ...differing(LOCAL_NAMES, before.local, after.local),
    ...below("api", apiKeys(before.local.api, after.local.api)),
  ];
  const needsRestart = [
    ...differing(TOP_NAMES, before, after),
    ...below(
      "local",
      local.filter((key) => !SECRETS.has(key)),
    ),
    ...differing(HTTP_NAMES, before.http, after.http),
  ];
  const keys = [
    ...below(
      "local",
      local.filter((key) => SECRETS.has(key)),
    ),
    ...below("spool", differing(SPOOL_NAMES, before.spool, after.spool)),
    ...(before.http.token === after.http.token ? [] : ["http.token_file"]),
    ...(before.logLevel === after.logLevel ? [] : ["log.level"]),
  ];
  const names = new Map(before.links.map((link) => [link.name, link]));
  const added = after.links.filter(({ name }) => !names.has(name));
  const kept = new Set(after.links.map(({ name }) => name));
  const removed = before.links.filter(({ name }) => !kept.has(name));
  const changed: LinkChange[] = [];
  for (const link of after.links) {
    const earlier = names.get(link.name);
    const change = earlier === undefined ? null : linkChange(earlier, link);
    if (change === null) continue;
    changed.push(change);
    // Its messages would have to move from one log to another, under other numbers.
    const moves = (earlier?.durability === "disk") !== (link.durability === "disk");
    if (moves) needsRestart.push(`links.${link.name}.durability`);
    // Who speaks for the peer, and what its numbers mean, is another then.
    if (change.keys.includes(LINK_NAMES.protocol)) needsRestart.push(`links.${link.name}.protocol`);
    // It was agreed on with the peer when both greeted.
    if (change.keys.includes(LINK_NAMES.compression)) needsRestart.push(`links.${link.name}.compression`);
  }
  const isEmpty = [needsRestart, keys, added, removed, changed].every(({ length }) => length === 0);
  return { needsRestart, keys, added, removed, changed, isEmpty };
}

function linkChange(before: LinkConfig, after: LinkConfig): LinkChange | null {
  const own = differing(LINK_NAMES, before, after);
  const reach =
    before.endpoint === null || after.endpoint === null
      ? before.endpoint === after.endpoint
        ? []
        : ["server"]
      : endpointKeys(before.endpoint, after.endpoint);
  const keys = [...own, ...reach];
  if (keys.length === 0) return null;
  const isOther = own.includes("control_prefix") || reach.some((key) => !SECRETS.has(key));
  return { before, after, keys, connection: isOther ? "replace" : reach.length > 0 ? "renew" : "keep" };
}

function endpointKeys(before: EndpointConfig, after: EndpointConfig): string[] {
  return [...differing(ENDPOINT_NAMES, before, after), ...tlsKeys(before.tls, after.tls)];
}

function apiKeys(before: BrokerApiConfig | null, after: BrokerApiConfig | null): string[] {
  if (before === null || after === null) return before === after ? [] : ["server"];
  return [...differing(API_NAMES, before, after), ...tlsKeys(before.tls, after.tls)];
}

function tlsKeys(before: TlsConfig | null, after: TlsConfig | null): string[] {
  if (before !== null && after !== null) return differing(TLS_NAMES, before, after);
  return before === after ? [] : ["ssl.enable"];
}

function differing<K extends string>(
  names: Readonly<Record<K, string>>,
  before: Readonly<Record<NoInfer<K>, unknown>>,
  after: Readonly<Record<NoInfer<K>, unknown>>,
): string[] {
  return (Object.keys(names) as K[]).filter((key) => !isSame(before[key], after[key])).map((key) => names[key]);
}

/** Of plain values and lists of them. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function below(group: string, keys: readonly string[]): string[] {
  return keys.map((key) => `${group}.${key}`);
}
