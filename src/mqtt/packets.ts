/** What goes into and comes out of an MQTT session, as values. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { EndpointConfig } from "../config/types.ts";
import type { MessageProperties } from "../wire/message.ts";

export interface SessionOptions {
  readonly endpoint: EndpointConfig;
  readonly clientId: string;
  /** `first`: this process begins with a clean session and keeps it from then on. */
  readonly session: { readonly cleanStart: "first" | "always"; readonly expirySeconds: number };
  readonly keepAliveSeconds: number;
  /** On MQTT 3.1.1: set the bridge bit. */
  readonly bridge: boolean;
  readonly ackByPing: boolean;
  readonly random: () => number;
  /** Asked before every connection. */
  readonly will: () => { readonly topic: string; readonly payload: Uint8Array; readonly qos: 0 | 1 } | null;
  /** Whose broker: names the error codes. */
  readonly side: "local" | "peer";
}

export interface SessionLimits {
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
}

export interface SessionUp {
  readonly sessionPresent: boolean;
  readonly protocolVersion: 4 | 5;
  readonly limits: SessionLimits;
}

export interface SessionProblem {
  readonly code: ErrorCode;
  readonly reason: string;
  /** Whether this ended a connection, or an attempt at one. */
  readonly wasConnected: boolean;
}

export interface MessageAbout {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: MessageProperties | null;
  readonly expirySeconds: number | null;
  readonly subscriptionIds: readonly number[];
}

export interface SessionEvents {
  connected(how: SessionUp): void;
  disconnected(problem: SessionProblem): void;
  message(topic: string, payload: Uint8Array, about: MessageAbout): void;
}

export interface SubscribeEntry {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
  readonly id?: number;
}

export interface PublishPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties?: MessageProperties | null;
  readonly expirySeconds?: number | null;
}

export type PublishResult =
  | { readonly ok: true; readonly reasonCode: number }
  | { readonly ok: false; readonly why: "lost" | "queue_full" | "too_large" };
