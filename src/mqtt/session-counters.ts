/** What a session counts since its process began. */
import type { LossReason } from "./connection-end.ts";

export interface SessionCounters {
  /** Connections that stood. */
  connections: number;
  /** Connections after the first, by how the one before them ended. */
  reconnects: Record<LossReason, number>;
  /** Publishes refused because too many waited. */
  publishesRefusedFull: number;
  /** Publishes larger than the broker takes. */
  publishesTooLarge: number;
  /** SUBSCRIBE and UNSUBSCRIBE packets refused because too many waited. */
  requestsRefusedFull: number;
  /** PINGREQs that drew an acknowledgement out of the kernel. */
  ackPings: number;
  /** Connections ended because messages without our acknowledgement held too much of the memory. */
  receiveOverruns: number;
}

export function noCounts(): SessionCounters {
  return {
    connections: 0,
    reconnects: { lost: 0, dropped: 0, ended: 0, taken_over: 0, tls: 0 },
    publishesRefusedFull: 0,
    publishesTooLarge: 0,
    requestsRefusedFull: 0,
    ackPings: 0,
    receiveOverruns: 0,
  };
}
