/**
 * The adapter for brokers that tell nothing: the interest is what the configuration says, held by a client that exists on
 * paper only. It reads nothing, so it is exact from the start; clients with other subscriptions simply do not count.
 */
import type { AdapterSink, BrokerAdapter, EventsSession, EventsUp } from "./adapter.ts";

/** The holder of all filters, as `explain` and `status` show it. */
export const STATIC_CLIENT = "(configuration)";

export class StaticAdapter implements BrokerAdapter {
  readonly kind = "static";
  readonly awayMaxMs = Number.POSITIVE_INFINITY;
  readonly #sink: AdapterSink;
  readonly #filters: readonly string[];
  #said = false;

  /** `filters`: valid ones, `$share/group/filter` included. */
  constructor(filters: readonly string[], sink: AdapterSink) {
    this.#filters = filters;
    this.#sink = sink;
  }

  up(_session: EventsSession, _how: EventsUp, nowMs: number): void {
    this.tick(nowMs);
  }

  down(_nowMs: number): void {}

  message(_topic: string, _payload: Uint8Array, _retain: boolean, _nowMs: number): void {}

  refreshCount(_nowMs: number): void {}

  announceOwn(): void {}

  /** At once, before the broker is even reached: an empty interest must never be announced first. */
  get deadlineMs(): number {
    return this.#said ? Number.POSITIVE_INFINITY : 0;
  }

  tick(_nowMs: number): void {
    if (this.#said) return;
    this.#said = true;
    const client = STATIC_CLIENT;
    this.#sink.event({ type: "events_enabled", enabled: true });
    this.#sink.event({ type: "connected", client, cleanStart: true, session: "outlives_connection" });
    for (const filter of this.#filters) this.#sink.event({ type: "subscribed", client, filter, certain: true });
  }
}
