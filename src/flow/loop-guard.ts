/**
 * Finds messages that another bridge carries in a circle: over our link to the peer, and back by a way that strips our
 * mark. A payload that repeats proves nothing (a sensor may say "on" ten times a second), so the guard experiments:
 *
 *   watching ──a key returns 3× soon after its confirmation──▶ holding ──returns go on──▶ trusted (for a while)
 *      ▲                                                        │ falls quiet: we hold what circles
 *      │ nothing comes back                                     ▼ all released, in order
 *      └───────────────────────────────────────────────────── proving ──it comes back──▶ holding once more
 *                                                               │ it comes back the second time
 *   watching ◀──── 60 s without a return ──── looping ◀─────────┘ (returns are dropped, the topic is named)
 *
 * Keys that were never there before say nothing: somebody may well publish on a topic whose messages circle.
 * A genuine publisher is delayed once by the hold and loses nothing: at a limit holds end before their time, and what they
 * had goes on (`guard-holds.ts`). Pure; the caller owns the messages.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { contentKey } from "../base/hash.ts";
import { GuardHolds, type Hold, type HoldStatus } from "./guard-holds.ts";

/** Returns of one key that make its topic suspect. */
const RETURNS_SUSPECT = 3;
/**
 * "Soon" after the last confirmation, or after the forwarding while there is none: what circles does not rest. The other
 * bridge may well be faster than the confirmation, and a QoS 0 message never gets one.
 */
const SOON_MS = 100;
/** No circle through two brokers is shorter: a burst of equal messages is none. */
const CIRCLE_MIN_MS = 1;
/** Nobody confirms best-effort messages: theirs counts from when they left, and the way there is part of it. */
const SOON_BEST_EFFORT_MS = 250;
const SOON_ROUND_TRIPS = 4;
/** After an outage a round trip seems endless; what circles as slowly as this does no harm. */
const SOON_MAX_MS = 5_000;
const QUIET_MIN_MS = 100;
const QUIET_MAX_MS = 2_000;
const HOLD_MIN_MS = 500;
const HOLD_MAX_MS = 10_000;
const CONFIRMATIONS = 2;
/** Trust in a topic that was taken for genuine, doubled each time: a slow link can make a circle look so, and it must not last. */
const TRUST_MS = 10_000;
const TRUST_MAX_MS = 3_600_000;
const LOOPING_MS = 60_000;
const KEYS_MAX = 4_096;
const TOPICS_MAX = 1_024;

interface KeyRecord {
  returns: number;
  arrivedAtMs: number;
  /** When the first copy left that is not confirmed; null: none is under way. */
  sentAtMs: number | null;
  /** The last confirmation of any copy: several may circle at a time. */
  settledAtMs: number | null;
  bestEffort: boolean;
}

type TopicState<T> =
  | Hold<T>
  | {
      readonly kind: "proving";
      readonly keys: ReadonlySet<string>;
      readonly untilMs: number;
      readonly quietMs: number;
      readonly confirmations: number;
    }
  | { readonly kind: "trusted"; readonly untilMs: number }
  | { readonly kind: "looping"; readonly keys: BoundedMap<string, true>; untilMs: number };

export type GuardVerdict = "pass" | "hold" | "drop";

export class LoopGuard<T> {
  readonly #keys = new BoundedMap<string, KeyRecord>(KEYS_MAX);
  readonly #topics = new BoundedMap<string, TopicState<T>>(TOPICS_MAX);
  /** How long each topic was trusted last: the next time it is twice as long. */
  readonly #trustedMs = new BoundedMap<string, number>(TOPICS_MAX);
  readonly #holds = new GuardHolds<T>();
  readonly #sizeOf: (item: T) => number;
  #released: T[] = [];
  #alarms: string[] = [];
  #roundTripMs = 0;

  /** `sizeOf`: what a held message takes in memory. */
  constructor(sizeOf: (item: T) => number) {
    this.#sizeOf = sizeOf;
  }

  get status(): HoldStatus {
    return this.#holds.status;
  }

  get deadlineMs(): number {
    if (this.#released.length > 0) return 0;
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const [, { returnedAtMs, sinceMs, quietMs }] of this.#holds.open())
      deadlineMs = Math.min(deadlineMs, returnedAtMs + quietMs, sinceMs + this.#holdMs(quietMs));
    return deadlineMs;
  }

  /** Whether messages of this topic wait here: others of it must not overtake them. */
  holds(topic: string): boolean {
    return this.#topics.get(topic)?.kind === "holding";
  }

  /** A message that is about to be forwarded. `hold`: the guard keeps it until release() hands it out. */
  offer(topic: string, payload: Uint8Array, item: T, nowMs: number): GuardVerdict {
    const key = contentKey(topic, payload);
    const state = this.#topics.get(topic);
    if (state !== undefined) {
      const verdict = this.#known(state, topic, key, item, nowMs);
      if (verdict !== null) return verdict;
    }
    const record = this.#keys.get(key);
    if (record === undefined) {
      this.#keys.set(key, { returns: 0, arrivedAtMs: nowMs, sentAtMs: nowMs, settledAtMs: null, bestEffort: false });
      return "pass";
    }
    const intervalMs = nowMs - record.arrivedAtMs;
    const sinceMs = nowMs - (record.settledAtMs ?? record.sentAtMs ?? record.arrivedAtMs);
    const soon = sinceMs <= this.#soonMs(record.bestEffort);
    if (intervalMs >= CIRCLE_MIN_MS) record.returns = soon ? record.returns + 1 : 0;
    record.arrivedAtMs = nowMs;
    record.sentAtMs ??= nowMs;
    if (record.returns < RETURNS_SUSPECT) return "pass";
    record.returns = 0;
    this.#hold(
      topic,
      key,
      item,
      Math.min(QUIET_MAX_MS, Math.max(QUIET_MIN_MS, 4 * Math.max(intervalMs, this.#roundTripMs))),
      0,
      nowMs,
    );
    return "hold";
  }

  /** The peer has confirmed a message: it is in its broker now, and could start on its way back. */
  settled(topic: string, payload: Uint8Array, nowMs: number): void {
    const record = this.#keys.get(contentKey(topic, payload));
    if (record === undefined) return;
    record.settledAtMs = nowMs;
    if (record.sentAtMs === null) return;
    // The clock may have gone back meanwhile.
    const sampleMs = Math.max(0, nowMs - record.sentAtMs);
    record.sentAtMs = null;
    this.#roundTripMs = this.#roundTripMs === 0 ? sampleMs : this.#roundTripMs * 0.875 + sampleMs * 0.125;
  }

  /**
   * A best-effort message left: nobody will confirm it, so it may be on its way back from now on. It tells nothing of how
   * long a round takes; on a slow link only confirmed messages do.
   */
  left(topic: string, payload: Uint8Array, nowMs: number): void {
    const record = this.#keys.get(contentKey(topic, payload));
    if (record === undefined) return;
    record.settledAtMs = nowMs;
    record.sentAtMs = null;
    record.bestEffort = true;
  }

  /** Held messages whose time has come, in order. */
  release(nowMs: number): T[] {
    for (const [topic, hold] of [...this.#holds.open()]) this.#judge(topic, hold, nowMs);
    return this.released();
  }

  /** Messages that a hold let go meanwhile: they come before any that pass now. */
  released(): T[] {
    return this.#released.splice(0);
  }

  /** Topics found circling since the last call. */
  alarms(): string[] {
    return this.#alarms.splice(0);
  }

  #known(state: TopicState<T>, topic: string, key: string, item: T, nowMs: number): GuardVerdict | null {
    switch (state.kind) {
      case "holding":
        this.#holds.add(state, key, item, this.#sizeOf(item));
        if (this.#keys.has(key)) state.returnedAtMs = nowMs;
        else
          this.#keys.set(key, {
            returns: 0,
            arrivedAtMs: nowMs,
            sentAtMs: nowMs,
            settledAtMs: null,
            bestEffort: false,
          });
        if (this.#holds.isFull(state)) this.#trust(topic, state, nowMs);
        else this.#keepTotal(nowMs);
        return "hold";
      case "proving":
        if (nowMs > state.untilMs) {
          this.#topics.delete(topic);
          return null;
        }
        if (!state.keys.has(key)) return null;
        if (state.confirmations + 1 < CONFIRMATIONS) {
          this.#hold(topic, key, item, state.quietMs, state.confirmations + 1, nowMs);
          return "hold";
        }
        this.#condemn(topic, state.keys, nowMs);
        return "drop";
      case "trusted":
        if (nowMs <= state.untilMs) return "pass";
        return null;
      case "looping":
        if (nowMs > state.untilMs) {
          this.#topics.delete(topic);
          return null;
        }
        if (!state.keys.has(key)) {
          state.keys.set(key, true);
          return "pass";
        }
        state.untilMs = nowMs + LOOPING_MS;
        return "drop";
    }
  }

  #hold(topic: string, key: string, item: T, quietMs: number, confirmations: number, nowMs: number): void {
    const hold: Hold<T> = {
      kind: "holding",
      held: [],
      bytes: 0,
      sinceMs: nowMs,
      returnedAtMs: nowMs,
      quietMs,
      confirmations,
    };
    this.#setTopic(topic, hold, nowMs);
    this.#holds.begin(topic, hold);
    this.#holds.add(hold, key, item, this.#sizeOf(item));
    this.#keepTotal(nowMs);
  }

  #keepTotal(nowMs: number): void {
    for (let over = this.#holds.tooMuch(); over !== null; over = this.#holds.tooMuch()) {
      this.#holds.count(over.limit);
      this.#letGo(over.topic, over.hold, nowMs);
      this.#topics.delete(over.topic);
    }
  }

  #judge(topic: string, state: Hold<T>, nowMs: number): void {
    if (nowMs - state.returnedAtMs >= state.quietMs) {
      // It fell quiet: either we hold what circles, or the publisher happened to stop.
      const keys = new Set(state.held.map(({ key }) => key));
      this.#letGo(topic, state, nowMs);
      this.#setTopic(
        topic,
        {
          kind: "proving",
          keys,
          untilMs: nowMs + 2 * state.quietMs,
          quietMs: state.quietMs,
          confirmations: state.confirmations,
        },
        nowMs,
      );
    } else if (nowMs - state.sinceMs >= this.#holdMs(state.quietMs)) {
      this.#trust(topic, state, nowMs);
    }
  }

  /** It goes on arriving although we hold it: somebody publishes it. */
  #trust(topic: string, state: Hold<T>, nowMs: number): void {
    this.#letGo(topic, state, nowMs);
    const before = this.#trustedMs.get(topic) ?? TRUST_MS / 2;
    const trustMs = Math.min(before * 2, TRUST_MAX_MS);
    this.#trustedMs.set(topic, trustMs);
    this.#setTopic(topic, { kind: "trusted", untilMs: nowMs + trustMs }, nowMs);
  }

  #condemn(topic: string, returned: ReadonlySet<string>, nowMs: number): void {
    const keys = new BoundedMap<string, true>(KEYS_MAX);
    for (const key of returned) keys.set(key, true);
    this.#setTopic(topic, { kind: "looping", keys, untilMs: nowMs + LOOPING_MS }, nowMs);
    this.#alarms.push(topic);
  }

  #letGo(topic: string, hold: Hold<T>, nowMs: number): void {
    this.#holds.end(topic, hold);
    for (const { key, item } of hold.held) {
      this.#released.push(item);
      const record = this.#keys.get(key);
      // The time of the hold is no round trip.
      if (record !== undefined) record.sentAtMs = nowMs;
    }
  }

  #setTopic(topic: string, state: TopicState<T>, nowMs: number): void {
    const evicted = this.#topics.set(topic, state);
    // At the limit a topic's state is forgotten, never its messages.
    if (evicted === undefined || evicted[0] === topic || evicted[1].kind !== "holding") return;
    this.#holds.count("topics");
    this.#letGo(evicted[0], evicted[1], nowMs);
  }

  #soonMs(bestEffort: boolean): number {
    const leastMs = bestEffort ? SOON_BEST_EFFORT_MS : SOON_MS;
    return Math.min(SOON_MAX_MS, Math.max(leastMs, SOON_ROUND_TRIPS * this.#roundTripMs));
  }

  #holdMs(quietMs: number): number {
    return Math.min(HOLD_MAX_MS, Math.max(HOLD_MIN_MS, 6 * this.#roundTripMs, 3 * quietMs));
  }
}
