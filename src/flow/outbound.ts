/**
 * One link's messages on their way to the peer: the spool for reliable ones, a bounded queue for best-effort ones, and
 * the frames that carry both. Pure: frames go out as values; only the peer's own word settles a message, never a
 * broker's acknowledgement of a frame.
 *
 * The owner asks for frames at the end of each turn: a lone message leaves at once, a burst shares frames.
 */
import { framedSize } from "../wire/frame.ts";
import type { FramedMessage, Message } from "../wire/message.ts";
import { AckLedger, type Due } from "./ack-ledger.ts";
import { BestEffortQueue } from "./best-effort.ts";
import { ConfirmedFrames } from "./confirmed-frames.ts";
import { Delays } from "./delays.ts";
import { DrainPace } from "./drain-pace.ts";
import { aged } from "./expiry.ts";
import { FrameLimits } from "./frame-limits.ts";
import { Intake } from "./intake.ts";
import { LinkDues } from "./link-dues.ts";
import { MemorySpoolLog } from "./memory-spool-log.ts";
import type { OutboundDropReason, OutboundOptions } from "./outbound-options.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";
import { ResendClock } from "./resend-clock.ts";
import { SENT_WINDOW_MAX } from "./sent-window.ts";
import { Spool, type SpoolDrop } from "./spool.ts";
import { StatesPermit } from "./states-permit.ts";
import { Suspect } from "./suspect.ts";
import { UnderWay } from "./under-way.ts";

/** A frame's messages reach the receiver's broker in one burst: stay far below any broker's queue for one client. */
const FRAME_MESSAGES_MAX = 400;
/** Reason codes that say that a packet is too large for a broker (MQTT 5, 4.13 and 3.4.2.1). */
const PACKET_TOO_LARGE = 0x95;

export class Outbound {
  readonly spool: Spool;
  readonly dues: LinkDues;
  /** The message that may be lost on the way each time. */
  readonly suspect = new Suspect();
  readonly delays = new Delays();
  #options: OutboundOptions;
  readonly #dropped: (reason: OutboundDropReason, count: number) => void;
  readonly #bestEffort = new BestEffortQueue();
  #open = false;
  #congested = false;
  readonly #limits = new FrameLimits();
  /** Frames published at QoS 1 since the last restart, by their id. */
  readonly #confirmed = new ConfirmedFrames();
  readonly #underWay: UnderWay;
  readonly #resend: ResendClock;
  readonly intake: Intake;
  readonly pace: DrainPace;
  readonly states: StatesPermit;

  /** `stream`: of a log in memory. */
  constructor(
    stream: string,
    options: OutboundOptions,
    dropped: (reason: OutboundDropReason, count: number) => void,
    ledger = new AckLedger(() => {}),
  ) {
    const log = options.log ?? new MemorySpoolLog(stream);
    this.dues = new LinkDues(options, log, ledger);
    this.spool = new Spool(log, options.spool, (number) => {
      this.#landed(number);
      this.dues.settled(number);
    });
    const whenFull = () => this.#options.spool.whenFull;
    this.intake = new Intake(this.spool, this.dues, whenFull, (drop) => this.#givenUp(drop));
    this.#underWay = new UnderWay(this.spool.base);
    this.pace = new DrainPace(options.drainPerSecond ?? null);
    this.pace.seen(log);
    this.states = new StatesPermit(log.lastNumber);
    this.#resend = new ResendClock(() => this.#options.retryIntervalMs);
    this.#options = options;
    this.#dropped = dropped;
  }

  /** Other limits, from now on. The log, and with it the stream, stays. */
  reconfigure(options: OutboundOptions): void {
    this.#options = options;
    this.spool.limit(options.spool);
    this.dues.reconfigure(options);
    this.pace.cap(options.drainPerSecond ?? null);
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

  /** Messages that were not sent yet. */
  get unsent(): number {
    return this.#bestEffort.length + Math.max(0, this.spool.lastNumber + 1 - this.#underWay.cursor);
  }

  /** Messages that are neither spooled nor acknowledged, because the spool is full. */
  get waiting(): number {
    return this.intake.waiting;
  }

  get bestEffortQueued(): number {
    return this.#bestEffort.length;
  }

  /** Whether the peer listens: what is offered leaves, instead of waiting for its return. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether something waits for the connection only. */
  get isHeldBack(): boolean {
    return this.#open && this.#congested && this.unsent > 0;
  }

  get deadlineMs(): number {
    const openMs = Math.min(this.#resend.deadlineMs, this.pace.deadlineMs);
    return Math.min(this.#open ? openMs : Number.POSITIVE_INFINITY, this.spool.deadlineMs);
  }

  /** The peer listens (again): what was under way is in doubt and goes first, with the same numbers. */
  opened(frameBytesMax: number): void {
    this.#limits.named(frameBytesMax);
    this.#open = true;
    this.suspect.answered();
    this.#again();
  }

  /** The connection is another one, or none. */
  disconnected(): void {
    this.suspect.doubt();
    this.closed();
  }

  /** The peer does not listen. What is best effort is not kept for its return. */
  closed(): void {
    this.#open = false;
    this.#congested = false;
    this.#resend.stop();
    if (this.#bestEffort.length > 0) this.#dropped("peer_away", this.#bestEffort.length);
    this.#bestEffort.clear();
  }

  /** The peer lost its record (a new life): everything unconfirmed goes again. */
  restart(): void {
    this.suspect.doubt();
    this.#again();
  }

  #again(): void {
    this.#underWay.rewind(this.spool.base);
    this.#confirmed.clear();
    this.#confirmed.wanted();
    this.#resend.reset();
  }

  /** The connection's own send buffer is full (or drained): best-effort messages wait meanwhile. */
  congested(on: boolean): void {
    this.#congested = on;
  }

  /** `due`: the acknowledgement that waits until the message is safe; held by this link until then. */
  offer(message: Message, due: Due | null, nowMs: number): void {
    const bytes = framedSize(message);
    if (bytes === null || bytes > this.#limits.messageBytesMax) {
      this.#refuse(bytes === null ? "malformed" : "too_large", due);
    } else if (message.qos === 1) {
      this.pace.offered(nowMs);
      this.intake.take(message, bytes, due, nowMs);
    } else if (!this.#open) {
      this.#dropped("peer_away", 1);
    } else {
      const pushedOut = this.#bestEffort.push({ message, bytes, queuedAtMs: nowMs });
      if (pushedOut > 0) this.#dropped("best_effort_full", pushedOut);
    }
  }

  /** The peer's word: everything up to `upTo`, and the ranges, is settled. Answers the messages settled just now. */
  settled(upTo: number, ranges: readonly (readonly [number, number])[], nowMs: number): Message[] {
    const messages: Message[] = [];
    const known = Math.min(upTo, this.spool.lastNumber);
    // Numbers further on than the window were not sent in this life: one step, however many they are.
    const noted = Math.min(this.spool.lastNumber, this.spool.base + SENT_WINDOW_MAX - 1);
    for (let number = this.spool.base; number <= Math.min(known, noted); number += 1)
      this.#settleOne(number, messages, nowMs);
    for (const [first, end] of ranges) {
      for (let number = Math.max(first, this.spool.base); number <= Math.min(end, noted); number += 1)
        this.#settleOne(number, messages, nowMs);
    }
    this.dues.settledUpTo(known);
    this.spool.settleUpTo(known);
    this.suspect.word(this.spool.base, messages.length > 0);
    if (messages.length > 0) this.#resend.progress(this.#underWay.messages > 0, nowMs);
    this.#underWay.forget(this.spool.base);
    this.intake.admit(nowMs);
    return messages;
  }

  /**
   * A broker refused a confirmed frame. Too large: everything under way goes again at once in smaller ones, since a frame
   * that nobody confirms may have met the same limit without a word; one message alone is given up, and larger ones with it.
   */
  refused(id: number, reasonCode: number): void {
    // Told, it is not lost without a word; and access rights are not the message's fault.
    this.suspect.doubt();
    const frame = this.#confirmed.get(id);
    if (frame === undefined || reasonCode !== PACKET_TOO_LARGE) return;
    const { messages, bytes, number } = frame;
    if (messages > 1) {
      this.#limits.refusedBatch(bytes);
      this.#again();
      return;
    }
    if (number === null || this.spool.isSettled(number)) return;
    this.#limits.refusedMessage(bytes);
    this.#landed(number);
    this.#giveUp(number, "too_large");
    this.spool.trim();
  }

  /** Gives up what is too old, and repeats what is overdue. `heardAtMs`: when the peer last said anything. */
  tick(nowMs: number, heardAtMs = Number.NEGATIVE_INFINITY): boolean {
    const drop = this.spool.expire(nowMs);
    if (drop !== null) this.#givenUp(drop);
    this.intake.admit(nowMs);
    if (!this.#open || nowMs < this.#resend.deadlineMs) return false;
    this.#missed(nowMs, heardAtMs);
    this.#underWay.rewind(this.spool.base);
    this.#confirmed.wanted();
    this.#resend.expired();
    return true;
  }

  /** The next frame that may leave now; null: none may. */
  nextFrame(nowMs: number): OutgoingFrame | null {
    if (!this.#open || (this.#congested && this.#underWay.messages > 0)) return null;
    const messages: FramedMessage[] = [];
    let bytes = 0;
    let resend = false;
    const limit = this.#limits.batchBytesMax;
    const windowOpen = this.#underWay.frames < this.#options.framesInflightMax;
    const paced = this.pace.allowance(this.spool.get(this.#underWay.cursor)?.storedAtMs ?? null, nowMs);
    let messagesMax = FRAME_MESSAGES_MAX;
    while (windowOpen && messages.length < Math.min(messagesMax, paced)) {
      const number = this.#underWay.cursor;
      if (number > this.spool.lastNumber || !this.spool.mayLeave(number)) break;
      const entry = this.spool.isSettled(number) ? undefined : this.spool.get(number);
      const message = entry === undefined ? null : aged(entry.message, nowMs - entry.storedAtMs);
      const isStale = message?.state === true && !this.states.lets(number);
      if (entry === undefined || message === null || entry.bytes > this.#limits.messageBytesMax || isStale) {
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
    // Behind what was given up there may be numbers that were never given, more than the window holds.
    const isBehind = this.spool.base > this.#underWay.cursor;
    if (isBehind) this.#underWay.forget(this.spool.base);
    const reliable = messages.length;
    this.pace.went(reliable);
    if (!this.#congested) {
      const filled = this.#bestEffort.fill(messages, bytes, { messages: messagesMax, bytes: limit }, nowMs);
      bytes = filled.bytes;
      if (filled.expired > 0) this.#dropped("expired", filled.expired);
    }
    if (messages.length === 0) return isBehind || this.intake.admit(nowMs) ? this.nextFrame(nowMs) : null;
    if (reliable > 0) {
      this.#underWay.closeFrame();
      this.#resend.start(nowMs);
    }
    return { ...this.#confirmed.number(messages, bytes, resend, nowMs), messages, base: this.spool.base, resend };
  }

  /** Carries nothing; the broker's answer shows whether it takes frames. */
  emptyFrame(nowMs: number): OutgoingFrame {
    return { ...this.#confirmed.number([], 0, false, nowMs), messages: [], base: this.spool.base, resend: false };
  }

  #refuse(reason: OutboundDropReason, due: Due | null): void {
    this.#dropped(reason, 1);
    if (due !== null) this.dues.dropped(due);
  }

  #settleOne(number: number, messages: Message[], nowMs: number): void {
    if (this.spool.isSettled(number)) return;
    const sentAtMs = this.spool.sentAtMs(number);
    if (sentAtMs !== null) {
      const entry = this.spool.get(number);
      if (entry !== undefined) messages.push(entry.message);
      if (number < this.#underWay.cursor) this.#resend.measure(nowMs - sentAtMs);
      this.delays.confirmed(entry, sentAtMs, nowMs);
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
    this.#dropped(reason, 1);
    this.#forget(number);
  }

  #forget(number: number): void {
    this.spool.settle(number);
    this.dues.settled(number);
  }

  #givenUp(drop: SpoolDrop): void {
    this.#dropped(drop.reason, drop.count);
    this.#underWay.forget(this.spool.base);
  }
}
