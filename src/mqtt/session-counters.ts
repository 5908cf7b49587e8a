/** What a session counts since its process began. */
export interface SessionCounters {
  /** Connections that stood. */
  connections: number;
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
    publishesRefusedFull: 0,
    publishesTooLarge: 0,
    requestsRefusedFull: 0,
    ackPings: 0,
    receiveOverruns: 0,
  };
}
