/**
 * How one kind of broker tells us of its clients' subscriptions.
 *
 * An adapter owns the translation of that broker's own lines and nothing else: it subscribes through the events session
 * it is handed, and answers InterestEvents in the order of the broker.
 */
import type { ApiProblem, BrokerApiStatus } from "../ops/broker-api-status.ts";
import type { InterestEvent } from "../route/interest-event.ts";

/** What an adapter needs of the `-events` session. Calls never answer before they return. */
export interface EventsSession {
  /** `granted` gets the reason codes, one per filter, or null when the connection was lost first. */
  subscribe(filters: readonly string[], qos: 0 | 1, granted: (codes: readonly number[] | null) => void): void;
  unsubscribe(filters: readonly string[], done: (codes: readonly number[] | null) => void): void;
  readonly clientId: string;
}

export interface EventsUp {
  readonly sessionPresent: boolean;
  /** How long the session was away, or null on the first connection of this process. */
  readonly awayMs: number | null;
}

export interface AdapterSink {
  event(event: InterestEvent): void;
  /** A line that could not be used, or could only be used in part; counted by kind, logged now and then. */
  odd(kind: "unparsable" | "ambiguous" | "cut", line: string): void;
  /** What an operator should change in the broker, said once per state. */
  advise(text: string): void;
  /** Messages that the broker says it dropped for its clients, as a running total. `live`: it has just risen; else it is history. */
  brokerDropped(total: number, live: boolean): void;
  /** The broker's API does not do what it should; null: it does again. Said when it changes. */
  apiProblem?(problem: ApiProblem | null): void;
  /** `deadlineMs` may have changed outside of any call. */
  wake?(): void;
}

export interface BrokerAdapter {
  readonly kind: string;
  /** How long the events session may be away before a subscription goes unnoticed. 0: nothing is queued for it; Infinity: there are no events. */
  readonly awayMaxMs: number;
  /** The events session is connected (again). */
  up(session: EventsSession, how: EventsUp, nowMs: number): void;
  down(nowMs: number): void;
  /** A message of the events session. `dup`: it may have been delivered before, and then its place is not here. */
  message(topic: string, payload: Uint8Array, retain: boolean, nowMs: number, dup?: boolean): void;
  /** Ask the broker for a fresh count, if it has one (toggle the own probe filter). */
  refreshCount(nowMs: number): void;
  /** Makes the broker announce the rows of the events session itself again: after a gap they have to be seen anew like everybody's. */
  announceOwn(): void;
  /** When `tick` wants to be called next; Infinity: never. */
  readonly deadlineMs: number;
  tick(nowMs: number): void;
  /** Absent: the adapter knows events only. */
  readonly api?: BrokerApiStatus;
}
