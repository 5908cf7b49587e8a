/**
 * The states of one link on their way out: what the local broker has retained on the peer's routes is read once for each
 * new route, and passed on as reliable messages that say what they are. Pure.
 *
 *   new route ─▶ demand in force ─▶ reading ─▶ fence ─▶ here, in memory ─▶ spool, a few at a time ─▶ settled
 *
 * Live messages always win. The fence is a marker through the data session: what was published before the reading ended, and
 * may be older than what it brought, has come when the marker comes. What was forwarded since a reading began takes the place of its state; what is forwarded while a
 * state is under way goes behind it in the same lane, at QoS 0 too, so that it cannot be overtaken by it.
 */
import { aged } from "../flow/expiry.ts";
import type { Lane } from "../flow/lane.ts";
import { readMark, stripMark } from "../flow/mark.ts";
import type { Outbound } from "../flow/outbound.ts";
import { isReserved } from "../topic/filter.ts";
import { framedSize } from "../wire/frame.ts";
import type { Message } from "../wire/message.ts";
import type { StateCounters, StateOutSkip } from "./state-counters.ts";
import type { StoredAnswer, StoredMessage } from "./stored.ts";
import { UnreadRoutes } from "./unread-routes.ts";

/** Far below what a receiver has in hand at a time (500): it looks at each before it goes on, and live messages must pass meanwhile. */
const UNDER_WAY_MAX = 200;
/** Topics with a live message since the reading began. Past it the reading says too little, and is done again. */
const LIVE_TOPICS_MAX = 10_000;
const AGAIN_MS = 10_000;
/** A marker that takes longer will not come: the broker keeps the topic from us. A state may then be followed by an older message. */
const FENCE_MS = 5_000;
const TRIES_MAX = 3;
/** States must not push live messages out of the spool. */
const SPOOL_SHARE = 0.5;

export interface StateSourceParts {
  readonly counters: StateCounters;
  readonly outbound: Outbound;
  spoolBytesMax(): number;
  /** Whether the topic may leave to this peer. */
  exports(topic: string): boolean;
  read(filters: readonly string[], done: (answer: StoredAnswer, nowMs: number) => void): void;
  /** Calls `done` once everything that the local broker had queued for us has come; never, if the connection ends first. */
  fence(done: (nowMs: number) => void): void;
  /** Some states will not come, until the peer or this agent starts anew. */
  incomplete(why: string, nowMs: number): void;
}

export class StateSource {
  readonly #parts: StateSourceParts;
  readonly #routes = new UnreadRoutes();
  #wanted = false;
  /** Counts what makes an earlier reading's answer void. */
  #life = 0;
  #isReading = false;
  /** When the marker is given up; Infinity: none is under way. */
  #fenceUntilMs = Number.POSITIVE_INFINITY;
  /** Routes that are being read, or whose states wait here. */
  #filters: readonly string[] = [];
  #states: readonly StoredMessage[] = [];
  #next = 0;
  #readAtMs = 0;
  #live = new Set<string>();
  /** Where the states are that are not settled, by topic. */
  readonly #underWay = new Map<string, { readonly lane: Lane; readonly number: number }>();
  #failures = 0;
  #againAtMs = Number.NEGATIVE_INFINITY;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: StateSourceParts) {
    this.#parts = parts;
  }

  /** States that were read, or are to be, and did not leave yet; routes count as one. */
  get waiting(): number {
    return this.#routes.size + (this.#isReading ? this.#filters.length : 0) + this.#states.length - this.#next;
  }

  get deadlineMs(): number {
    const againAtMs = this.#againAtMs > this.#flushedAtMs ? this.#againAtMs : Number.POSITIVE_INFINITY;
    return Math.min(againAtMs, this.#fenceUntilMs);
  }

  /** `routes`: what the peer has asked for so far, cut to what it may get; `revision`: of the demand that serves all of them. */
  want(wanted: boolean, routes: Iterable<string>, revision: number): void {
    if (wanted === this.#wanted) return;
    this.newLife();
    this.#wanted = wanted;
    for (const { states } of this.#parts.outbound.lanes.both) states.wanted = wanted;
    if (wanted) for (const filter of routes) this.#routes.up(filter, revision);
  }

  /** The peer begins anew: what it had of us it may not have any more, and what is under way was for its earlier life. */
  newLife(): void {
    this.#wanted = false;
    for (const { states, spool } of this.#parts.outbound.lanes.both) {
      states.wanted = false;
      states.endLife(spool.lastNumber);
    }
    this.#routes.clear();
    this.#underWay.clear();
    this.#failures = 0;
    this.#endReading();
  }

  /** `revision`: of the demand that serves the route. */
  route(filter: string, up: boolean, revision: number): void {
    if (!this.#wanted) return;
    if (up) this.#routes.up(filter, revision);
    else this.#routes.down(filter);
  }

  /** Where the broker lost the session, all demand has to be subscribed anew: `revision` is that of the last of it. */
  localUp(revision: number): void {
    this.#routes.servedFrom(revision);
  }

  /** What the data session had queued comes again, behind the states: they are read anew. */
  localDown(): void {
    if (this.#fenceUntilMs === Number.POSITIVE_INFINITY) return;
    const filters = this.#filters;
    this.#endReading();
    this.#routes.again(filters);
  }

  /** A live message is on its way to the peer. Answers how it is to go. */
  live(message: Message): Message {
    const { topic, qos } = message;
    if (this.#isBusy) this.#live.add(topic);
    return qos === 0 && this.#underWay.has(topic) ? { ...message, qos: 1 } : message;
  }

  /** `ready`: the peer takes frames and has told all of its routes, and the local broker is there. */
  flush(ready: boolean, settledRevision: number, nowMs: number): void {
    this.#flushedAtMs = nowMs;
    for (const [topic, { lane, number }] of this.#underWay) if (number < lane.spool.base) this.#underWay.delete(topic);
    if (this.#live.size > LIVE_TOPICS_MAX) this.#fail("there was too much traffic while they were read", nowMs);
    if (nowMs >= this.#fenceUntilMs) this.#fenceUntilMs = Number.POSITIVE_INFINITY;
    if (!ready || !this.#wanted) return;
    if (this.#fenceUntilMs === Number.POSITIVE_INFINITY) this.#offer(nowMs);
    if (!this.#isBusy && nowMs >= this.#againAtMs) this.#read(settledRevision);
  }

  get #isBusy(): boolean {
    return this.#isReading || this.#next < this.#states.length;
  }

  #read(settledRevision: number): void {
    const filters = this.#routes.take(settledRevision);
    if (filters.length === 0) return;
    const life = this.#life;
    this.#isReading = true;
    this.#filters = filters;
    this.#parts.counters.readings += 1;
    this.#parts.read(filters, (answer, nowMs) => {
      if (life === this.#life) this.#answered(answer, nowMs);
    });
  }

  #answered({ outcome, messages }: StoredAnswer, nowMs: number): void {
    const about = `what the local broker has retained on "${this.#filters[0] ?? ""}"`;
    switch (outcome) {
      case "failed":
        this.#fail("the local broker does not answer the session that reads them", nowMs);
        return;
      case "refused":
        this.#parts.incomplete(`the local broker does not let the agent read ${about}`, nowMs);
        break;
      case "cut":
        this.#parts.incomplete(`${about} is more than is read at a time: ${messages.length} were taken`, nowMs);
        break;
      case "whole":
        break;
    }
    this.#isReading = false;
    this.#states = messages;
    this.#next = 0;
    this.#readAtMs = nowMs;
    this.#failures = 0;
    if (messages.length === 0) {
      this.#endReading();
      return;
    }
    this.#fenceUntilMs = nowMs + FENCE_MS;
    const life = this.#life;
    this.#parts.fence(() => {
      if (life === this.#life) this.#fenceUntilMs = Number.POSITIVE_INFINITY;
    });
  }

  /** The reading is of no use: again, a few times. */
  #fail(why: string, nowMs: number): void {
    const filters = this.#filters;
    this.#endReading();
    this.#failures += 1;
    this.#againAtMs = nowMs + AGAIN_MS;
    if (this.#failures < TRIES_MAX) {
      this.#routes.again(filters);
      return;
    }
    this.#failures = 0;
    this.#parts.incomplete(why, nowMs);
  }

  #offer(nowMs: number): void {
    const { counters, outbound, spoolBytesMax } = this.#parts;
    const roomBytes = spoolBytesMax() * SPOOL_SHARE;
    while (this.#next < this.#states.length && this.#underWay.size < UNDER_WAY_MAX) {
      if (outbound.waiting > 0 || outbound.lanes.stalls(nowMs) || outbound.bytes > roomBytes) return;
      const stored = this.#states[this.#next];
      this.#next += 1;
      if (stored === undefined) break;
      const state = this.#stateOf(stored, nowMs);
      if (typeof state === "string") {
        counters.out[state] += 1;
        continue;
      }
      const lane = outbound.offer(state, null, nowMs);
      if (lane === null) {
        counters.out.no_frame_takes_it += 1;
        continue;
      }
      counters.sent += 1;
      this.#underWay.set(state.topic, { lane, number: lane.spool.lastNumber });
    }
    if (!this.#isBusy) this.#endReading();
  }

  #stateOf(stored: StoredMessage, nowMs: number): Message | StateOutSkip {
    const { topic, payload, properties, expirySeconds } = stored;
    if (isReserved(topic) || !this.#parts.exports(topic)) return "not_exported";
    const mark = readMark(properties, topic);
    // As with live messages: what came from another cluster goes to no third one, and not back.
    if (mark.kind === "fits") return "not_own";
    if (this.#live.has(topic)) return "live";
    const state: Message = {
      topic,
      payload,
      qos: 1,
      retain: false,
      properties: mark.kind === "foreign" ? stripMark(properties) : properties,
      expiryMs: expirySeconds === null ? null : expirySeconds * 1_000,
      state: true,
    };
    const bytes = framedSize(state);
    if (bytes === null || bytes > this.#parts.spoolBytesMax() * SPOOL_SHARE) return "no_frame_takes_it";
    return aged(state, nowMs - this.#readAtMs) ?? "expired";
  }

  #endReading(): void {
    this.#life += 1;
    this.#isReading = false;
    this.#fenceUntilMs = Number.POSITIVE_INFINITY;
    this.#filters = [];
    this.#states = [];
    this.#next = 0;
    this.#live = new Set();
  }
}
