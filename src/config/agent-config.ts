/** From checked values to the AgentConfig: what one key says about another is checked here, over all links. */
import { underPrefix } from "../wire/names.ts";
import { brokerApi, endpoint } from "./endpoint.ts";
import type { FileValues } from "./file-values.ts";
import { CLIENT_ID_BYTES_MAX, CONTROL_PREFIX_DEFAULT, type LinkValues } from "./link-keys.ts";
import { quoted } from "./printable.ts";
import type { ProblemList } from "./problem.ts";
import type { AgentValues } from "./schema.ts";
import type { AgentConfig, BrokerKind, HttpConfig, LinkConfig, LocalConfig } from "./types.ts";

/** Stands in for a name or address that is missing: what is built with it is thrown away with the problems. */
const MISSING = "missing";

/** Of one link, when nobody says anything. */
const HEAP_SPOOL_BYTES = 128 * 2 ** 20;
const DISK_SPOOL_BYTES = 2 ** 30;
/** Routes kept for longer would fill a spool that does not outlive the agent. */
const HEAP_ROUTE_RETENTION_MS = 60_000;

/** Complete and meaningful only if `problems` stays empty. */
export function agentConfig(values: AgentValues, files: FileValues, problems: ProblemList): AgentConfig {
  const cluster = values.cluster ?? MISSING;
  const clientid = values.local.clientid ?? `brokerlink-${cluster}`;
  const dataDir = values.data_dir;
  if (dataDir !== null) files.folder(dataDir, ["data_dir"]);
  const local = localConfig(values, clientid, files, problems);
  const links = values.links.flatMap((link, index) =>
    link === null ? [] : [linkConfig(link, index, values, clientid, files, problems)],
  );
  reportNames(values, problems);
  return {
    cluster,
    controlPrefix: values.control_prefix,
    dataDir,
    local,
    links,
    spool: {
      bytesMax: values.spool.max_bytes ?? (dataDir === null ? HEAP_SPOOL_BYTES : DISK_SPOOL_BYTES),
      ageMaxMs: values.spool.max_age,
      whenFull: values.spool.when_full,
    },
    http: httpConfig(values, files, problems),
    logLevel: values.log.level,
  };
}

function localConfig(values: AgentValues, clientid: string, files: FileValues, problems: ProblemList): LocalConfig {
  const { local } = values;
  const broker = local.broker ?? "static";
  reportNeeds(values, problems);
  return {
    ...endpoint(local.server ?? [], clientid, local, ["local"], files, problems),
    broker,
    ignoreClients: local.ignore_clients,
    untrackedSubscriptions: local.untracked_subscriptions,
    interestAtStart: local.interest_at_start,
    trustAfterMs: Number.isFinite(local.trust_after) ? local.trust_after : null,
    eventsTopic: local.events_topic,
    filters: local.filters,
    api: brokerApi(local.api, ["local", "api"], files, problems),
  };
}

/** What only some kinds of broker need or can use: a key without effect is a mistake. */
function reportNeeds({ local }: AgentValues, problems: ProblemList): void {
  const { broker } = local;
  if (broker === null) return;
  const say = (key: string, message: string): void => {
    const at = ["local", key];
    if (!problems.hasBelow(at)) problems.add(at, message);
  };
  const only = (key: string, kind: BrokerKind, isGiven: boolean): void => {
    if (broker !== kind && isGiven) say(key, `is only for "broker: ${kind}", and the broker is "${broker}"`);
  };
  if (broker === "events" && local.events_topic === null) say("events_topic", 'is missing: "broker: events" needs it');
  if (broker === "static" && local.filters.length === 0) {
    say("filters", 'is missing: "broker: static" needs at least one filter');
  }
  only("events_topic", "events", local.events_topic !== null);
  only("filters", "static", local.filters.length > 0);
  only(
    "api",
    "emqx",
    [local.api.server, local.api.key, local.api.secret, local.api.secret_file].some((value) => value !== null),
  );
  only("untracked_subscriptions", "mosquitto", local.untracked_subscriptions > 0);
  if (broker !== "static") return;
  const noUse = 'has no effect with "broker: static", whose filters are fixed';
  if (local.ignore_clients.length > 0) say("ignore_clients", noUse);
  if (local.interest_at_start !== "unknown") say("interest_at_start", noUse);
  if (Number.isFinite(local.trust_after)) say("trust_after", noUse);
}

function linkConfig(
  link: LinkValues,
  index: number,
  values: AgentValues,
  localClientId: string,
  files: FileValues,
  problems: ProblemList,
): LinkConfig {
  const at = ["links", index];
  const name = link.name ?? MISSING;
  for (const [key, filters] of [
    ["topics", link.topics],
    ["export", link.export],
  ] as const) {
    for (const prefix of new Set([values.control_prefix, link.control_prefix])) {
      for (const filter of filters.filter((candidate) => underPrefix(prefix, candidate))) {
        problems.add(
          [...at, key],
          `filter ${quoted(filter)} is reserved: it lies under control_prefix ${quoted(prefix)}`,
        );
      }
    }
  }
  if (link.server === null && !problems.hasBelow([...at, "server"])) reportNeedless(link, index, problems);
  const clientid = link.clientid ?? defaultClientId(localClientId, name);
  const durability = link.durability ?? (values.data_dir === null ? "memory" : "disk");
  if (durability === "disk" && values.data_dir === null && !problems.hasBelow(["data_dir"])) {
    problems.add(
      [...at, "durability"],
      '"disk" needs data_dir, which is missing: name a directory there, or let the durability be "memory" or "end_to_end"',
    );
  }
  if (link.retained === "sync" && values.local.protocol_version === 4) {
    problems.add(
      [...at, "retained"],
      '"sync" needs MQTT 5 at the local broker, and local.protocol_version is 4: on MQTT 3.1.1 nothing shows whose a retained message is, so "live" is all there is',
    );
  }
  if (link.protocol === "emqx") reportEmqx(link, index, values, problems);
  return {
    name,
    protocol: link.protocol,
    enable: link.enable,
    topics: link.topics,
    exportFilters: link.export,
    endpoint: link.server === null ? null : endpoint(link.server, clientid, link, at, files, problems),
    controlPrefix: link.server === null ? values.control_prefix : link.control_prefix,
    routesMax: link.max_routes,
    demandMax: link.max_demand,
    routeRetentionMs: link.route_retention ?? (durability === "disk" ? values.spool.max_age : HEAP_ROUTE_RETENTION_MS),
    durability,
    retained: link.retained,
    compression: link.compression,
    framesInflightMax: link.max_inflight,
    retryIntervalMs: link.retry_interval,
    drainPerSecond: link.drain_rate,
  };
}

/** EMQX's protocol goes both ways by connections of its own making, answers by MQTT 5, and knows none of our frames. */
function reportEmqx(link: LinkValues, index: number, { local }: AgentValues, problems: ProblemList): void {
  const say = (key: string, message: string): void => {
    const at = ["links", index, key];
    if (!problems.hasBelow(at)) problems.add(at, message);
  };
  if (link.server === null)
    say("server", 'is missing: "protocol: emqx" needs it, for each side pushes to the other\'s broker');
  if (link.protocol_version === 4) say("protocol_version", 'must be 5 (or left out) with "protocol: emqx"');
  if (link.control_prefix !== CONTROL_PREFIX_DEFAULT)
    say("control_prefix", 'has no effect with "protocol: emqx", whose topics are fixed');
  if (link.compression !== "auto" && link.compression !== "none")
    say("compression", 'has no effect with "protocol: emqx": messages to EMQX are not compressed');
  if (local.protocol_version === 4)
    say("protocol", '"emqx" needs MQTT 5 on the local broker, and local.protocol_version is 4');
}

/** What says how to reach a broker is a mistake where none is named. */
function reportNeedless(link: LinkValues, index: number, problems: ProblemList): void {
  const { cacertfile, certfile, keyfile, servername, enable, verify } = link.ssl;
  const given: Readonly<Record<string, boolean>> = {
    clientid: link.clientid !== null,
    username: link.username !== null,
    password: link.password !== null,
    password_file: link.password_file !== null,
    ssl: [cacertfile, certfile, keyfile, servername].some((value) => value !== null) || enable === true || !verify,
    protocol_version: link.protocol_version !== "auto",
    control_prefix: link.control_prefix !== CONTROL_PREFIX_DEFAULT,
  };
  for (const [key, isGiven] of Object.entries(given)) {
    if (isGiven) problems.add(["links", index, key], "is given without server, so there is nowhere to use it");
  }
}

function httpConfig({ http }: AgentValues, files: FileValues, problems: ProblemList): HttpConfig {
  const token = files.secret(null, http.token_file, ["http"], "token");
  // It travels in a header: RFC 9110 §5.5 has no other characters, and RFC 6750 no spaces.
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    problems.add(["http", "token_file"], "holds a token with spaces, several lines, or characters beyond ASCII");
  }
  return { host: http.host, port: http.port, token };
}

function reportNames({ cluster, links }: AgentValues, problems: ProblemList): void {
  const first = new Map<string, number>();
  const clientIds = new Map<string, number>();
  for (const [index, link] of links.entries()) {
    if (link === null || link.name === null) continue;
    const { name } = link;
    const twin = first.get(name);
    if (name === cluster) {
      problems.add(["links", index, "name"], `"${name}" is the name of this cluster: a link names the peer's`);
    } else if (twin !== undefined) {
      problems.add(["links", index, "name"], `"${name}" is already the name of links[${twin}]`);
    } else first.set(name, index);
    reportSharedClientId(link, index, clientIds, problems);
  }
}

/** Two connections with one client id at one broker end each other for ever (MQTT-3.1.4-3). */
function reportSharedClientId(link: LinkValues, index: number, seen: Map<string, number>, problems: ProblemList): void {
  if (link.clientid === null) return;
  for (const { host, port } of link.server ?? []) {
    const key = `${host}:${port} ${link.clientid}`;
    const twin = seen.get(key);
    if (twin !== undefined && twin !== index) {
      problems.add(
        ["links", index, "clientid"],
        `${quoted(link.clientid)} is also that of links[${twin}] at the same broker`,
      );
      return;
    }
    seen.set(key, index);
  }
}

/** Within the limit of a given one: a name has 64 characters, and both names are ASCII. */
function defaultClientId(localClientId: string, name: string): string {
  const ending = `-to-${name}`;
  const room = CLIENT_ID_BYTES_MAX - ending.length;
  return localClientId.length <= room ? `${localClientId}${ending}` : `brokerlink${ending}`;
}
