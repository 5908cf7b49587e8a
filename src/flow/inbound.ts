/**
 * One link's messages on their way from the peer to the local broker. Pure: what may be republished is handed to the
 * owner in order, and a message is settled for the peer only after the local broker has taken it (or refused it for
 * good). The record per stream makes a repeated number harmless; it is lost with the process, then at-least-once holds.
 *
 *   frame ─▶ gate (route operation applied and subscribed, at most 1 s) ─▶ order ─▶ checks ─▶ republish ─▶ PUBACK ─▶ settled
 *
 * Frames may be lost or overtake each other on the way: reliable messages behind a gap wait until it is filled.
 */
import { isReserved, topicProblem } from "../topic/filter.ts";
import type { Frame, FramedMessage, Message } from "../wire/message.ts";
import { StreamRecord } from "./stream-record.ts";

/** A frame that names a route operation we do not know waits this long; the operation may have been lost for good. */
const CAUSALITY_WAIT_MS = 1_000;
/** Frames waiting for their route operation, or for a frame before them. Past it the newest go: reliable ones come again. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** QoS 1 republishes under way: far below the queue a broker has for one subscriber (1,000 in Mosquitto). */
const REPUBLISH_INFLIGHT_MAX = 500;
/** Messages accepted from frames that wait for their turn; frames past it are dropped whole, they come again. */
const PENDING_MAX = 20_000;
/** Their payloads, together. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** A sender has one stream at a time; a few more for its earlier lives. */
const STREAMS_MAX = 4;
/** The local broker is busy (quota, unspecified): try the same message again, in order, after this. */
const BUSY_RETRY_MS = 1_000;

export type InboundDropReason =
  | "not_in_topics"
  | "reserved_topic"
  | "bad_topic"
  | "expired"
  | "duplicate"
  | "gate_full"
  | "refused_by_broker"
  | "local_away";

export interface InboundChecks {
  /** Whether the link's own `topics` take this topic. */
  wants(topic: string): boolean;
  /** Whether the topic lies under a control prefix. */
  isControl(topic: string): boolean;
}

/** A message for the local broker. QoS 1 ones carry a token to be answered, QoS 0 ones null. */
export interface InboundMessage {
  readonly token: number | null;
  readonly message: Message;
  readonly origin: string | null;
}

interface WaitingFrame {
  readonly frame: Frame;
  readonly bytes: number;
  readonly stayMs: number;
  readonly untilMs: number;
}

interface Pending {
  readonly stream: string;
  readonly number: number | null;
  readonly message: Message;
  readonly origin: string | null;
}

export interface Settlement {
  readonly stream: string;
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

export class Inbound {
  readonly #checks: InboundChecks;
  readonly #dropped: (reason: InboundDropReason, count: number) => void;
  /** Called when a frame went on without its route operation. */
  readonly #gateTimeout: () => void;
  readonly #records = new Map<string, StreamRecord>();
  #waiting: WaitingFrame[] = [];
  /** Bytes of frames that wait, for whatever. */
  #waitingBytes = 0;
  /** Frames behind a gap, by stream and the number they begin with. */
  readonly #ahead = new Map<string, Map<number, WaitingFrame>>();
  #pending: Pending[] = [];
  #pendingHead = 0;
  /** Payload bytes of what is pending or under way. */
  #pendingBytes = 0;
  readonly #inflight = new Map<number, Pending>();
  #nextToken: () => number;
  #localUp = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #received = 0;

  constructor(
    checks: InboundChecks,
    nextToken: () => number,
    dropped: (reason: InboundDropReason, count: number) => void,
    gateTimeout: () => void,
  ) {
    this.#checks = checks;
    this.#nextToken = nextToken;
    this.#dropped = dropped;
    this.#gateTimeout = gateTimeout;
  }

  get inflight(): number {
    return this.#inflight.size;
  }

  /** Bytes of frames that wait for their route operation or for a frame before them. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get pending(): number {
    return this.#pending.length - this.#pendingHead;
  }

  get received(): number {
    return this.#received;
  }

  get deadlineMs(): number {
    const gateMs = this.#waiting[0]?.untilMs ?? Number.POSITIVE_INFINITY;
    const retryMs =
      this.#localUp && this.pending > 0 && this.#retryAtMs > 0 ? this.#retryAtMs : Number.POSITIVE_INFINITY;
    return Math.min(gateMs, retryMs);
  }

  /** A decoded frame of the current speaker; `stayMs`: how long brokers held it. */
  frame(frame: Frame, bytes: number, stayMs: number, nowMs: number): void {
    if (
      this.#waitingBytes + bytes > WAITING_BYTES_MAX ||
      this.pending > PENDING_MAX ||
      this.#pendingBytes > PENDING_BYTES_MAX
    ) {
      this.#dropped("gate_full", frame.messages.length);
      return;
    }
    this.#waiting.push({ frame, bytes, stayMs, untilMs: nowMs + CAUSALITY_WAIT_MS });
    this.#waitingBytes += bytes;
  }

  /**
   * Opens frames whose route operation is in force (`readyOp`: the last one applied and subscribed) and answers what
   * goes to the local broker now.
   */
  pump(readyOp: number, nowMs: number): InboundMessage[] {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (first === undefined || !this.mayOpen(first.frame.routeOp, readyOp, first.untilMs, nowMs)) break;
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes;
      this.#open(first);
      this.#openFollowing(first.frame.stream);
    }
    return this.#take(nowMs);
  }

  /** Causality: a request must not overtake the subscription for its reply. A lost operation holds a frame 1 s at most. */
  mayOpen(routeOp: number, readyOp: number, untilMs: number, nowMs: number): boolean {
    if (routeOp <= readyOp) return true;
    if (nowMs < untilMs) return false;
    this.#gateTimeout();
    return true;
  }

  /** The peer starts a new life: what waits for its operations would wait in vain. Numbers of old streams stay known. */
  speakerChanged(): void {
    this.#waiting = [];
    this.#ahead.clear();
    this.#waitingBytes = 0;
  }

  /** The local broker's answer to a QoS 1 republish; null: the connection was lost first. */
  republished(token: number, reasonCode: number | null, nowMs: number): void {
    const pending = this.#inflight.get(token);
    if (pending === undefined) return;
    if (reasonCode === null) return; // localDown() puts them all back in order
    if (reasonCode === 0x00 || reasonCode === 0x10) {
      this.#inflight.delete(token);
      this.#settle(pending);
    } else if (reasonCode === 0x97 || reasonCode === 0x80 || reasonCode === 0x83) {
      this.#inflight.delete(token);
      this.#putBack([pending]);
      this.#retryAtMs = nowMs + BUSY_RETRY_MS;
    } else {
      this.#inflight.delete(token);
      this.#dropped("refused_by_broker", 1);
      this.#settle(pending);
    }
  }

  localUp(): void {
    this.#localUp = true;
  }

  /** The data session is gone: what was under way is in doubt and goes again, first and in order. */
  localDown(): void {
    this.#localUp = false;
    this.#putBack([...this.#inflight.values()]);
    this.#inflight.clear();
  }

  /** What to tell the peer: one settlement for each stream that has news. */
  settlements(): Settlement[] {
    const settlements: Settlement[] = [];
    for (const [stream, record] of this.#records) {
      const news = record.news();
      if (news !== null) settlements.push({ stream, ...news });
    }
    return settlements;
  }

  #open(waiting: WaitingFrame): void {
    const { frame, stayMs } = waiting;
    const record = this.#recordOf(frame.stream);
    record.advance(frame.base - 1);
    let before: number | null = null;
    let following: FramedMessage[] | null = null;
    for (const framed of frame.messages) {
      const { number } = framed;
      if (following !== null && number !== null) {
        following.push(framed);
        continue;
      }
      this.#received += 1;
      if (number !== null) {
        if (before !== null) record.skipTo(number);
        before = number;
        const beginning = record.begin(number);
        if (beginning === "ahead") following = [framed];
        else if (beginning !== "fresh") this.#dropped("duplicate", 1);
        if (beginning !== "fresh") continue;
      }
      this.#accept(frame.stream, framed, stayMs);
    }
    if (following !== null) this.#keepAhead({ ...waiting, frame: { ...frame, messages: following } });
  }

  #keepAhead(waiting: WaitingFrame): void {
    const { frame, bytes } = waiting;
    const [first] = frame.messages;
    if (first === undefined || first.number === null) return;
    const ahead = this.#ahead.get(frame.stream) ?? new Map<number, WaitingFrame>();
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX || ahead.has(first.number)) {
      this.#dropped(ahead.has(first.number) ? "duplicate" : "gate_full", frame.messages.length);
      return;
    }
    this.#ahead.set(frame.stream, ahead.set(first.number, waiting));
    this.#waitingBytes += bytes;
  }

  /** A gap may have been filled: what waited behind it follows in order. */
  #openFollowing(stream: string): void {
    const ahead = this.#ahead.get(stream);
    const record = this.#records.get(stream);
    if (ahead === undefined || record === undefined) return;
    for (const first of [...ahead.keys()].sort((a, b) => a - b)) {
      const waiting = ahead.get(first);
      if (waiting === undefined || first > record.next) break;
      ahead.delete(first);
      this.#waitingBytes -= waiting.bytes;
      this.#open(waiting);
    }
    if (ahead.size === 0) this.#ahead.delete(stream);
  }

  #accept(stream: string, framed: FramedMessage, stayMs: number): void {
    const { message, number, origin } = framed;
    const problem = this.problemOf(message.topic);
    const expiryMs = message.expiryMs === null ? null : message.expiryMs - stayMs;
    if (problem !== null || (expiryMs !== null && expiryMs <= 0)) {
      this.#dropped(problem ?? "expired", 1);
      if (number !== null) this.#records.get(stream)?.settle(number);
      return;
    }
    const whole = expiryMs === message.expiryMs ? message : { ...message, expiryMs };
    this.#pending.push({ stream, number, message: whole, origin });
    this.#pendingBytes += whole.payload.length;
  }

  /** A peer may only give what this link asked for, and never a topic that steers a broker or an agent. */
  problemOf(topic: string): InboundDropReason | null {
    if (isReserved(topic) || this.#checks.isControl(topic)) return "reserved_topic";
    if (topicProblem(topic) !== null) return "bad_topic";
    return this.#checks.wants(topic) ? null : "not_in_topics";
  }

  #take(nowMs: number): InboundMessage[] {
    const messages: InboundMessage[] = [];
    if (!this.#localUp || nowMs < this.#retryAtMs) return messages;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    while (this.#pendingHead < this.#pending.length && this.#inflight.size < REPUBLISH_INFLIGHT_MAX) {
      const pending = this.#pending[this.#pendingHead];
      this.#pendingHead += 1;
      if (pending === undefined) break;
      const { message, origin } = pending;
      if (message.qos === 0) {
        this.#pendingBytes -= message.payload.length;
        messages.push({ token: null, message, origin });
        if (pending.number !== null) this.#settle(pending);
        continue;
      }
      const token = this.#nextToken();
      this.#inflight.set(token, pending);
      messages.push({ token, message, origin });
    }
    if (this.#pendingHead > 1024 || this.#pendingHead === this.#pending.length) {
      this.#pending = this.#pending.slice(this.#pendingHead);
      this.#pendingHead = 0;
    }
    return messages;
  }

  #settle(pending: Pending): void {
    if (pending.message.qos === 1) this.#pendingBytes -= pending.message.payload.length;
    if (pending.number !== null) this.#records.get(pending.stream)?.settle(pending.number);
  }

  #putBack(items: readonly Pending[]): void {
    if (items.length === 0) return;
    this.#pending = [...items, ...this.#pending.slice(this.#pendingHead)];
    this.#pendingHead = 0;
  }

  #recordOf(stream: string): StreamRecord {
    let record = this.#records.get(stream);
    if (record === undefined) {
      if (this.#records.size >= STREAMS_MAX) {
        const [oldest] = this.#records.keys();
        if (oldest !== undefined) this.#forget(oldest);
      }
      record = new StreamRecord();
      this.#records.set(stream, record);
    }
    return record;
  }

  #forget(stream: string): void {
    this.#records.delete(stream);
    for (const { bytes } of this.#ahead.get(stream)?.values() ?? []) this.#waitingBytes -= bytes;
    this.#ahead.delete(stream);
  }
}
