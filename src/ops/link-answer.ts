/**
 * One link in the shape of EMQX's own API (GET /api/v5/cluster/links), with what EMQX does not say added under `brokerlink`:
 * both halves, routes in and out, wide or exact and why, counters, the last problem. snake_case throughout; durations as
 * EMQX writes them ("15s"), times in ISO 8601, numbers with their unit in the name. docs/OPERATING.md explains each.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import { formatDuration } from "../config/formats.ts";
import type {
  AgentConfig,
  CompressionChoice,
  Durability,
  LinkConfig,
  LinkProtocol,
  Retained,
  TlsConfig,
} from "../config/types.ts";
import { EMQX_SHORTCOMINGS } from "../emqx/shortcomings.ts";
import type { HoldLimit } from "../flow/guard-holds.ts";
import type { LinkStatusWord } from "../hub/hub-event.ts";
import type { LinkStatus } from "../hub/status.ts";
import type { Compression } from "../wire/compression.ts";
import type { AgentStatus } from "./agent-status.ts";
import type { LinkChange, LinkHistory } from "./link-history.ts";

/** As EMQX shows a secret. */
const REDACTED = "******";

export interface LinkAnswer {
  readonly name: string;
  readonly enable: boolean;
  readonly server?: string;
  readonly clientid?: string;
  readonly username?: string;
  readonly password?: string;
  readonly ssl: SslAnswer;
  readonly topics: readonly string[];
  readonly max_inflight: number;
  readonly retry_interval: string;
  /** From here on EMQX has no such setting. Beside its own, so that an answer that is sent back changes nothing. */
  readonly export: readonly string[];
  readonly control_prefix?: string;
  readonly protocol_version?: 4 | 5 | "auto";
  readonly drain_rate?: number;
  readonly max_routes: number;
  readonly max_demand: number;
  readonly route_retention: string;
  readonly durability: Durability;
  readonly retained: Retained;
  readonly compression: CompressionChoice;
  readonly protocol: LinkProtocol;
  readonly status: LinkStatusWord;
  readonly node_status: readonly {
    readonly node: string;
    readonly status: LinkStatusWord;
    readonly reason?: string;
  }[];
  readonly brokerlink: LinkDetail;
}

interface SslAnswer {
  readonly enable: boolean;
  readonly verify?: "verify_peer" | "verify_none";
  readonly servername?: string;
  readonly cacertfile?: string;
  readonly certfile?: string;
  readonly keyfile?: string;
}

export interface LinkDetail {
  /** The peer connects to the local broker; this agent has no connection of its own to it. */
  readonly peer_dials_in: boolean;
  /** What the link's protocol cannot do, and ours can: words that docs/EMQX.md explains. */
  readonly shortcomings: readonly string[];
  /** Whether the connection that carries the link stands. */
  readonly transport_up: boolean;
  /** Connections to the peer's broker that stood; null when the peer dials in. */
  readonly connections: number | null;
  readonly interest: { readonly exact: boolean; readonly reason: string | null; readonly since: string | null };
  readonly out: OutAnswer | null;
  readonly in: InAnswer | null;
  /** What frames to the peer leave with now; null: uncompressed. */
  readonly compression: Compression | null;
  readonly queue: QueueAnswer | null;
  readonly retained: RetainedAnswer | null;
  readonly counters: CountersAnswer | null;
  readonly refused_routes: readonly { readonly filter: string; readonly reason_code: number }[];
  readonly last_problem: { readonly code: ErrorCode; readonly reason: string; readonly at: string } | null;
  /** The last changes of `status`, newest last; at most 50. */
  readonly history: readonly {
    readonly at: string;
    readonly from: LinkStatusWord;
    readonly to: LinkStatusWord;
    readonly why: string;
  }[];
}

interface OutAnswer {
  readonly state: string;
  readonly refused_with: string | null;
  readonly blocked: string | null;
  readonly routes: number;
  readonly last_op: number;
  readonly acked_op: number;
  readonly widened: boolean;
}

interface InAnswer {
  readonly state: string;
  readonly blocked: string | null;
  readonly routes: number;
  readonly applied_op: number;
  readonly complete: boolean;
  readonly widened: boolean;
  readonly heard_at: string | null;
  readonly agent_version: string | null;
}

interface QueueAnswer {
  readonly spool_messages: number;
  readonly spool_bytes: number;
  readonly spool_oldest_at: string | null;
  readonly messages_inflight: number;
  readonly best_effort_messages: number;
  readonly inbound_messages: number;
  /** In case they circle. */
  readonly held_messages: number;
  readonly held_bytes: number;
  readonly round_trip_ms: number;
}

interface TrafficAnswer {
  readonly messages: number;
  readonly frames: number;
  readonly bytes: number;
  /** Before compression. */
  readonly plain_bytes: number;
  readonly frames_compressed: number;
}

/** Retained messages as a broker has them stored: ours for the peer, the peer's for the local broker. */
interface RetainedAnswer {
  readonly wanted: boolean;
  readonly blocked: string | null;
  readonly waiting: number;
  readonly readings: number;
  readonly sent: number;
  readonly published: number;
  readonly skipped: readonly { readonly direction: "out" | "in"; readonly reason: string; readonly count: number }[];
}

interface CountersAnswer {
  readonly sent: TrafficAnswer;
  readonly received: TrafficAnswer;
  readonly frames_resent: number;
  readonly messages_settled: number;
  readonly messages_republished: number;
  readonly causality_timeouts: number;
  readonly dropped: readonly { readonly direction: string; readonly reason: string; readonly count: number }[];
  /** Holds in case of a circle that a limit ended before their time. */
  readonly holds_cut_short: readonly { readonly reason: HoldLimit; readonly count: number }[];
  readonly conversation: readonly { readonly what: string; readonly count: number }[];
}

export function linkAnswers(config: AgentConfig, status: AgentStatus, history: LinkHistory): LinkAnswer[] {
  const byName = new Map(status.hub.links.map((link) => [link.name, link]));
  return config.links.map((link) => linkAnswer(link, byName.get(link.name) ?? null, status, history.of(link.name)));
}

/** `link` null: it is disabled and runs nothing, which EMQX calls disconnected. */
function linkAnswer(
  config: LinkConfig,
  link: LinkStatus | null,
  status: AgentStatus,
  changes: readonly LinkChange[],
): LinkAnswer {
  const word = link?.status ?? "disconnected";
  const problem = link?.lastProblem ?? null;
  const { endpoint } = config;
  const reason = word === "connected" || link === null ? null : reasonOf(problem, changes);
  return {
    name: config.name,
    enable: config.enable,
    ...(endpoint === null ? {} : { server: endpoint.urls.join(","), clientid: endpoint.clientid }),
    ...(endpoint === null || endpoint.username === null ? {} : { username: endpoint.username }),
    ...(endpoint === null || endpoint.password === null ? {} : { password: REDACTED }),
    ssl: sslAnswer(endpoint?.tls ?? null),
    topics: config.topics,
    max_inflight: config.framesInflightMax,
    retry_interval: formatDuration(config.retryIntervalMs),
    export: config.exportFilters,
    ...(endpoint === null
      ? {}
      : { control_prefix: config.controlPrefix, protocol_version: endpoint.protocolVersion ?? "auto" }),
    ...(config.drainPerSecond === null ? {} : { drain_rate: config.drainPerSecond }),
    max_routes: config.routesMax,
    max_demand: config.demandMax,
    route_retention: formatDuration(config.routeRetentionMs),
    durability: config.durability,
    retained: config.retained,
    compression: config.compression,
    protocol: config.protocol,
    status: word,
    node_status: [{ node: status.hub.cluster, status: word, ...(reason === null ? {} : { reason }) }],
    brokerlink: linkDetail(config, link, status, changes),
  };
}

/** The last problem may be over while the link still is not well: the states of both halves say more than nothing. */
function reasonOf(problem: LinkStatus["lastProblem"], changes: readonly LinkChange[]): string | null {
  if (problem !== null) return `${problem.code}: ${problem.reason}`;
  return changes.at(-1)?.why ?? null;
}

function sslAnswer(tls: TlsConfig | null): SslAnswer {
  if (tls === null) return { enable: false };
  return {
    enable: true,
    verify: tls.verify ? "verify_peer" : "verify_none",
    ...(tls.servername === null ? {} : { servername: tls.servername }),
    ...(tls.ca === null ? {} : { cacertfile: REDACTED }),
    ...(tls.cert === null ? {} : { certfile: REDACTED }),
    ...(tls.key === null ? {} : { keyfile: REDACTED }),
  };
}

function linkDetail(
  config: LinkConfig,
  link: LinkStatus | null,
  status: AgentStatus,
  changes: readonly LinkChange[],
): LinkDetail {
  const { wide } = status.hub;
  const problem = link?.lastProblem ?? null;
  return {
    peer_dials_in: config.endpoint === null,
    shortcomings: config.protocol === "emqx" ? EMQX_SHORTCOMINGS : [],
    transport_up: link?.transportUp ?? false,
    connections: status.peerCounters[config.name]?.connections ?? null,
    interest: {
      exact: wide === null,
      reason: wide?.reason ?? null,
      since: isoTime(wide?.sinceMs ?? null),
    },
    out: link === null ? null : outAnswer(link.out),
    in: link === null ? null : inAnswer(link.in),
    compression: link?.compression.inUse ?? null,
    queue: link === null ? null : queueAnswer(link),
    retained: link === null ? null : retainedAnswer(link.states),
    counters: link === null ? null : countersAnswer(link),
    refused_routes: (link?.refusedRoutes ?? []).map(({ filter, reasonCode }) => ({ filter, reason_code: reasonCode })),
    last_problem:
      problem === null
        ? null
        : { code: problem.code, reason: problem.reason, at: new Date(problem.atMs).toISOString() },
    history: changes.map(({ atMs, from, to, why }) => ({ at: new Date(atMs).toISOString(), from, to, why })),
  };
}

function outAnswer(out: LinkStatus["out"]): OutAnswer {
  return {
    state: out.state,
    refused_with: out.refusedWith,
    blocked: out.blocked,
    routes: out.routes,
    last_op: out.lastOp,
    acked_op: out.ackedOp,
    widened: out.widened,
  };
}

function inAnswer(half: LinkStatus["in"]): InAnswer {
  return {
    state: half.state,
    blocked: half.blocked,
    routes: half.routes,
    applied_op: half.appliedOp,
    complete: half.complete,
    widened: half.overflow,
    heard_at: isoTime(half.heardAtMs),
    agent_version: half.agentVersion,
  };
}

function retainedAnswer(states: LinkStatus["states"]): RetainedAnswer {
  const { wanted, blocked, waiting, readings, sent, published, skipped } = states;
  return { wanted, blocked, waiting, readings, sent, published, skipped: skipped.filter(({ count }) => count > 0) };
}

function queueAnswer({ queue, guard }: LinkStatus): QueueAnswer {
  return {
    spool_messages: queue.spooled,
    spool_bytes: queue.spooledBytes,
    spool_oldest_at: isoTime(queue.oldestAtMs),
    messages_inflight: queue.inflight,
    best_effort_messages: queue.bestEffort,
    inbound_messages: queue.inbound,
    held_messages: guard.messages,
    held_bytes: guard.bytes,
    round_trip_ms: queue.roundTripMs,
  };
}

function countersAnswer(link: LinkStatus): CountersAnswer {
  return {
    sent: trafficAnswer(link.sent),
    received: trafficAnswer(link.received),
    frames_resent: link.sent.resends,
    messages_settled: link.settled,
    messages_republished: link.republished,
    causality_timeouts: link.gateTimeouts,
    dropped: link.dropped,
    holds_cut_short: link.guard.cutShort,
    conversation: link.conversation,
  };
}

function trafficAnswer({ messages, frames, bytes, plainBytes, packed }: LinkStatus["received"]): TrafficAnswer {
  return { messages, frames, bytes, plain_bytes: plainBytes, frames_compressed: packed };
}

function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
