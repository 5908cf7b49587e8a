/** A checked configuration under the names of its keys, defaults filled in, secrets as `******`: for `check --json`. */
import { formatDuration } from "./formats.ts";
import type { AgentConfig, BrokerApiConfig, EndpointConfig, LinkConfig, TlsConfig } from "./types.ts";

/** As EMQX's API shows a secret. */
const MASK = "******";

export function effectiveConfig(config: AgentConfig): object {
  const { local, spool, http } = config;
  return {
    cluster: config.cluster,
    control_prefix: config.controlPrefix,
    ...(config.dataDir === null ? {} : { data_dir: config.dataDir }),
    local: {
      ...endpointKeys(local),
      broker: local.broker,
      ignore_clients: local.ignoreClients,
      untracked_subscriptions: local.untrackedSubscriptions,
      interest_at_start: local.interestAtStart,
      trust_after: local.trustAfterMs === null ? "never" : formatDuration(local.trustAfterMs),
      ...(local.eventsTopic === null ? {} : { events_topic: local.eventsTopic }),
      ...(local.filters.length === 0 ? {} : { filters: local.filters }),
      ...(local.api === null ? {} : { api: apiKeys(local.api) }),
    },
    links: config.links.map(linkKeys),
    spool: { max_bytes: spool.bytesMax, max_age: formatDuration(spool.ageMaxMs), when_full: spool.whenFull },
    http: { host: http.host, port: http.port, ...(http.token === null ? {} : { token: MASK }) },
    log: { level: config.logLevel },
  };
}

function linkKeys(link: LinkConfig): object {
  return {
    name: link.name,
    enable: link.enable,
    ...(link.endpoint === null ? {} : { ...endpointKeys(link.endpoint), control_prefix: link.controlPrefix }),
    topics: link.topics,
    export: link.exportFilters,
    max_inflight: link.framesInflightMax,
    retry_interval: formatDuration(link.retryIntervalMs),
    ...(link.drainPerSecond === null ? {} : { drain_rate: link.drainPerSecond }),
    max_routes: link.routesMax,
    max_demand: link.demandMax,
    route_retention: formatDuration(link.routeRetentionMs),
    durability: link.durability,
    retained: link.retained,
    compression: link.compression,
    protocol: link.protocol,
  };
}

function endpointKeys({ urls, clientid, username, password, tls, protocolVersion }: EndpointConfig): object {
  return {
    server: urls,
    clientid,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password: MASK }),
    protocol_version: protocolVersion ?? "auto",
    ...(tls === null ? {} : { ssl: { enable: true, ...tlsKeys(tls) } }),
  };
}

function apiKeys({ urls, key, tls, pollIntervalMs, timeoutMs }: BrokerApiConfig): object {
  return {
    server: urls,
    key,
    secret: MASK,
    poll_interval: formatDuration(pollIntervalMs),
    timeout: formatDuration(timeoutMs),
    ...(tls === null ? {} : { ssl: tlsKeys(tls) }),
  };
}

function tlsKeys({ verify, servername, ca, cert }: TlsConfig): object {
  return {
    verify,
    ...(servername === null ? {} : { servername }),
    ...(ca === null ? {} : { cacertfile: MASK }),
    ...(cert === null ? {} : { certfile: MASK, keyfile: MASK }),
  };
}
