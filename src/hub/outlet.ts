/**
 * Everything the pure agent asks of the world. The agent's shells implement it over MQTT sessions, the simulator over
 * a simulated broker. No method may call back into the hub before it returns.
 */
import type { DemandFilter } from "../route/demand-ids.ts";
import type { HubEvent } from "./hub-event.ts";
import type { Republish } from "./republish.ts";

export interface Outlet {
  /** Local data session: SUBSCRIBE; answered by `Hub.subscribed`. */
  subscribe(batch: number, filters: readonly DemandFilter[]): void;
  /** Local data session: UNSUBSCRIBE; answered by `Hub.unsubscribed`. */
  unsubscribe(batch: number, filters: readonly string[]): void;
  /** Publish a marker that comes back on the data session behind everything queued before it; answered by `Hub.markerArrived`. */
  sendMarker(marker: number): void;
  /** Local data session: PUBLISH; QoS 1 is answered by `Hub.republished(token, …)`; QoS 0 has no token and no answer. */
  republish(token: number | null, message: Republish): void;
  /**
   * What the local broker has retained on the filters, as a short session of its own reads it; answered by
   * `Hub.stored(reading, …)`, once, at any later time.
   */
  readStored(reading: number, filters: readonly string[]): void;
  /** Local data session: PUBACK for `LocalMessage.ack`. At any later time, in any order, never after `Hub.dataDown`. */
  acknowledge(ack: number, reasonCode: number): void;
  /**
   * State that outlives the process; null: forgotten. It must be written, though not synced, before any call made after this
   * one takes effect.
   */
  save(key: string, value: Uint8Array | null): void;
  /** Bytes for the peer's control topic, in order with frames of the same link. */
  sendControl(link: string, bytes: Uint8Array): void;
  /**
   * The peer's agent said hello. What we subscribe to on its broker it may not have seen us subscribe: do it again, so that
   * its count of that broker's subscriptions can come out even.
   */
  peerGreeted(link: string): void;
  /** Bytes for a cluster that we have no (enabled) link with, in the name it used for us: on the local broker. */
  answerStranger(to: string, as: string, bytes: Uint8Array): void;
  /** Bytes for the peer's message topic. `confirm`: publish at QoS 1; a refusal is told by `Hub.frameRefused(link, frame, …)`. */
  sendFrame(link: string, frame: number, bytes: Uint8Array, confirm: boolean): void;
  /** Whether the link's connection takes less than it was given: what can wait should. Its end is a turn of its own. */
  congested(link: string): boolean;
  /** Something an operator may want to know: a state change, a drop, a refusal. */
  report(event: HubEvent): void;
}
