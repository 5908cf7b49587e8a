/** What a session is told when it is made, and what it tells. */

import type { Side } from "./connection-end.ts";
import type { MessageAbout, Will } from "./connection-options.ts";
import type { Endpoint } from "./endpoint.ts";
import type { SessionLimits } from "./limits.ts";
import type { Reconnect } from "./retries.ts";
import type { SessionProblem } from "./session-problem.ts";

export interface SessionOptions {
  readonly endpoint: Endpoint;
  /** Which of the error codes apply. */
  readonly side: Side;
  /** The whole client id. */
  readonly clientId: string;
  readonly session: {
    /**
     * `always`: nothing is kept beyond a connection. `never`: the session goes on where it was left. `first`: this
     * process's first connection forgets what was kept, the later ones go on.
     */
    readonly cleanStart: "never" | "first" | "always";
    /** MQTT 5; ignored with `always`. */
    readonly expirySeconds: number;
  };
  /** Asked before each connection. */
  readonly will: () => Will | null;
  readonly keepAliveSeconds: number;
  /** Set the bridge bit on 3.1.1. */
  readonly bridge: boolean;
  /** Draw acknowledgements out of the kernel (see `ack-pinger.ts`). */
  readonly ackByPing: boolean;
  /**
   * When a QoS 1 message is acknowledged: `at_return`, once `SessionEvents.message` has returned; `later`, by `acknowledge`.
   * Default: `at_return`.
   */
  readonly acknowledge?: "at_return" | "later";
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The largest packet we take; null: any. */
  readonly maximumPacketSize?: number | null;
  /** Messages that may wait for our acknowledgement; MQTT 5 brokers keep to it, more or less. */
  readonly receiveMaximum?: number;
  /** Bytes of them, after which the connection ends: a broker without a window must not fill the memory. */
  readonly openBytesMax?: number;
  /** QoS 1 publishes that may wait behind the window. */
  readonly sendQueueMax?: number;
  /** QoS 1 publishes in flight, also where the broker allows more. */
  readonly inflightMax?: number;
  readonly ackTimeoutMs?: number;
  /** For opening the stream, and again for the CONNACK. */
  readonly connectTimeoutMs?: number;
  readonly reconnect?: Reconnect;
}

export interface SessionUp {
  readonly sessionPresent: boolean;
  readonly protocolVersion: 4 | 5;
  /** 3.1.1 with the bridge bit set, and the broker took it. */
  readonly bridged: boolean;
  readonly limits: SessionLimits;
}

export interface SessionEvents {
  connected(how: SessionUp): void;
  /** A connection ended, or an attempt failed. */
  disconnected(problem: SessionProblem): void;
  /** See `SessionOptions.acknowledge`. The payload may be a part of a larger buffer. */
  message(topic: string, payload: Uint8Array, about: MessageAbout): void;
}
