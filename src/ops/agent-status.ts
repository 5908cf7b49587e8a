/** Everything an agent tells about itself: what the metrics, the API and the demo read. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { AgentConfig } from "../config/types.ts";
import type { HubTables } from "../hub/explain.ts";
import type { HubStatus } from "../hub/status.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import type { BrokerApiStatus } from "./broker-api-status.ts";
import type { LinkHistory } from "./link-history.ts";
import type { ReloadStatus } from "./reloads.ts";

export interface SessionStatus {
  readonly up: boolean;
  readonly reason: string | null;
}

/** How often a problem occurred, whether or not each time was logged. `link` null: of the whole agent. */
export interface ProblemCount {
  readonly link: string | null;
  readonly code: ErrorCode;
  readonly count: number;
}

/** What is kept on disk, and how the disk is. */
export interface StoreStatus {
  readonly path: string;
  /** Code and reason while the disk takes nothing; null: it is well. */
  readonly problem: string | null;
  readonly journalBytes: number;
  /** Messages of the links' spools that could not be read (any more). */
  readonly lost: number;
  /** Messages that could not be kept because the disk took nothing for long. */
  readonly refused: number;
  readonly writeFailures: number;
  readonly syncFailures: number;
  /** In memory because the disk has not taken them yet. */
  readonly waitingBytes: number;
}

/** `link` null: the local broker. `ca` and `client` as configured, `server` as its broker showed it last. */
export interface CertificateStatus {
  readonly link: string | null;
  readonly kind: string;
  readonly endsAtMs: number;
}

export interface AgentStatus {
  readonly version: string;
  readonly startedAtMs: number;
  /** Draining after a signal: no longer ready. */
  readonly stopping: boolean;
  readonly sessions: Readonly<Record<"events" | "link" | "data", SessionStatus>>;
  readonly sessionCounters: Readonly<Record<"events" | "link" | "data", SessionCounters>>;
  /** By link; of those that this agent dials. */
  readonly peerCounters: Readonly<Record<string, SessionCounters>>;
  readonly problems: readonly ProblemCount[];
  readonly certificates: readonly CertificateStatus[];
  /** The control topic that the local broker keeps from us, and why; null: none. */
  readonly controlDenied: string | null;
  /** What to change in the local broker so that it announces subscriptions; null: nothing. */
  readonly eventsAdvice: string | null;
  /** Event lines that could not be used, or only in part, by kind. */
  readonly oddLines: Readonly<Record<string, number>>;
  /** Messages that the local broker says it dropped for its clients; null: it does not say. */
  readonly brokerDropped: number | null;
  /** Null: the local broker has no API that is asked. */
  readonly brokerApi: BrokerApiStatus | null;
  /** Null: nothing is kept on disk. */
  readonly store: StoreStatus | null;
  readonly reloads: ReloadStatus;
  /** Of links that were removed or switched off while the agent ran: no peer had confirmed them, and they are not kept. */
  readonly removedLinksMessages: number;
  readonly hub: HubStatus;
}

/** What metrics and health checks need of an agent. */
export interface AgentHealth {
  status(): AgentStatus;
  readonly ready: boolean;
}

/** What the HTTP listener needs of an agent. */
export interface AgentView extends AgentHealth {
  /** As it is in force now: read anew at each request. */
  readonly config: AgentConfig;
  readonly hub: HubTables;
  readonly history: LinkHistory;
}

/** What metrics read: the status, and what is asked of the agent beside it. */
export interface MetricSource {
  readonly status: AgentStatus;
  readonly ready: boolean;
  readonly nowMs: number;
}
