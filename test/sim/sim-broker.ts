/**
 * A broker, as far as an agent can tell: sessions with one FIFO each, subscription events before the SUBACK, counters at
 * their place among them, restarts with and without its sessions. What differs between kinds is said in shape.ts.
 */
import { matches } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";
import type { MessageProperties } from "../../src/wire/message.ts";
import type { BrokerKind } from "./shape.ts";

export interface SimMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly properties: MessageProperties | null;
}

/** A copy of a message for one session. */
export interface Delivery extends SimMessage {
  /** Ids of the subscriptions that this copy belongs to (Mosquitto: always one). */
  readonly ids: readonly number[];
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly dup: boolean;
}

interface Subscription {
  readonly filter: string;
  readonly id: number;
  readonly noLocal: boolean;
}

export interface SimSession {
  readonly client: string;
  readonly persistent: boolean;
  connected: boolean;
  readonly subscriptions: Map<string, Subscription>;
  /** What arrives for a session, in order; null: it queues. */
  deliver: ((message: Delivery) => void) | null;
  queue: Delivery[];
  /** Sent and not acknowledged: sent again on the next connection. Only sessions that acknowledge by hand have any. */
  unacked: Delivery[];
  acknowledges: boolean;
  packetId: number;
}

export type SimEvent =
  | {
      readonly type: "connected";
      readonly client: string;
      /** Null: the broker does not say what becomes of the session. */
      readonly persistent: boolean | null;
      readonly cleanStart: boolean;
    }
  | { readonly type: "disconnected"; readonly client: string }
  | { readonly type: "expired"; readonly client: string }
  | { readonly type: "subscribed"; readonly client: string; readonly filter: string }
  | { readonly type: "unsubscribed"; readonly client: string; readonly filter: string }
  | { readonly type: "count"; readonly plain: number; readonly shared: number };

export class SimBroker {
  readonly kind: BrokerKind;
  readonly sessions = new Map<string, SimSession>();
  /** The agent's events session, if it is connected. */
  observer: ((event: SimEvent) => void) | null = null;
  up = true;
  /** Filters that the access list denies the agent. */
  denied: ((filter: string) => boolean) | null = null;
  /** Answers "quota exceeded" to every publish of the agent. */
  busy = false;
  /** All messages published here, by everybody. */
  published = 0;
  readonly #untracked: number;
  #lastCount = "";
  #share = 0;
  readonly #watchers: ((from: string, message: SimMessage) => void)[] = [];

  constructor(kind: BrokerKind, untracked: number) {
    this.kind = kind;
    this.#untracked = untracked;
  }

  /** Sees every publish: a foreign bridge, a counter. */
  watch(watcher: (from: string, message: SimMessage) => void): void {
    this.#watchers.push(watcher);
  }

  /** `tellsEnd`: whether the broker's events say what becomes of the session when its connection ends. */
  connect(client: string, persistent: boolean, cleanStart: boolean, tellsEnd = true): SimSession {
    let session = this.sessions.get(client);
    if (session === undefined || cleanStart) {
      session = {
        client,
        persistent,
        connected: true,
        subscriptions: new Map(),
        deliver: null,
        queue: [],
        unacked: [],
        acknowledges: false,
        packetId: 0,
      };
      this.sessions.set(client, session);
    }
    session.connected = true;
    this.#emit({ type: "connected", client, persistent: tellsEnd ? session.persistent : null, cleanStart });
    return session;
  }

  /** The session's inbox is open: what was queued goes first. */
  attach(session: SimSession, deliver: (message: Delivery) => void): void {
    session.deliver = deliver;
    for (const message of session.queue.splice(0)) this.#send(session, message);
  }

  acknowledge(session: SimSession, packetId: number): void {
    const at = session.unacked.findIndex((message) => message.packetId === packetId);
    if (at >= 0) session.unacked.splice(at, 1);
  }

  disconnect(client: string): void {
    const session = this.sessions.get(client);
    if (session === undefined || !session.connected) return;
    this.#detach(session);
    this.#emit({ type: "disconnected", client });
  }

  /** The session of a client that is away comes to its end. */
  expire(client: string): void {
    if (this.sessions.delete(client)) this.#emit({ type: "expired", client });
  }

  /** Ends without a word. `keep`: sessions that outlive their connection survive. Answers the messages lost with queues. */
  crash(keep: boolean): Delivery[] {
    this.up = false;
    this.observer = null;
    this.#lastCount = "";
    const lost: Delivery[] = [];
    for (const session of [...this.sessions.values()]) {
      if (session.connected) this.#detach(session);
      if (keep) continue;
      lost.push(...session.queue);
      this.sessions.delete(session.client);
    }
    return lost;
  }

  /** The agent's own SUBSCRIBE; answers its reason code. */
  subscribe(client: string, filter: string, id = 0, noLocal = false): number {
    const session = this.sessions.get(client);
    if (session === undefined) return 0x80;
    if (noLocal && this.denied?.(filter) === true) return 0x87;
    session.subscriptions.set(filter, { filter, id, noLocal: noLocal && this.kind !== "echo" });
    this.#emit({ type: "subscribed", client, filter });
    return 1;
  }

  unsubscribe(client: string, filter: string): void {
    this.sessions.get(client)?.subscriptions.delete(filter);
    this.#emit({ type: "unsubscribed", client, filter });
  }

  publish(from: string, message: SimMessage): void {
    if (!this.up) return;
    this.published += 1;
    const crossing: SimMessage = this.kind === "v5" ? message : { ...message, properties: null };
    const groups = new Map<string, SimSession[]>();
    for (const session of this.sessions.values()) {
      let copies = 0;
      for (const subscription of session.subscriptions.values()) {
        const { group, filter } = splitShared(subscription.filter);
        if (!matches(filter, message.topic) || (subscription.noLocal && session.client === from)) continue;
        if (group !== null) {
          const members = groups.get(subscription.filter) ?? [];
          members.push(session);
          groups.set(subscription.filter, members);
          continue;
        }
        copies += 1;
        if (this.kind === "v5") this.#deliver(session, crossing, subscription.id === 0 ? [] : [subscription.id]);
        else if (copies === 1) this.#deliver(session, crossing, []);
      }
    }
    for (const members of groups.values()) {
      const connected = members.filter((member) => member.connected);
      const candidates = connected.length > 0 ? connected : members;
      this.#share += 1;
      const chosen = candidates[this.#share % candidates.length];
      if (chosen !== undefined) this.#deliver(chosen, crossing, []);
    }
    for (const watcher of this.#watchers) watcher(from, crossing);
  }

  /** The counters of `$SYS`, published when they changed. */
  sys(): void {
    if (!this.up) return;
    let plain = this.#untracked;
    let shared = 0;
    for (const session of this.sessions.values()) {
      for (const filter of session.subscriptions.keys()) {
        if (filter.startsWith("$share/")) shared += 1;
        else plain += 1;
      }
    }
    const text = `${plain} ${shared}`;
    if (text === this.#lastCount) return;
    this.#lastCount = text;
    this.#emit({ type: "count", plain, shared });
  }

  /** Forces a fresh count, as toggling a probe filter does. */
  touchCount(): void {
    this.#lastCount = "";
  }

  #detach(session: SimSession): void {
    session.connected = false;
    session.deliver = null;
    session.queue = [...session.unacked.splice(0).map((message) => ({ ...message, dup: true })), ...session.queue];
    if (!session.persistent) this.sessions.delete(session.client);
  }

  #deliver(session: SimSession, message: SimMessage, ids: readonly number[]): void {
    if (session.deliver === null && (!session.persistent || message.qos === 0)) return;
    if (message.qos === 1) session.packetId = (session.packetId % 65_535) + 1;
    const packetId = message.qos === 1 ? session.packetId : 0;
    const delivery: Delivery = { ...message, ids, packetId, dup: false };
    if (session.deliver === null) session.queue.push(delivery);
    else this.#send(session, delivery);
  }

  #send(session: SimSession, delivery: Delivery): void {
    if (session.acknowledges && delivery.qos === 1) session.unacked.push(delivery);
    session.deliver?.(delivery);
  }

  #emit(event: SimEvent): void {
    this.observer?.(event);
  }
}
