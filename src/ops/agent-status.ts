/** Everything an agent tells about itself: what the metrics, the API and the demo read. */
import type { HubStatus } from "../hub/status.ts";

export interface SessionStatus {
  readonly up: boolean;
  readonly reason: string | null;
}

export interface AgentStatus {
  readonly version: string;
  readonly startedAtMs: number;
  readonly sessions: Readonly<Record<"events" | "link" | "data", SessionStatus>>;
  /** The control topic that the local broker keeps from us, and why; null: none. */
  readonly controlDenied: string | null;
  /** What to change in the local broker so that it announces subscriptions; null: nothing. */
  readonly eventsAdvice: string | null;
  /** Event lines that could not be used, or only in part, by kind. */
  readonly oddLines: Readonly<Record<string, number>>;
  /** Messages that the local broker says it dropped for its clients; null: it does not say. */
  readonly brokerDropped: number | null;
  readonly hub: HubStatus;
}

/** What the HTTP listener needs of an agent. */
export interface AgentView {
  status(): AgentStatus;
  readonly ready: boolean;
}
