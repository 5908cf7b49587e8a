/**
 * The `-events` session on the local broker and the adapter that reads it: what clients subscribe comes in here. A thin
 * shell; the adapter knows what the lines mean.
 */
import type { BrokerAdapter } from "../broker/adapter.ts";
import { MqttSession, type SessionOptions, type SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import { clockMs } from "../ops/clock.ts";

/** A reconnect takes its moment; and when the whole broker goes, not all sessions notice at once. */
const AWAY_MIN_MS = 1_000;

export interface LocalEventsSink {
  up(): void;
  down(problem: SessionProblem): void;
  /** The session has been away for so long that a subscription may have gone unnoticed. Said once per absence. */
  away(): void;
  /** Whether clients can subscribe meanwhile: the broker is there, only this session is not. */
  brokerIsUp(): boolean;
}

export class LocalEvents {
  readonly #adapter: BrokerAdapter;
  readonly #sink: LocalEventsSink;
  readonly #clientId: string;
  readonly #session: MqttSession;
  /** Since when events may have been missed; null: never connected. */
  #downAtMs: number | null = null;
  #awayAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SessionOptions, adapter: BrokerAdapter, sink: LocalEventsSink) {
    this.#adapter = adapter;
    this.#sink = sink;
    this.#clientId = options.clientId;
    this.#session = new MqttSession(options, {
      connected: (how) => this.#connected(how.sessionPresent),
      disconnected: (problem) => this.#disconnected(problem),
      message: (topic, payload, about) => adapter.message(topic, payload, about.retain, clockMs(), about.dup),
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
    return Math.min(this.#adapter.deadlineMs, this.#sink.brokerIsUp() ? this.#awayAtMs : Number.POSITIVE_INFINITY);
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#awayAtMs && this.#sink.brokerIsUp()) {
      this.#awayAtMs = Number.POSITIVE_INFINITY;
      this.#sink.away();
    }
    if (nowMs >= this.#adapter.deadlineMs) this.#adapter.tick(nowMs);
  }

  refreshCount(nowMs: number): void {
    this.#adapter.refreshCount(nowMs);
  }

  announceOwn(): void {
    if (this.#session.connected) this.#adapter.announceOwn();
  }

  #connected(sessionPresent: boolean): void {
    const nowMs = clockMs();
    const awayMs = this.#downAtMs === null ? null : nowMs - this.#downAtMs;
    this.#awayAtMs = Number.POSITIVE_INFINITY;
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
      this.#awayAtMs = this.#downAtMs + Math.max(this.#adapter.awayMaxMs, AWAY_MIN_MS) + 1;
      this.#adapter.down(this.#downAtMs);
    }
    this.#sink.down(problem);
  }
}
