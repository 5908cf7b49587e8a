/**
 * The peer's states on their way into the local broker. Before one is published as retained, what the broker has retained on
 * its topic is read: a state fills a gap, or follows a value that is marked as the same cluster's. What anybody else put there
 * stays, and nothing is ever deleted. A live message of the peer that passes meanwhile takes the state's place. Pure.
 */
import { readMark } from "../flow/mark.ts";
import { packMessage } from "../wire/frame.ts";
import type { MessageProperties } from "../wire/message.ts";
import type { Republish } from "./republish.ts";
import type { StateCounters, StateInSkip } from "./state-counters.ts";
import type { StoredAnswer, StoredMessage } from "./stored.ts";

/** Topics asked for at a time: the broker announces each of these subscriptions. */
const TOPICS_MAX = 100;
/** A broker that could not be asked is not asked again for this long: live messages wait behind states. */
const UNREADABLE_MS = 30_000;

export interface StateSinkParts {
  readonly counters: StateCounters;
  read(topics: readonly string[], done: (answer: StoredAnswer, nowMs: number) => void): void;
  publish(token: number, message: Republish, nowMs: number): void;
  /** The state needs nothing more of anybody. */
  settle(token: number, nowMs: number): void;
  /** The local broker cannot be asked. */
  unreadable(why: string, nowMs: number): void;
}

interface PendingState {
  readonly token: number;
  readonly message: Republish;
  readonly origin: string;
}

export class StateSink {
  readonly #parts: StateSinkParts;
  /** By topic, in the order in which they came. */
  readonly #pending = new Map<string, PendingState>();
  /** Counts connections of the data session: an answer to an earlier one's question is void. */
  #life = 0;
  #wanted = false;
  #isReading = false;
  #unreadableUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: StateSinkParts) {
    this.#parts = parts;
  }

  /** This cluster wants states, and its broker can tell whose the retained ones are. */
  get wanted(): boolean {
    return this.#wanted;
  }

  want(wanted: boolean, nowMs: number): void {
    this.#wanted = wanted;
    if (wanted) return;
    for (const { token } of this.#pending.values()) this.#skip(token, "not_asked_for", nowMs);
    this.#pending.clear();
  }

  /** `origin`: the cluster that the state is of. */
  take(token: number, message: Republish, origin: string, nowMs: number): void {
    const { topic, payload } = message;
    // An empty payload would delete what is there.
    if (!this.#wanted || payload.length === 0) this.#skip(token, "not_asked_for", nowMs);
    else if (nowMs < this.#unreadableUntilMs) this.#skip(token, "unreadable", nowMs);
    else {
      this.live(topic, nowMs);
      this.#pending.set(topic, { token, message, origin });
    }
  }

  /** A younger message of the peer is about to be published. */
  live(topic: string, nowMs: number): void {
    const pending = this.#pending.get(topic);
    if (pending === undefined) return;
    this.#pending.delete(topic);
    this.#skip(pending.token, "live", nowMs);
  }

  /** The connection is over: everything that was in hand comes again. */
  localDown(): void {
    this.#life += 1;
    this.#isReading = false;
    this.#pending.clear();
  }

  flush(): void {
    if (this.#isReading || this.#pending.size === 0) return;
    this.#isReading = true;
    const asked = new Map<string, PendingState>();
    for (const [topic, pending] of this.#pending) {
      asked.set(topic, pending);
      if (asked.size === TOPICS_MAX) break;
    }
    const life = this.#life;
    this.#parts.read([...asked.keys()], (answer, nowMs) => {
      if (life === this.#life) this.#answered(asked, answer, nowMs);
    });
  }

  #answered(asked: ReadonlyMap<string, PendingState>, { outcome, messages }: StoredAnswer, nowMs: number): void {
    this.#isReading = false;
    const isWhole = outcome === "whole";
    if (!isWhole) {
      this.#unreadableUntilMs = nowMs + UNREADABLE_MS;
      this.#parts.unreadable("the local broker does not tell what it has retained", nowMs);
    }
    const stored = new Map(messages.map((message) => [message.topic, message]));
    for (const [topic, pending] of asked) {
      // A live message, or a younger state, took its place.
      if (this.#pending.get(topic) !== pending) continue;
      this.#pending.delete(topic);
      const reason = isWhole ? reasonAgainst(pending, stored.get(topic)) : "unreadable";
      if (reason !== null) this.#skip(pending.token, reason, nowMs);
      else {
        this.#parts.counters.published += 1;
        this.#parts.publish(pending.token, pending.message, nowMs);
      }
    }
  }

  #skip(token: number, reason: StateInSkip, nowMs: number): void {
    this.#parts.counters.in[reason] += 1;
    this.#parts.settle(token, nowMs);
  }
}

function reasonAgainst({ message, origin }: PendingState, stored: StoredMessage | undefined): StateInSkip | null {
  if (stored === undefined) return null;
  const mark = readMark(stored.properties, stored.topic);
  if (mark.kind !== "fits" || mark.origin !== origin) return "not_theirs";
  const isSame =
    sameBytes(stored.payload, message.payload) &&
    sameBytes(propertyBytes(stored.properties), propertyBytes(message.properties));
  return isSame ? "same" : null;
}

/** In the one form that the wire has for them. */
function propertyBytes(properties: MessageProperties | null): Uint8Array {
  return packMessage({ topic: "t", payload: new Uint8Array(0), qos: 0, retain: false, properties, expiryMs: null });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
