/**
 * A broker like Mosquitto, as far as an agent can tell: MQTT 5 sessions with one FIFO each, one copy per matching
 * subscription with its identifier, No Local, subscription events before the SUBACK, counters at their place among them.
 */
import { matches } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";
import type { MessageProperties } from "../../src/wire/message.ts";

export interface SimMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly properties: MessageProperties | null;
  /** Ids of the subscriptions that this copy belongs to (Mosquitto: always one). */
  readonly ids: readonly number[];
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
  deliver: ((message: SimMessage) => void) | null;
  readonly queue: SimMessage[];
}

export type SimEvent =
  | {
      readonly type: "connected";
      readonly client: string;
      readonly persistent: boolean;
      readonly cleanStart: boolean;
    }
  | { readonly type: "disconnected"; readonly client: string }
  | { readonly type: "subscribed"; readonly client: string; readonly filter: string }
  | { readonly type: "unsubscribed"; readonly client: string; readonly filter: string }
  | { readonly type: "count"; readonly plain: number; readonly shared: number };

export class SimBroker {
  readonly sessions = new Map<string, SimSession>();
  /** The agent's events session, if it is connected. */
  observer: ((event: SimEvent) => void) | null = null;
  #lastCount = "";
  #share = 0;

  connect(client: string, persistent: boolean, cleanStart: boolean): SimSession {
    let session = this.sessions.get(client);
    if (session === undefined || cleanStart) {
      session = { client, persistent, connected: true, subscriptions: new Map(), deliver: null, queue: [] };
      this.sessions.set(client, session);
    }
    session.connected = true;
    this.#emit({ type: "connected", client, persistent: session.persistent, cleanStart });
    return session;
  }

  /** The session's inbox is open: what was queued goes first. */
  attach(session: SimSession, deliver: (message: SimMessage) => void): void {
    session.deliver = deliver;
    for (const message of session.queue.splice(0)) deliver(message);
  }

  disconnect(client: string): void {
    const session = this.sessions.get(client);
    if (session === undefined || !session.connected) return;
    session.connected = false;
    session.deliver = null;
    if (!session.persistent) this.sessions.delete(client);
    this.#emit({ type: "disconnected", client });
  }

  subscribe(client: string, filter: string, id = 0, noLocal = false): void {
    const session = this.sessions.get(client);
    if (session === undefined) return;
    session.subscriptions.set(filter, { filter, id, noLocal });
    this.#emit({ type: "subscribed", client, filter });
  }

  unsubscribe(client: string, filter: string): void {
    this.sessions.get(client)?.subscriptions.delete(filter);
    this.#emit({ type: "unsubscribed", client, filter });
  }

  publish(from: string, message: Omit<SimMessage, "ids">): void {
    const groups = new Map<string, SimSession[]>();
    for (const session of this.sessions.values()) {
      for (const subscription of session.subscriptions.values()) {
        const { group, filter } = splitShared(subscription.filter);
        if (!matches(filter, message.topic)) continue;
        if (subscription.noLocal && session.client === from) continue;
        if (group !== null) {
          const key = subscription.filter;
          const members = groups.get(key) ?? [];
          members.push(session);
          groups.set(key, members);
          continue;
        }
        this.#deliver(session, { ...message, ids: subscription.id === 0 ? [] : [subscription.id] });
      }
    }
    for (const members of groups.values()) {
      const connected = members.filter((member) => member.connected);
      this.#share += 1;
      const chosen = (connected.length > 0 ? connected : members)[
        this.#share % (connected.length > 0 ? connected.length : members.length)
      ];
      if (chosen !== undefined) this.#deliver(chosen, { ...message, ids: [] });
    }
  }

  /** The counters of `$SYS`, published when they changed. */
  sys(): void {
    let plain = 0;
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

  #deliver(session: SimSession, message: SimMessage): void {
    if (session.deliver !== null) session.deliver(message);
    else if (session.persistent && message.qos === 1) session.queue.push(message);
  }

  #emit(event: SimEvent): void {
    this.observer?.(event);
  }
}
