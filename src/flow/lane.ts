/**
 * One stream of a link on its way to the peer: the spool, what of it is under way, when it is sent again, and what waits
 * for its acknowledgement. Pure. Which message comes into which lane, and when frames may leave, is its owner's affair.
 */
import type { FramedMessage, Message } from "../wire/message.ts";
import type { AckLedger, Due } from "./ack-ledger.ts";
import type { Delays } from "./delays.ts";
import { aged } from "./expiry.ts";
import type { FrameLimits } from "./frame-limits.ts";
import type { LanePace } from "./lane-pace.ts";
import { LinkDues } from "./link-dues.ts";
import type { OutboundDropReason, OutboundOptions } from "./outbound-options.ts";
import { ResendClock } from "./resend-clock.ts";
import { SENT_WINDOW_MAX } from "./sent-window.ts";
import { Spool } from "./spool.ts";
import type { SpoolLog } from "./spool-log.ts";
import { StatesPermit } from "./states-permit.ts";
import { Suspect } from "./suspect.ts";
import { UnderWay } from "./under-way.ts";

/** A frame's messages reach the receiver's broker in one burst: stay far below any broker's queue for one client. */
const FRAME_MESSAGES_MAX = 400;

/** A frame in the making. */
export interface LaneFrame {
  readonly messages: FramedMessage[];
  readonly bytes: number;
  readonly messagesMax: number;
  readonly resend: boolean;
}

/** What a lane has in common with the other one of its link. */
export interface LaneParts {
  readonly options: OutboundOptions;
  readonly ledger: AckLedger;
  readonly delays: Delays;
  readonly dropped: (reason: OutboundDropReason, count: number) => void;
}

export class Lane {
  readonly spool: Spool;
  readonly dues: LinkDues;
  readonly states: StatesPermit;
  /** The message that may be lost on the way each time. */
  readonly suspect = new Suspect();
  readonly pace: LanePace;
  /** Numbers from here on may not leave yet. */
  holdFrom = Number.POSITIVE_INFINITY;
  /** When the peer last settled something; -Infinity: not in this life. */
  progressAtMs = Number.NEGATIVE_INFINITY;
  #options: OutboundOptions;
  readonly #delays: Delays;
  readonly #dropped: (reason: OutboundDropReason, count: number) => void;
  readonly #underWay: UnderWay;
  readonly #resend: ResendClock;
  /** Of what was given up between these, inclusive, a copy may still be on its way. */
  #doubtFrom = Number.POSITIVE_INFINITY;
  #doubtUpTo = 0;

  constructor(log: SpoolLog, pace: LanePace, { options, ledger, delays, dropped }: LaneParts) {
    this.dues = new LinkDues(options, log, ledger);
    this.spool = new Spool(log, options.spool, (number) => {
      this.#doubt(number);
      this.#landed(number);
      this.dues.settled(number);
    });
    this.states = new StatesPermit(log.lastNumber);
    this.pace = pace;
    this.#underWay = new UnderWay(this.spool.base);
    this.#resend = new ResendClock(() => this.#options.retryIntervalMs);
    this.#options = options;
    this.#delays = delays;
    this.#dropped = dropped;
  }

  /** Other limits, from now on. The log, and with it the stream, stays. */
  reconfigure(options: OutboundOptions): void {
    this.#options = options;
    this.spool.limit(options.spool);
    this.dues.reconfigure(options);
  }

  get inflight(): number {
    return this.#underWay.messages;
  }

  get roundTripMs(): number {
    return this.#resend.roundTripMs;
  }

  /** The shortest on this connection; Infinity: nothing was confirmed yet. */
  get leastRoundTripMs(): number {
    return this.#resend.leastMs;
  }

  /** Nothing is there that the peer has not settled. */
  get isEmpty(): boolean {
    return this.spool.base > this.spool.lastNumber;
  }

  /** What is here survives the process, or nobody needs it any more. */
  get isDurable(): boolean {
    return this.isEmpty || this.spool.log.durableNumber >= this.spool.lastNumber;
  }

  /** Messages that were not sent yet. */
  get unsent(): number {
    return Math.max(0, this.spool.lastNumber + 1 - this.#underWay.cursor);
  }

  get deadlineMs(): number {
    return this.spool.deadlineMs;
  }

  /** The same while frames may leave. */
  get openDeadlineMs(): number {
    return Math.min(this.#resend.deadlineMs, this.pace.deadlineMs);
  }

  /** Nothing up to this number can still reach the peer's broker; once true, it remains so. */
  isThrough(number: number): boolean {
    return number < this.spool.base && (number < this.#doubtFrom || number > this.#doubtUpTo);
  }

  /** Takes a message that room was made for; answers its number. */
  append(message: Message, bytes: number, due: Due | null, nowMs: number): number {
    const number = this.spool.append(message, bytes, nowMs);
    if (due !== null) this.dues.stored(number, due);
    return number;
  }

  stop(): void {
    this.#resend.stop();
  }

  /** Everything that is not settled goes again, `anew` without patience for what went before. */
  rewind(anew: boolean): void {
    this.#underWay.rewind(this.spool.base);
    if (anew) this.#resend.reset();
  }

  /** The peer's word. Answers the messages settled just now. */
  settled(upTo: number, ranges: readonly (readonly [number, number])[], nowMs: number): Message[] {
    const messages: Message[] = [];
    const { base, lastNumber } = this.spool;
    const known = Math.min(upTo, lastNumber);
    // Numbers further on than the window were not sent in this life: one step, however many they are.
    const noted = Math.min(lastNumber, base + SENT_WINDOW_MAX - 1);
    let highest = known >= base ? known : 0;
    for (let number = base; number <= Math.min(known, noted); number += 1) this.#settleOne(number, messages, nowMs);
    for (const [first, end] of ranges) {
      highest = Math.max(highest, Math.min(end, noted));
      for (let number = Math.max(first, base); number <= Math.min(end, noted); number += 1)
        this.#settleOne(number, messages, nowMs);
    }
    // The peer takes numbers in order: what was given up before this one came before it, or never will.
    if (highest > this.#doubtUpTo) this.#doubtFrom = Number.POSITIVE_INFINITY;
    this.dues.settledUpTo(known);
    this.spool.settleUpTo(known);
    this.suspect.word(this.spool.base, messages.length > 0);
    if (messages.length > 0) {
      this.progressAtMs = nowMs;
      this.#resend.progress(this.#underWay.messages > 0, nowMs);
    }
    this.#underWay.forget(this.spool.base);
    return messages;
  }

  /** A broker refuses the message for its size. */
  tooLarge(number: number): void {
    this.#landed(number);
    this.#giveUp(number, "too_large");
    this.spool.trim();
  }

  /** Gives up what is too old. */
  expire(nowMs: number): void {
    const drop = this.spool.expire(nowMs);
    if (drop === null) return;
    this.#dropped(drop.reason, drop.count);
    this.trimmed();
  }

  /** The spool has given something up. */
  trimmed(): void {
    this.#underWay.forget(this.spool.base);
  }

  /** Repeats what is overdue. `heardAtMs`: when the peer last said anything. Answers whether it was. */
  repeat(nowMs: number, heardAtMs: number): boolean {
    if (nowMs < this.#resend.deadlineMs) return false;
    this.#missed(nowMs, heardAtMs);
    this.rewind(false);
    this.#resend.expired();
    return true;
  }

  /** What may leave now in one frame; without messages: nothing. */
  fill(limits: FrameLimits, nowMs: number): LaneFrame {
    const messages: FramedMessage[] = [];
    let bytes = 0;
    let resend = false;
    const limit = limits.batchBytesMax;
    const isHeld = this.#underWay.cursor >= this.holdFrom;
    const next = isHeld ? undefined : this.spool.get(this.#underWay.cursor);
    const paced = this.pace.allowance(next?.storedAtMs ?? null, nowMs);
    const windowOpen = this.#underWay.frames < this.#options.framesInflightMax;
    let messagesMax = FRAME_MESSAGES_MAX;
    while (windowOpen && messages.length < Math.min(messagesMax, paced)) {
      const number = this.#underWay.cursor;
      if (number > this.spool.lastNumber || number >= this.holdFrom || !this.spool.mayLeave(number)) break;
      const entry = this.spool.isSettled(number) ? undefined : this.spool.get(number);
      const message = entry === undefined ? null : aged(entry.message, nowMs - entry.storedAtMs);
      const isStale = message?.state === true && !this.states.lets(number);
      if (entry === undefined || message === null || entry.bytes > limits.messageBytesMax || isStale) {
        // Without an entry it is settled already, or the log could not read it, and has counted it.
        const reason = isStale ? "stale_state" : "too_large";
        if (entry !== undefined) this.#giveUp(number, message === null ? "expired" : reason);
        else this.#forget(number);
        this.#underWay.cursor += 1;
        continue;
      }
      if (messages.length > 0 && bytes + entry.bytes > limit) break;
      if (!this.#underWay.hasRoomFor(entry.bytes)) break;
      if (this.spool.sentAtMs(number) !== null) resend = true;
      this.spool.sent(entry, nowMs);
      if (messages.length === 0) messagesMax = Math.min(messagesMax, this.suspect.messagesMax(number));
      messages.push({ number, message, origin: null });
      bytes += entry.bytes;
      this.#underWay.left(entry.bytes);
    }
    this.spool.trim();
    if (this.spool.base > this.#underWay.cursor) {
      // Behind what was given up stood numbers that were never given, more than the window holds.
      this.trimmed();
      return this.fill(limits, nowMs);
    }
    this.pace.went(messages.length);
    if (messages.length > 0) {
      this.#underWay.closeFrame();
      this.#resend.start(nowMs);
    }
    return { messages, bytes, messagesMax, resend };
  }

  #settleOne(number: number, messages: Message[], nowMs: number): void {
    if (this.spool.isSettled(number)) return;
    const sentAtMs = this.spool.sentAtMs(number);
    if (sentAtMs !== null) {
      const entry = this.spool.get(number);
      if (entry !== undefined) messages.push(entry.message);
      if (number < this.#underWay.cursor) this.#resend.measure(nowMs - sentAtMs);
      this.#delays.confirmed(entry, sentAtMs, nowMs);
    }
    this.#landed(number);
    this.#forget(number);
  }

  /** Is not under way any more. To be told before it is settled. */
  #landed(number: number): void {
    if (number >= this.#underWay.cursor) return;
    const entry = this.spool.sentEntry(number);
    if (entry === null) return;
    this.#underWay.landed(entry.bytes);
  }

  /** The oldest frame under way may be one that never comes through. */
  #missed(nowMs: number, heardAtMs: number): void {
    const number = this.spool.base;
    const entry = this.spool.sentEntry(number);
    if (entry === null || heardAtMs <= (this.spool.sentAtMs(number) ?? nowMs)) return;
    if (!this.suspect.missed(number, this.#underWay.oldestEnd ?? number, nowMs)) return;
    this.suspect.refused.push({ number, topic: entry.message.topic });
    this.#giveUp(number, "refused_by_broker");
    this.spool.trim();
  }

  #giveUp(number: number, reason: OutboundDropReason): void {
    this.#doubt(number);
    this.#dropped(reason, 1);
    this.#forget(number);
  }

  /** To be told before it is settled. */
  #doubt(number: number): void {
    this.#doubtFrom = Math.min(this.#doubtFrom, this.spool.base);
    this.#doubtUpTo = Math.max(this.#doubtUpTo, number);
  }

  #forget(number: number): void {
    this.spool.settle(number);
    this.dues.settled(number);
  }
}
