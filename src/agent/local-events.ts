/**
 * The `-events` session on the local broker and the adapter that reads it: what clients subscribe comes in here. A thin
 * shell; the adapter knows what the lines mean.
 */
import type { BrokerAdapter } from "../broker/adapter.ts";
import { MqttSession, type SessionOptions, type SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import { clockMs } from "../ops/clock.ts";

export interface LocalEventsSink {
  up(): void;
  down(problem: SessionProblem): void;
}

export class LocalEvents {
  readonly #adapter: BrokerAdapter;
  readonly #sink: LocalEventsSink;
  readonly #clientId: string;
  readonly #session: MqttSession;
  /** Since when events may have been missed; null: never connected. */
  #downAtMs: number | null = null;

  constructor(options: SessionOptions, adapter: BrokerAdapter, sink: LocalEventsSink) {
    this.#adapter = adapter;
    this.#sink = sink;
    this.#clientId = options.clientId;
    this.#session = new MqttSession(options, {
      connected: (how) => this.#connected(how.sessionPresent),
      disconnected: (problem) => this.#disconnected(problem),
      message: (topic, payload, about) => adapter.message(topic, payload, about.retain, clockMs()),
    });
  }

  start(): void {
    this.#session.start();
  }

  get counters(): Readonly<SessionCounters> {
    return this.#session.counters;
  }

  stop(graceMs: number): Promise<void> {
    return this.#session.stop(graceMs);
  }

  get deadlineMs(): number {
    return this.#adapter.deadlineMs;
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#adapter.deadlineMs) this.#adapter.tick(nowMs);
  }

  refreshCount(nowMs: number): void {
    this.#adapter.refreshCount(nowMs);
  }

  #connected(sessionPresent: boolean): void {
    const nowMs = clockMs();
    const awayMs = this.#downAtMs === null ? null : nowMs - this.#downAtMs;
    this.#sink.up();
    const session = this.#session;
    this.#adapter.up(
      {
        clientId: this.#clientId,
        subscribe: (filters, qos, granted) =>
          session.subscribe(
            filters.map((filter) => ({ filter, qos })),
            granted,
          ),
        unsubscribe: (filters, done) => session.unsubscribe(filters, done),
      },
      { sessionPresent, awayMs },
      nowMs,
    );
  }

  #disconnected(problem: SessionProblem): void {
    if (problem.wasConnected) {
      this.#downAtMs = clockMs();
      this.#adapter.down(this.#downAtMs);
    }
    this.#sink.down(problem);
  }
}
