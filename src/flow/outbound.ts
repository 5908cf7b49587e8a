/**
 * One link's messages on their way to the peer: the spool for reliable ones, a bounded queue for best-effort ones, and
 * the frames that carry both. Pure: frames go out as values; only the peer's own word settles a message, never a
 * broker's acknowledgement of a frame.
 *
 * The owner asks for frames at the end of each turn: a lone message leaves at once, a burst shares frames.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { framedSize } from "../wire/frame.ts";
import type { FramedMessage, Message } from "../wire/message.ts";
import { BestEffortQueue } from "./best-effort.ts";
import { Spool, type SpoolDrop, type Spooled, type SpoolOptions } from "./spool.ts";

/** A frame closes at this size: large enough to pay for itself, small enough to leave other links their turn. */
const FRAME_BYTES = 64 * 1024;
/** A frame's messages reach the receiver's broker in one burst: stay far below any broker's queue for one client. */
const FRAME_MESSAGES_MAX = 400;
/** Reliable messages under way: what the receiver may have to remember, and its broker to queue. */
const INFLIGHT_MESSAGES_MAX = 2_000;
/** Their bytes: far below what a receiver keeps of frames that overtook another (16 MiB), and what a connection takes at a time. */
const INFLIGHT_BYTES_MAX = 4 * 1024 * 1024;
/** Least wait before a resend; beyond it four smoothed round trips, doubled with every resend in a row. */
const RESEND_MIN_MS = 1_000;
/** Until the peer and its broker have named their limits: the wire format's own. */
const FRAME_BYTES_CAP = 16 * 1024 * 1024;
/** One frame in so long is published at QoS 1, so that a refusal that begins while frames flow is told. */
const CONFIRM_MS = 1_000;
/** Frames whose refusal can still be placed. */
const CONFIRMED_FRAMES_MAX = 256;
/** Reason codes that say that a packet is too large for a broker (MQTT 5, 4.13 and 3.4.2.1). */
const PACKET_TOO_LARGE = 0x95;

export interface OutboundOptions {
  readonly spool: SpoolOptions;
  readonly framesInflightMax: number;
  /** Upper bound of the wait before a resend. */
  readonly retryIntervalMs: number;
}

export type OutboundDropReason =
  | SpoolDrop["reason"]
  | "expired"
  | "too_large"
  | "malformed"
  | "best_effort_full"
  | "peer_away";

export interface OutgoingFrame {
  readonly id: number;
  readonly messages: readonly FramedMessage[];
  readonly base: number;
  /** Publish at QoS 1, so that a broker's refusal is told: the first frame after a connect, every resend, and one a second. */
  readonly confirm: boolean;
  readonly resend: boolean;
}

interface ConfirmedFrame {
  readonly messages: number;
  readonly bytes: number;
  /** The first reliable one. */
  readonly number: number | null;
}

export class Outbound {
  readonly spool: Spool;
  readonly #options: OutboundOptions;
  readonly #dropped: (reason: OutboundDropReason, count: number) => void;
  readonly #bestEffort = new BestEffortQueue();
  #open = false;
  #congested = false;
  #confirmNext = true;
  #confirmedAtMs = Number.NEGATIVE_INFINITY;
  #frameBytesMax = FRAME_BYTES_CAP;
  /** Less than half a frame that a broker refused for its size: its limit is not always announced. */
  #batchBytesMax = FRAME_BYTES;
  #frameId = 0;
  /** Frames published at QoS 1 since the last restart, by their id. */
  readonly #confirmed = new BoundedMap<number, ConfirmedFrame>(CONFIRMED_FRAMES_MAX);
  /** Next number to send for the first time. */
  #cursor = 1;
  #inflight = 0;
  #inflightBytes = 0;
  /** Last number of each frame under way, oldest first. */
  #frames: number[] = [];
  #roundTripMs = 0;
  #resendWaitMs = RESEND_MIN_MS;
  #resendAtMs = Number.POSITIVE_INFINITY;

  constructor(stream: string, options: OutboundOptions, dropped: (reason: OutboundDropReason, count: number) => void) {
    this.spool = new Spool(stream, options.spool, (entry) => {
      if (entry.number < this.#cursor) this.#landed(entry);
    });
    this.#options = options;
    this.#dropped = dropped;
  }

  get inflight(): number {
    return this.#inflight;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  get bestEffortQueued(): number {
    return this.#bestEffort.length;
  }

  /** Whether something waits for the connection only. */
  get isHeldBack(): boolean {
    return this.#open && this.#congested && (this.#bestEffort.length > 0 || this.#cursor <= this.spool.lastNumber);
  }

  get deadlineMs(): number {
    return Math.min(this.#open ? this.#resendAtMs : Number.POSITIVE_INFINITY, this.spool.deadlineMs);
  }

  /** The peer listens (again): what was under way is in doubt and goes first, with the same numbers. */
  opened(frameBytesMax: number): void {
    this.#frameBytesMax = Math.min(frameBytesMax, FRAME_BYTES_CAP);
    this.#open = true;
    this.#confirmNext = true;
    this.restart();
  }

  /** The peer does not listen. What is best effort is not kept for its return. */
  closed(): void {
    this.#open = false;
    this.#congested = false;
    this.#resendAtMs = Number.POSITIVE_INFINITY;
    if (this.#bestEffort.length > 0) this.#dropped("peer_away", this.#bestEffort.length);
    this.#bestEffort.clear();
  }

  /** The peer lost its record (a new life): everything unconfirmed goes again. */
  restart(): void {
    this.#cursor = this.spool.base;
    this.#inflight = 0;
    this.#inflightBytes = 0;
    this.#frames = [];
    this.#confirmed.clear();
    this.#resendWaitMs = RESEND_MIN_MS;
    this.#resendAtMs = Number.POSITIVE_INFINITY;
  }

  /** The connection's own send buffer is full (or drained): best-effort messages wait meanwhile. */
  congested(on: boolean): void {
    this.#congested = on;
  }

  offer(message: Message, origin: string | null, nowMs: number): void {
    const bytes = framedSize(message);
    if (bytes === null) {
      this.#dropped("malformed", 1);
      return;
    }
    if (bytes > this.#frameBytesMax) {
      this.#dropped("too_large", 1);
      return;
    }
    if (message.qos === 1) {
      const drop = this.spool.push(message, origin, bytes, nowMs);
      if (drop !== null) this.#givenUp(drop);
      return;
    }
    if (!this.#open) {
      this.#dropped("peer_away", 1);
      return;
    }
    const pushedOut = this.#bestEffort.push({ message, origin, bytes, queuedAtMs: nowMs });
    if (pushedOut > 0) this.#dropped("best_effort_full", pushedOut);
  }

  /** The peer's word: everything up to `upTo`, and the ranges, is settled. Answers the messages settled just now. */
  settled(upTo: number, ranges: readonly (readonly [number, number])[], nowMs: number): Message[] {
    const messages: Message[] = [];
    const settleOne = (number: number): void => {
      const entry = this.spool.settle(number);
      if (entry === null) return;
      messages.push(entry.message);
      if (entry.sentAtMs !== null && number < this.#cursor) {
        this.#landed(entry);
        this.#measure(nowMs - entry.sentAtMs);
      }
    };
    const last = this.spool.lastNumber;
    for (let number = this.spool.base; number <= Math.min(upTo, last); number += 1) settleOne(number);
    for (const [first, end] of ranges) {
      for (let number = Math.max(first, this.spool.base); number <= Math.min(end, last); number += 1) settleOne(number);
    }
    this.spool.trim();
    if (messages.length > 0) {
      this.#resendWaitMs = Math.min(this.#resendCapMs(), Math.max(RESEND_MIN_MS, 4 * this.#roundTripMs));
      this.#rearm(nowMs);
    }
    while ((this.#frames[0] ?? Number.POSITIVE_INFINITY) < this.spool.base) this.#frames.shift();
    this.#cursor = Math.max(this.#cursor, this.spool.base);
    return messages;
  }

  /**
   * A broker refused a confirmed frame. Too large: everything under way goes again at once in smaller ones, since a frame
   * that nobody confirms may have met the same limit without a word; one message alone is given up, and larger ones with it.
   */
  refused(id: number, reasonCode: number): void {
    const frame = this.#confirmed.get(id);
    if (frame === undefined || reasonCode !== PACKET_TOO_LARGE) return;
    const { messages, bytes, number } = frame;
    if (messages > 1) {
      this.#batchBytesMax = Math.max(Math.min(this.#batchBytesMax, bytes >> 1), 1);
      this.#confirmNext = true;
      this.restart();
      return;
    }
    const entry = number === null ? null : this.spool.settle(number);
    if (entry !== null) {
      this.#frameBytesMax = Math.min(this.#frameBytesMax, bytes - 1);
      if (entry.number < this.#cursor) this.#landed(entry);
      this.#dropped("too_large", 1);
      this.spool.trim();
    }
  }

  /** Gives up what is too old, and repeats what is overdue. */
  tick(nowMs: number): boolean {
    const drop = this.spool.expire(nowMs);
    if (drop !== null) this.#givenUp(drop);
    if (!this.#open || nowMs < this.#resendAtMs) return false;
    this.#cursor = this.spool.base;
    this.#inflight = 0;
    this.#inflightBytes = 0;
    this.#frames = [];
    this.#confirmNext = true;
    this.#resendWaitMs = Math.min(this.#resendCapMs(), this.#resendWaitMs * 2);
    this.#resendAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  /** The next frame that may leave now; null: none may. */
  nextFrame(nowMs: number): OutgoingFrame | null {
    if (!this.#open || (this.#congested && this.#inflight > 0)) return null;
    const messages: FramedMessage[] = [];
    let bytes = 0;
    let resend = false;
    const limit = Math.min(this.#batchBytesMax, this.#frameBytesMax);
    const windowOpen = this.#frames.length < this.#options.framesInflightMax;
    while (windowOpen && messages.length < FRAME_MESSAGES_MAX && this.#inflight < INFLIGHT_MESSAGES_MAX) {
      const entry = this.spool.get(this.#cursor);
      if (entry === undefined) break;
      if (entry.settled) {
        this.#cursor += 1;
        continue;
      }
      const message = aged(entry.message, nowMs - entry.storedAtMs);
      if (message === null || entry.bytes > this.#frameBytesMax) {
        this.spool.settle(this.#cursor);
        this.#dropped(message === null ? "expired" : "too_large", 1);
        this.#cursor += 1;
        continue;
      }
      if (messages.length > 0 && bytes + entry.bytes > limit) break;
      if (this.#inflight > 0 && this.#inflightBytes + entry.bytes > INFLIGHT_BYTES_MAX) break;
      if (entry.sentAtMs !== null) resend = true;
      entry.sentAtMs = nowMs;
      messages.push({ number: entry.number, message, origin: entry.origin });
      bytes += entry.bytes;
      this.#cursor += 1;
      this.#inflight += 1;
      this.#inflightBytes += entry.bytes;
    }
    this.spool.trim();
    const reliable = messages.length;
    while (!this.#congested && messages.length < FRAME_MESSAGES_MAX) {
      const queued = this.#bestEffort.peek();
      if (queued === undefined || (messages.length > 0 && bytes + queued.bytes > limit)) break;
      this.#bestEffort.shift();
      const message = aged(queued.message, nowMs - queued.queuedAtMs);
      if (message === null) {
        this.#dropped("expired", 1);
        continue;
      }
      messages.push({ number: null, message, origin: queued.origin });
      bytes += queued.bytes;
    }
    if (messages.length === 0) return null;
    // Either way: a clock that went back must not put it off.
    const confirm = this.#confirmNext || resend || Math.abs(nowMs - this.#confirmedAtMs) >= CONFIRM_MS;
    this.#confirmNext = false;
    if (confirm) this.#confirmedAtMs = nowMs;
    if (reliable > 0) {
      this.#frames.push(this.#cursor - 1);
      if (this.#resendAtMs === Number.POSITIVE_INFINITY) this.#rearm(nowMs);
    }
    this.#frameId += 1;
    if (confirm) {
      const number = messages.find((framed) => framed.number !== null)?.number ?? null;
      this.#confirmed.set(this.#frameId, { messages: messages.length, bytes, number });
    }
    return { id: this.#frameId, messages, base: this.spool.base, confirm, resend };
  }

  /** Carries nothing; the broker's answer shows whether it takes frames. */
  emptyFrame(nowMs: number): OutgoingFrame {
    this.#confirmedAtMs = nowMs;
    this.#frameId += 1;
    return { id: this.#frameId, messages: [], base: this.spool.base, confirm: true, resend: false };
  }

  /** Is not under way any more. */
  #landed(entry: Spooled): void {
    this.#inflight -= 1;
    this.#inflightBytes -= entry.bytes;
  }

  #givenUp(drop: SpoolDrop): void {
    this.#dropped(drop.reason, drop.count);
    this.#cursor = Math.max(this.#cursor, this.spool.base);
  }

  /** A peer whose broker was away for a minute has a round trip of a minute: nobody waits for four of them. */
  #resendCapMs(): number {
    return Math.max(this.#options.retryIntervalMs, RESEND_MIN_MS);
  }

  #measure(sampleMs: number): void {
    // The clock went back meanwhile.
    if (sampleMs < 0) return;
    this.#roundTripMs = this.#roundTripMs === 0 ? sampleMs : this.#roundTripMs * 0.875 + sampleMs * 0.125;
  }

  #rearm(nowMs: number): void {
    this.#resendAtMs = this.#inflight > 0 ? nowMs + this.#resendWaitMs : Number.POSITIVE_INFINITY;
  }
}

/** The message with the time it spent here taken off its expiry; null: it has expired. */
function aged(message: Message, spentMs: number): Message | null {
  if (message.expiryMs === null) return message;
  // A clock that went back must not make a message live longer than its publisher said.
  const expiryMs = message.expiryMs - Math.max(0, spentMs);
  return expiryMs <= 0 ? null : { ...message, expiryMs };
}
