/** What one link's way out is configured with, and why it may drop a message. */
import type { Durability } from "./durability.ts";
import type { SpoolDrop, SpoolOptions } from "./spool.ts";
import type { SpoolLog } from "./spool-log.ts";

/** One for each lane: both outlive the process, or neither. */
export interface LaneLogs {
  readonly main: SpoolLog;
  readonly live: SpoolLog;
}

export interface OutboundOptions {
  readonly spool: SpoolOptions;
  readonly framesInflightMax: number;
  /** Upper bound of the wait before a resend. */
  readonly retryIntervalMs: number;
  /** When a local message counts as safe; absent: `memory`. */
  readonly durability?: Durability;
  /** What a backlog may at most take, messages per second; absent or null: by the live rate alone. */
  readonly drainPerSecond?: number | null;
  /** What keeps the reliable messages; absent: memory, and new streams. */
  readonly logs?: LaneLogs;
  /** Topics that may be under way while one of them can still pass; absent: the default. */
  readonly topicsMax?: number;
}

export type OutboundDropReason =
  | SpoolDrop["reason"]
  | "expired"
  | "stale_state"
  | "too_large"
  | "malformed"
  | "best_effort_full"
  | "peer_away"
  | "refused_by_broker";
