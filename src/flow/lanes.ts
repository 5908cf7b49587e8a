/**
 * The two lanes of one link, and which of them a reliable message takes. Pure.
 *
 *   joined ──the main lane is behind, and moves──▶ passing ──link closed, or the live lane is behind itself──▶ joined
 *
 * Joined, everything goes into the main lane, as if there were no other. Passing, a topic of which nothing is left in the
 * main lane goes into the live one, past the backlog. The order of each topic rests on two rules: of no topic there is
 * anything in the main lane that is older than what the live one has of it; and what comes into the main lane when both
 * are joined again does not leave before the live lane is empty. So whatever the live lane holds may always go, after a
 * restart too, when nobody knows the topics any more: then the main lane waits for it as a whole.
 */
import { assert } from "../base/assert.ts";
import type { Message } from "../wire/message.ts";
import type { Due } from "./ack-ledger.ts";
import type { Lane } from "./lane.ts";
import type { LaneLogs } from "./outbound-options.ts";
import type { SpoolDrop, SpoolOptions } from "./spool.ts";
import { TopicTails } from "./topic-tails.ts";

/** The main lane is behind when its oldest message is older than this … */
const BEHIND_MS = 2_000;
/** … and it moves when the peer has settled something of it within this time. */
const MOVES_MS = 5_000;
/** What waits so long in the live lane is a backlog itself: nobody can pass it there. */
const LIVE_AGE_MAX_MS = 10_000;
/** The live lane has no more than this part of the room: what must be given up for new messages then lies in the other. */
const LIVE_SHARE = 2;

export class Lanes {
  readonly main: Lane;
  readonly live: Lane;
  readonly both: readonly [Lane, Lane];
  #spool: SpoolOptions;
  readonly #tails: TopicTails;
  #open = false;
  #passing = false;
  #passed = 0;
  /** Whose frame leaves next, if both have one. */
  #turn: "main" | "live" = "live";

  constructor(main: Lane, live: Lane, spool: SpoolOptions, topicsMax?: number) {
    this.main = main;
    this.live = live;
    this.both = [main, live];
    this.#spool = spool;
    this.#tails = new TopicTails(main.isEmpty ? 0 : main.spool.lastNumber, topicsMax);
    if (!live.isEmpty) main.holdFrom = main.spool.base;
  }

  /** Other limits of both together, from now on. */
  limit(spool: SpoolOptions): void {
    this.#spool = spool;
  }

  get logs(): LaneLogs {
    return { main: this.main.spool.log, live: this.live.spool.log };
  }

  get passing(): boolean {
    return this.#passing;
  }

  /** Messages that took the live lane. */
  get passed(): number {
    return this.#passed;
  }

  /** How often too many topics were under way for one of them to pass. */
  get overflows(): number {
    return this.#tails.overflows;
  }

  of(stream: string): Lane | undefined {
    return this.both.find(({ spool }) => spool.stream === stream);
  }

  /** The one that has waited longer for its turn comes first. */
  get inTurn(): readonly [Lane, Lane] {
    return this.#turn === "main" ? this.both : [this.live, this.main];
  }

  /** A frame of this lane has left. */
  left(lane: Lane): void {
    this.#turn = lane === this.live ? "main" : "live";
  }

  opened(): void {
    this.#open = true;
  }

  closed(): void {
    this.#open = false;
    this.#join();
  }

  /** Whether nothing can be taken for now, and nobody has lost it yet. */
  get isStalled(): boolean {
    return this.main.spool.log.isFull || this.live.spool.log.isFull || this.#awaitsDisk;
  }

  /** Whether what comes now would have to wait for a disk. */
  stalls(nowMs: number): boolean {
    this.#judge(nowMs);
    return this.isStalled;
  }

  /** Whether a message of this size can ever be taken. */
  fits(bytes: number): boolean {
    return this.main.spool.fits(bytes);
  }

  /** Makes room in both together, see Spool, for a message that is appended next. */
  makeRoom(bytes: number, nowMs: number): SpoolDrop | null | "full" {
    if (this.stalls(nowMs)) return "full";
    const room = this.main.spool.makeRoom(bytes, this.live.spool);
    if (room !== null && room !== "full") this.#trimmed();
    return room;
  }

  /** Answers the lane that has it as its last number. */
  append(message: Message, bytes: number, due: Due | null, nowMs: number): Lane {
    const { topic } = message;
    if (this.#passing && this.#isFree(topic)) {
      this.#passed += 1;
      this.live.append(message, bytes, due, nowMs);
      return this.live;
    }
    assert(!this.#awaitsDisk, "the older messages of a topic are on the disk before younger ones");
    const number = this.main.append(message, bytes, due, nowMs);
    // Forgets no topic that is in the live lane: while one is there, none comes new into this one.
    this.#tails.add(topic, number, (earlier) => this.main.isThrough(earlier));
    return this.main;
  }

  /** Gives up what is too old. */
  expire(nowMs: number): void {
    for (const lane of this.both) lane.expire(nowMs);
    this.freed();
  }

  /** To be told whenever something of a lane was settled or given up. */
  freed(): void {
    if (this.live.isEmpty) this.main.holdFrom = Number.POSITIVE_INFINITY;
    if (this.main.isEmpty && this.main.isThrough(this.main.spool.lastNumber)) this.#tails.clear();
  }

  /**
   * What comes into the main lane behind the live one must not be on the disk without what is before it: after a crash the
   * broker would deliver the older message again, and it would come behind the younger one.
   */
  get #awaitsDisk(): boolean {
    return this.main.holdFrom !== Number.POSITIVE_INFINITY && !this.live.isDurable;
  }

  #isFree(topic: string): boolean {
    const last = this.#tails.last(topic);
    return last === 0 || this.main.isThrough(last);
  }

  #judge(nowMs: number): void {
    const { main, live } = this;
    if (this.#passing) {
      if (main.isEmpty && live.isEmpty) this.#join();
      const isBehind = nowMs - (live.spool.oldestStoredAtMs ?? nowMs) > LIVE_AGE_MAX_MS;
      if (isBehind || live.spool.bytes * LIVE_SHARE > this.#spool.bytesMax) this.#join();
      return;
    }
    if (!this.#open || !live.isEmpty || nowMs - main.progressAtMs > MOVES_MS) return;
    this.#passing = nowMs - (main.spool.oldestStoredAtMs ?? nowMs) > BEHIND_MS;
  }

  #trimmed(): void {
    for (const lane of this.both) lane.trimmed();
    this.freed();
  }

  #join(): void {
    if (!this.#passing) return;
    this.#passing = false;
    if (!this.live.isEmpty) this.main.holdFrom = this.main.spool.lastNumber + 1;
  }
}
