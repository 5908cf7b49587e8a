/** What is allowed and may still surprise: said once at the start and by `check`. One sentence each, the key first. */
import zlib from "node:zlib";
import { certificatesOf } from "./file-values.ts";
import { quoted } from "./printable.ts";
import { isLoopback, isSecure } from "./server-format.ts";
import type { AgentConfig, EndpointConfig, LinkConfig, LocalConfig } from "./types.ts";

/** MQTT 3.1.1 §3.1.3.1: a server need not take more. */
const CLIENT_ID_BYTES_SURE = 23;
/** `-events`, the longest ending of a client id that a local broker of MQTT 3.1.1 sees; `-retained` is for MQTT 5. */
const CLIENT_ID_ENDING_BYTES = 7;
/** Half of what Node.js gives its heap on a small machine. */
const HEAP_SPOOL_BYTES_LARGE = 2 ** 30;
const QUEUE_ADVICE =
  "max_queued_messages there must hold it, or the broker drops the rest in silence (Mosquitto's default is 1,000)";
const TOKEN_LENGTH_SURE = 16;

export function configWarnings(config: AgentConfig, nowMs = Date.now()): string[] {
  return [
    ...agentWarnings(config),
    ...localWarnings(config),
    ...expiredCertificates(config.local, "local", nowMs),
    ...(config.local.api === null ? [] : expiredCertificates(config.local.api, "local.api", nowMs)),
    ...config.links.flatMap((link, index) => [
      ...linkWarnings(link, index, config),
      ...(link.endpoint === null ? [] : expiredCertificates(link.endpoint, `links[${index}]`, nowMs)),
    ]),
  ];
}

function agentWarnings(config: AgentConfig): string[] {
  const { links, controlPrefix, http } = config;
  const warnings: string[] = [];
  if (links.length === 0) warnings.push("links: there are none, so this agent has nothing to do");
  warnings.push(...durabilityWarnings(config));
  if (!controlPrefix.startsWith("$")) {
    warnings.push(
      `control_prefix: ${quoted(controlPrefix)} does not begin with "$", so local clients that subscribe to "#" see what agents say`,
    );
  }
  if (http.token !== null && http.token.length < TOKEN_LENGTH_SURE) {
    warnings.push(`http.token_file: the token has fewer than ${TOKEN_LENGTH_SURE} characters`);
  }
  return warnings;
}

/** Each once, however many links it is true of. */
function durabilityWarnings({ links, spool, dataDir }: AgentConfig): string[] {
  const warnings: string[] = [];
  const kinds = links.flatMap(({ enable, durability }) => (enable ? [durability] : []));
  if (dataDir === null && kinds.includes("memory")) {
    warnings.push(
      "durability: memory, for there is no data_dir: messages that a peer has not confirmed are lost when this agent ends",
    );
  }
  if (kinds.includes("end_to_end")) {
    warnings.push(
      `durability: end_to_end: what a peer has not confirmed waits in the local broker's queue too; ${QUEUE_ADVICE}`,
    );
  }
  if (spool.whenFull === "backpressure" && kinds.length > 0) {
    warnings.push(
      `spool.when_full: backpressure: what finds no room waits in the local broker's queue; ${QUEUE_ADVICE}`,
    );
  }
  const onHeap = kinds.filter((kind) => kind !== "disk").length;
  if (spool.bytesMax * onHeap > HEAP_SPOOL_BYTES_LARGE) {
    warnings.push("spool.max_bytes: all spools together may take more than 1GiB of this process's memory");
  }
  return warnings;
}

function localWarnings({ local }: AgentConfig): string[] {
  const warnings = endpointWarnings(local, "local", CLIENT_ID_ENDING_BYTES);
  if (local.broker === "emqx" && local.api === null) {
    warnings.push(
      "local.broker: emqx: without local.api only EMQX's event messages are read, so subscriptions from before the agent's start, and those missed while it is away, are not known, and those of sessions that ended in silence are not forgotten",
    );
  }
  warnings.push(...apiWarnings(local));
  const hasNoCount =
    local.broker === "aedes" || (local.broker === "emqx" && local.api === null) || local.broker === "events";
  if (hasNoCount && local.interestAtStart === "unknown" && local.trustAfterMs === null) {
    warnings.push(
      `local.broker: ${local.broker} gives no count of its subscriptions, so this agent asks for all of each link's topics for ever; set local.trust_after, or local.interest_at_start: none if it starts before all clients`,
    );
  }
  return warnings;
}

function apiWarnings({ api }: LocalConfig): string[] {
  if (api === null) return [];
  const warnings: string[] = [];
  const far = api.urls.filter((url) => !isSecure(url) && !isLoopback(new URL(url).hostname));
  if (far.length > 0) {
    warnings.push(`local.api.server: the secret travels to ${far.join(", ")} for everybody on the way to read`);
  }
  if (api.tls?.verify === false) {
    warnings.push("local.api.ssl.verify: false: anybody on the way can pretend to be this API");
  }
  return warnings;
}

function linkWarnings(link: LinkConfig, index: number, { local }: AgentConfig): string[] {
  if (!link.enable) return [];
  const at = `links[${index}]`;
  const warnings: string[] = [];
  if (link.topics.length === 0 && link.exportFilters.length === 0) {
    warnings.push(`${at}: topics and export are empty, so nothing crosses this link`);
  }
  if (link.compression === "zstd" && !("zstdCompressSync" in zlib)) {
    warnings.push(
      `${at}.compression: zstd needs Node.js 22.15 or later, and this is ${process.version}: frames to the peer are not compressed`,
    );
  }
  if (link.endpoint === null) return warnings;
  const shared = link.endpoint.urls.find((url) => local.urls.includes(url));
  if (shared !== undefined) warnings.push(`${at}.server: ${shared} is the local broker, not the peer's`);
  return [...warnings, ...endpointWarnings(link.endpoint, at, 0)];
}

function endpointWarnings(endpoint: EndpointConfig, at: string, endingBytes: number): string[] {
  const { urls, password, tls, clientid, protocolVersion } = endpoint;
  const warnings: string[] = [];
  const far = urls.filter((url) => !isSecure(url) && !isLoopback(new URL(url).hostname));
  if (password !== null && far.length > 0) {
    warnings.push(`${at}.server: the password travels to ${far.join(", ")} for everybody on the way to read`);
  }
  if (tls?.verify === false) {
    warnings.push(`${at}.ssl.verify: false: anybody on the way can pretend to be this broker`);
  }
  if (protocolVersion === 4 && clientid.length + endingBytes > CLIENT_ID_BYTES_SURE) {
    warnings.push(
      `${at}.clientid: client ids of more than ${CLIENT_ID_BYTES_SURE} bytes, such as ${quoted(clientid)}, are refused by some MQTT 3.1.1 brokers`,
    );
  }
  return warnings;
}

/** The agent would start, and be told at every connection only that the handshake failed. */
function expiredCertificates({ tls }: Pick<EndpointConfig, "tls">, at: string, nowMs: number): string[] {
  return [
    ["certfile", tls?.cert ?? null],
    ["cacertfile", tls?.ca ?? null],
  ].flatMap(([key, pem]) => {
    const expiredMs = typeof pem === "string" ? certificatesOf(pem).map(({ validTo }) => Date.parse(validTo)) : [];
    const firstMs = Math.min(...expiredMs.filter((validToMs) => validToMs <= nowMs));
    if (!Number.isFinite(firstMs)) return [];
    return [`${at}.ssl.${key}: holds a certificate that expired at ${new Date(firstMs).toISOString()}`];
  });
}
