/** How the local broker is, as its sessions and its own words show it. Each change is logged once, by the report. */
import type { BrokerAdapter } from "../broker/adapter.ts";
import type { BrokerKind } from "../config/types.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import type { AgentStatus, SessionStatus } from "../ops/agent-status.ts";
import type { LocalSessionName } from "./local-broker-options.ts";
import type { Report } from "./report.ts";

const NOT_YET: SessionStatus = { up: false, reason: "not connected yet" };

export class LocalHealth {
  readonly #report: Report;
  readonly #sessions: Record<LocalSessionName, SessionStatus> = { events: NOT_YET, link: NOT_YET, data: NOT_YET };
  readonly #oddLines: Record<string, number> = {};
  #controlDenied: string | null = null;
  #advice: string | null = null;
  #dropped: number | null;
  #adapter: BrokerAdapter | null = null;

  constructor(broker: BrokerKind, report: Report) {
    this.#report = report;
    // Mosquitto says nothing as long as it has dropped nothing.
    this.#dropped = broker === "mosquitto" ? 0 : null;
  }

  get status(): Pick<
    AgentStatus,
    "sessions" | "controlDenied" | "eventsAdvice" | "oddLines" | "brokerDropped" | "brokerApi"
  > {
    return {
      sessions: this.#sessions,
      controlDenied: this.#controlDenied,
      eventsAdvice: this.#advice,
      oddLines: this.#oddLines,
      brokerDropped: this.#dropped,
      brokerApi: this.#adapter?.api ?? null,
    };
  }

  /** Whose API it is, where the broker has one. */
  of(adapter: BrokerAdapter): BrokerAdapter {
    this.#adapter = adapter;
    return adapter;
  }

  /** All three sessions stand. */
  get isConnected(): boolean {
    return Object.values(this.#sessions).every(({ up }) => up);
  }

  isUp(name: LocalSessionName): boolean {
    return this.#sessions[name].up;
  }

  session(name: LocalSessionName, up: boolean, problem: SessionProblem | null): void {
    this.#sessions[name] = { up, reason: problem?.reason ?? null };
    this.#report.session(name, up, problem);
  }

  /** It announces subscriptions. */
  announces(): void {
    this.#advice = null;
  }

  advise(text: string): void {
    this.#advice = text;
    this.#report.advice(text);
  }

  odd(kind: string, line: string): void {
    this.#oddLines[kind] = (this.#oddLines[kind] ?? 0) + 1;
    this.#report.oddLine(kind, line);
  }

  dropped(total: number, live: boolean): void {
    this.#dropped = total;
    this.#report.brokerDropped(total, live);
  }

  controlIsDenied(topic: string, why: string): void {
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
