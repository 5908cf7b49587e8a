/** What a connection is told when it is made, and what it tells. */
import type { ConnectionEnd } from "./connection-end.ts";
import type { Dialect } from "./dialect.ts";
import type { SessionLimits } from "./limits.ts";
import type { PacketProperties } from "./packet-properties.ts";

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
}

export interface MessageAbout {
  /** Of the connection that it came on: grows with each of the session's. */
  readonly connection: number;
  /** A QoS 2 message is told as 1. */
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: PacketProperties | null;
  /** Empty on 3.1.1. */
  readonly subscriptionIds: readonly number[];
}

export interface ConnectionOptions {
  readonly number: number;
  readonly dialect: Dialect;
  readonly clientId: string;
  readonly clean: boolean;
  /** MQTT 5 only. */
  readonly expirySeconds: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly will: Will | null;
  readonly keepAliveSeconds: number;
  readonly maximumPacketSize: number | null;
  /** Announced on MQTT 5. */
  readonly receiveMaximum: number;
  /** What messages without our answer may hold of the memory. */
  readonly openBytesMax: number;
  /** Whether a message is acknowledged when `ConnectionEvents.message` returns. */
  readonly acknowledge: "at_return" | "later";
  readonly connackTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly ackByPing: boolean;
}

export interface ConnectionEvents {
  up(sessionPresent: boolean, limits: SessionLimits): void;
  /** The payload may be a part of a larger buffer: copy what is kept for long. */
  message(topic: string, payload: Uint8Array, about: MessageAbout): void;
  /** The broker took bytes that had waited. */
  drained(): void;
  /** It ends because messages without our answer hold too much of the memory. */
  overrun(): void;
  /** Once; nothing is called after it. What still waits for an answer gets it from `lose`. */
  over(end: ConnectionEnd): void;
}
