/** What an agent can say about itself at one moment: plain values for the API, the metrics, the log and the demo. */
import type { DelayCounts } from "../base/delay-histogram.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { Durability } from "../flow/durability.ts";
import type { HoldStatus } from "../flow/guard-holds.ts";
import type { AcceptorState } from "../link/acceptor.ts";
import type { AnnouncerState } from "../link/announcer.ts";
import type { WideReason } from "../route/interest-event.ts";
import type { Compression } from "../wire/compression.ts";
import type { AckResult } from "../wire/message.ts";
import type { LinkStatusWord } from "./hub-event.ts";

export interface ProblemStatus {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly atMs: number;
}

/** By QoS: of 0, of 1. */
export interface TrafficStatus {
  readonly messages: readonly [number, number];
  readonly payloadBytes: readonly [number, number];
}

export interface DrainStatus {
  readonly draining: boolean;
  readonly perSecond: number;
}

export interface LinkStatus {
  readonly name: string;
  readonly enabled: boolean;
  /** Absent server: the peer dials in. */
  readonly dialsIn: boolean;
  readonly durability: Durability;
  readonly status: LinkStatusWord;
  readonly topics: readonly string[];
  readonly transportUp: boolean;
  /** Our routes at the peer. */
  readonly out: {
    readonly state: AnnouncerState;
    /** Whether the half counts as working: the state is not all. */
    readonly works: boolean;
    /** Why what we publish does not all reach the peer, whatever the state; null: nobody says so. */
    readonly blocked: string | null;
    readonly refusedWith: AckResult | null;
    readonly routes: number;
    readonly lastOp: number;
    readonly ackedOp: number;
    /** Past `max_routes`: announced wider than the interest is. */
    readonly widened: boolean;
  };
  /** The peer's routes here. */
  readonly in: {
    readonly state: AcceptorState;
    readonly works: boolean;
    /** Why what the peer publishes does not all reach us. */
    readonly blocked: string | null;
    readonly routes: number;
    readonly appliedOp: number;
    readonly complete: boolean;
    readonly overflow: boolean;
    readonly heardAtMs: number | null;
    readonly agentVersion: string | null;
  };
  readonly queue: {
    readonly spooled: number;
    readonly spooledBytes: number;
    /** Neither spooled nor acknowledged, since there is no room: with the broker, and here. */
    readonly waiting: number;
    readonly oldestAtMs: number | null;
    readonly inflight: number;
    readonly bestEffort: number;
    /** Messages that went past a backlog, and how often none could any more, since too many topics were under way. */
    readonly passed: number;
    readonly passOverflows: number;
    readonly inbound: number;
    readonly roundTripMs: number;
  };
  /** Held back in case they circle, and how often a limit ended a hold before its time. */
  readonly guard: HoldStatus;
  /** Whether a backlog goes on, and how many messages a second it may take now. */
  readonly drain: { readonly out: DrainStatus; readonly in: DrainStatus };
  /** `inUse` null: frames leave as they are. */
  readonly compression: {
    readonly inUse: Compression | null;
    readonly compressMs: number;
    readonly expandMs: number;
  };
  /** `bytes` on the way, `plainBytes` before compression; `packed`: frames that were compressed. */
  readonly sent: {
    readonly messages: number;
    readonly bytes: number;
    readonly plainBytes: number;
    readonly frames: number;
    readonly packed: number;
    readonly resends: number;
    readonly byQos: TrafficStatus;
  };
  readonly received: {
    readonly messages: number;
    readonly bytes: number;
    readonly plainBytes: number;
    readonly frames: number;
    readonly packed: number;
    readonly byQos: TrafficStatus;
  };
  /** Local messages that the agent had for another peer, and this one does not want. */
  readonly suppressed: number;
  /** Of confirmed messages: since they last left in a frame; since the local broker gave them to us. */
  readonly roundTrip: DelayCounts;
  readonly forwardLatency: DelayCounts;
  /** Retained messages as a broker has them stored: ours for the peer, the peer's for the local broker. */
  readonly states: {
    /** This cluster wants the peer's. */
    readonly wanted: boolean;
    /** Why they do not come all the same; null: nobody knows a reason. */
    readonly blocked: string | null;
    /** Ours that the peer asked for and that did not leave yet; a route that is not read yet counts as one. */
    readonly waiting: number;
    readonly readings: number;
    readonly sent: number;
    readonly published: number;
    readonly skipped: readonly { readonly direction: "out" | "in"; readonly reason: string; readonly count: number }[];
  };
  readonly republished: number;
  readonly settled: number;
  readonly gateTimeouts: number;
  readonly dropped: readonly {
    readonly direction: string;
    readonly reason: string;
    readonly count: number;
  }[];
  readonly conversation: readonly { readonly what: string; readonly count: number }[];
  /** Our routes that the peer's broker refuses, with its reason code; at most 100. */
  readonly refusedRoutes: readonly { readonly filter: string; readonly reasonCode: number }[];
  readonly lastProblem: ProblemStatus | null;
}

export interface HubStatus {
  readonly cluster: string;
  readonly incarnation: number;
  readonly instance: string;
  readonly duplicate: boolean;
  /** Null: exact. */
  readonly wide: { readonly reason: WideReason; readonly sinceMs: number } | null;
  readonly interest: {
    readonly clients: number;
    readonly rows: number;
    readonly proven: number;
    readonly ghosts: number;
    readonly filters: number;
    /** Rows that found no room, and rows that may be held and were given up for others. */
    readonly refused: number;
    readonly givenUp: number;
    /** Wanted for a moment longer although the client that held them left; and how often too many were. */
    readonly lingering: number;
    readonly lingeringOverflows: number;
    /** That no event told of: only a list of the broker's subscriptions brought them, or ended them. */
    readonly mended: { readonly added: number; readonly removed: number };
  };
  readonly demand: {
    readonly filters: number;
    readonly pending: number;
    readonly refused: number;
    readonly markerTimeouts: number;
  };
  /** Local messages by what became of them: `forwarded`, `redelivered`, `unrouted`, `copy`, `loop_mark`, `mark_stripped`, `echo`, `reserved`. */
  readonly local: Readonly<Record<string, number>>;
  readonly links: readonly LinkStatus[];
}
