/**
 * What the local broker shows of itself beside its clients' subscriptions: what an operator should change in it, what could
 * not be read, what it dropped or denies, how its API is. Keeps the present state for the status, and reports changes.
 */
import type { BrokerAdapter } from "../broker/adapter.ts";
import type { BrokerApiStatus } from "../ops/broker-api-status.ts";
import type { Report } from "./report.ts";

export class BrokerNews {
  readonly #report: Report;
  #controlDenied: string | null = null;
  #advice: string | null = null;
  readonly #odd: Record<string, number> = {};
  #brokerDropped: number | null;
  #adapter: BrokerAdapter | null = null;

  /** `brokerDropped`: 0 where the broker says nothing as long as it has dropped nothing. */
  constructor(report: Report, brokerDropped: 0 | null) {
    this.#report = report;
    this.#brokerDropped = brokerDropped;
  }

  get controlDenied(): string | null {
    return this.#controlDenied;
  }

  get eventsAdvice(): string | null {
    return this.#advice;
  }

  get oddLines(): Readonly<Record<string, number>> {
    return this.#odd;
  }

  get brokerDropped(): number | null {
    return this.#brokerDropped;
  }

  get brokerApi(): BrokerApiStatus | null {
    return this.#adapter?.api ?? null;
  }

  /** Whose API that is. */
  of(adapter: BrokerAdapter): BrokerAdapter {
    this.#adapter = adapter;
    return adapter;
  }

  eventsWork(): void {
    this.#advice = null;
  }

  advise(text: string): void {
    this.#advice = text;
    this.#report.advice(text);
  }

  odd(kind: string, line: string): void {
    this.#odd[kind] = (this.#odd[kind] ?? 0) + 1;
    this.#report.oddLine(kind, line);
  }

  dropped(total: number, live: boolean): void {
    this.#brokerDropped = total;
    this.#report.brokerDropped(total, live);
  }

  denied(topic: string, why: string): void {
    const denied = `${topic}: ${why}`;
    if (this.#controlDenied === denied) return;
    this.#controlDenied = denied;
    this.#report.controlDenied(topic, why);
  }

  controlWorks(): void {
    if (this.#controlDenied !== null) this.#report.controlWorks();
    this.#controlDenied = null;
  }
}
