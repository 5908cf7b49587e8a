/** What an EMQX peer is configured with, and everything that it asks of the world. No method may call back before it returns. */
import type { ErrorCode } from "../base/error-codes.ts";

export interface EmqxPeerOptions {
  /** This cluster. */
  readonly me: string;
  /** The link's name, which is the other cluster's. */
  readonly peer: string;
  /** The name of our only actor there. */
  readonly actor: string;
  /** Of our actor: higher than any that EMQX may remember. */
  readonly incarnation: number;
  /** Of what stands for EMQX to the hub: higher than any that the hub remembers. */
  readonly peerIncarnation: number;
  /** Client id in the messages that we forward. */
  readonly from: string;
  readonly routesMax: number;
  readonly routeRetentionMs: number;
  readonly randomHex16: () => string;
}

export interface EmqxWorld {
  // the hub
  hubControl(bytes: Uint8Array): void;
  hubFrame(bytes: Uint8Array): void;
  linkUp(packetBytesMax: number): void;
  linkDown(why: string): void;
  problem(code: ErrorCode, reason: string): void;
  dropped(direction: "out" | "in", reason: string, count: number): void;
  count(what: "old_incarnation" | "bad_message" | "routes_overflow"): void;
  // the connections to EMQX
  /** Answered by `subscribed`. */
  subscribe(filter: string): void;
  /** Answered by `greeted`, and, another thing, by `response`. */
  greet(topic: string, bytes: Uint8Array, responseTopic: string, correlation: string): void;
  /** Answered by `batchConfirmed`. */
  batch(batch: number, topic: string, bytes: Uint8Array): void;
  heartbeat(topic: string, bytes: Uint8Array): void;
  /** End the connection for routes, and make another one after so long. */
  reconnect(delayMs: number, why: string): void;
  /** QoS 1 is answered by `messageAnswered`, QoS 0 is not. */
  message(token: number, topic: string, bytes: Uint8Array, qos: 0 | 1): void;
  /** EMQX refuses all messages with this code; 0: it takes them again. */
  messagesAnswered(reasonCode: number): void;
  // the local broker, where EMQX publishes
  answer(topic: string, correlation: Uint8Array, bytes: Uint8Array): void;
  /** End the session of this actor, so that it begins again. `nodes`: all actors that are known, for those without a node's name. */
  kick(actor: string, nodes: readonly string[]): void;
  /** PUBACK for a message. */
  acknowledge(token: number): void;
}
