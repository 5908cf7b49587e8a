/**
 * One link in the shape of EMQX's own API (GET /api/v5/cluster/links), with what EMQX does not say added under keys of
 * our own: both halves, routes in and out, wide or exact and why, counters, the last problem.
 */
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import type { LinkStatusWord } from "../hub/hub-event.ts";
import type { LinkStatus } from "../hub/status.ts";
import type { AgentStatus } from "./agent-status.ts";

const REDACTED = "******";

export interface LinkAnswer {
  readonly name: string;
  readonly enable: boolean;
  readonly server?: string;
  readonly clientid?: string;
  readonly username?: string;
  readonly password?: string;
  readonly topics: readonly string[];
  readonly export: readonly string[];
  readonly max_inflight: number;
  readonly retry_interval: number;
  readonly status: LinkStatusWord;
  readonly node_status: readonly {
    readonly node: string;
    readonly status: LinkStatusWord;
    readonly reason?: string;
  }[];
  readonly brokerlink: LinkDetail;
}

export interface LinkDetail {
  readonly peer_dials_in: boolean;
  readonly interest: {
    readonly exact: boolean;
    readonly reason: string | null;
    readonly since: string | null;
  };
  readonly out: LinkStatus["out"] | null;
  readonly in: LinkStatus["in"] | null;
  readonly queue: LinkStatus["queue"] | null;
  readonly counters: Pick<
    LinkStatus,
    "sent" | "received" | "republished" | "settled" | "gateTimeouts" | "dropped" | "conversation"
  > | null;
  readonly refused_routes: LinkStatus["refusedRoutes"];
  readonly last_problem: { readonly code: string; readonly reason: string; readonly at: string } | null;
}

export function linkAnswers(config: AgentConfig, status: AgentStatus): LinkAnswer[] {
  const byName = new Map(status.hub.links.map((link) => [link.name, link]));
  return config.links.map((link) => linkAnswer(link, byName.get(link.name) ?? null, status));
}

function linkAnswer(config: LinkConfig, link: LinkStatus | null, status: AgentStatus): LinkAnswer {
  // A disabled link runs nothing: EMQX calls it disconnected.
  const word = link?.status ?? "disconnected";
  const problem = link?.lastProblem ?? null;
  const { endpoint } = config;
  return {
    name: config.name,
    enable: config.enable,
    ...(endpoint === null ? {} : { server: endpoint.urls.join(","), clientid: endpoint.clientid }),
    ...(endpoint === null || endpoint.username === null ? {} : { username: endpoint.username }),
    ...(endpoint === null || endpoint.password === null ? {} : { password: REDACTED }),
    topics: config.topics,
    export: config.exportFilters,
    max_inflight: config.framesInflightMax,
    retry_interval: config.retryIntervalMs,
    status: word,
    node_status: [
      {
        node: status.hub.cluster,
        status: word,
        ...(word === "connected" || problem === null ? {} : { reason: problem.reason }),
      },
    ],
    brokerlink: {
      peer_dials_in: endpoint === null,
      interest: {
        exact: status.hub.wide === null,
        reason: status.hub.wide?.reason ?? null,
        since: status.hub.wide === null ? null : new Date(status.hub.wide.sinceMs).toISOString(),
      },
      out: link?.out ?? null,
      in: link?.in ?? null,
      queue: link?.queue ?? null,
      counters:
        link === null
          ? null
          : {
              sent: link.sent,
              received: link.received,
              republished: link.republished,
              settled: link.settled,
              gateTimeouts: link.gateTimeouts,
              dropped: link.dropped,
              conversation: link.conversation,
            },
      refused_routes: link?.refusedRoutes ?? [],
      last_problem:
        problem === null
          ? null
          : { code: problem.code, reason: problem.reason, at: new Date(problem.atMs).toISOString() },
    },
  };
}
