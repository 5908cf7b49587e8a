/**
 * The adapter for EMQX: its client events in `$SYS`, and, where an API key is given, its list of subscriptions over REST,
 * which proves the table complete and mends what events do not say. Puts the two together; each knows its own business.
 */
import type { BrokerApiStatus } from "../ops/broker-api-status.ts";
import type { AdapterSink, BrokerAdapter, EventsSession, EventsUp } from "./adapter.ts";
import type { AdapterOptions } from "./adapter-options.ts";
import type { ApiTransport } from "./api-transport.ts";
import { EMQX_EVENTS_TOPIC, EventsAdapter } from "./events.ts";
import { PAGE_ROWS, SubscriptionPoll } from "./subscription-poll.ts";

export interface EmqxApiOptions {
  readonly transport: ApiTransport;
  readonly pollIntervalMs: number;
  /** `PAGE_ROWS` unless told. */
  readonly pageRows?: number;
}

export class EmqxAdapter implements BrokerAdapter {
  readonly kind = "emqx";
  readonly awayMaxMs: number;
  readonly #events: EventsAdapter;
  readonly #poll: SubscriptionPoll;
  #nowMs = 0;

  constructor(options: AdapterOptions, { transport, pollIntervalMs, pageRows = PAGE_ROWS }: EmqxApiOptions) {
    const { sink, random } = options;
    this.#poll = new SubscriptionPoll({ sink, transport, intervalMs: pollIntervalMs, pageRows, random });
    const noting: AdapterSink = {
      event: (event) => {
        const dies = event.type === "disconnected" && this.#events.dies(event.client);
        sink.event(event);
        this.#poll.note(event, dies, this.#nowMs);
      },
      odd: (kind, line) => sink.odd(kind, line),
      advise: (text) => sink.advise(text),
      brokerDropped: (total, live) => sink.brokerDropped(total, live),
    };
    this.#events = new EventsAdapter("emqx", EMQX_EVENTS_TOPIC, { ...options, sink: noting }, () => this.#poll.start());
    this.awayMaxMs = this.#events.awayMaxMs;
  }

  get api(): BrokerApiStatus {
    return this.#poll.status;
  }

  up(session: EventsSession, how: EventsUp, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#events.up(session, how, nowMs);
  }

  down(nowMs: number): void {
    this.#poll.stop();
    this.#events.down(nowMs);
  }

  message(topic: string, payload: Uint8Array, retain: boolean, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#events.message(topic, payload, retain, nowMs);
  }

  /** The list is what settles doubts here. */
  refreshCount(nowMs: number): void {
    this.#poll.soon(nowMs);
  }

  announceOwn(): void {}

  get deadlineMs(): number {
    return Math.min(this.#events.deadlineMs, this.#poll.deadlineMs);
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (nowMs >= this.#events.deadlineMs) this.#events.tick(nowMs);
    if (nowMs >= this.#poll.deadlineMs) this.#poll.tick(nowMs);
  }
}
