/** What carries one link's bytes to its peer, whatever is spoken there. */
import type { EndpointConfig } from "../config/types.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";

export interface LinkConnection {
  start(): void;
  /** Other secrets, from the next connection on. */
  renew(endpoint: EndpointConfig): void;
  /** Resolves when it is closed, after what was said last has left. */
  stop(graceMs: number): Promise<void>;
  readonly counters: Readonly<SessionCounters>;
  readonly certificateEndsAtMs: number | null;
  readonly congested: boolean;
  sendControl(bytes: Uint8Array): void;
  sendFrame(frame: number, bytes: Uint8Array, confirm: boolean): void;
  /** Subscribes again what is subscribed. */
  refreshInbox(): void;
}
