/**
 * One link's messages on their way from the peer to the local broker. Pure: what may be republished is handed to the
 * owner in order, and a message is settled for the peer only after the local broker has taken it (or refused it for
 * good). The record per stream makes a repeated number harmless, also after a restart if it was saved.
 *
 *   frame ─▶ gate (route operation applied and subscribed, at most 1 s) ─▶ order ─▶ checks ─▶ republish ─▶ PUBACK ─▶ settled
 *
 * Frames may be lost or overtake each other on the way: reliable messages behind a gap wait until it is filled.
 */
import { Ring } from "../base/ring.ts";
import type { Frame, FramedMessage, Message } from "../wire/message.ts";
import type { DrainPace } from "./drain-pace.ts";
import { aged } from "./expiry.ts";
import { FramesAhead, type WaitingFrame } from "./frames-ahead.ts";
import { type InboundChecks, type InboundDropReason, problemOf } from "./inbound-checks.ts";
import { type Pending, RepublishQueue } from "./republish-queue.ts";
import { type SavedRecord, StreamRecord } from "./stream-record.ts";

/** A frame that names a route operation we do not know waits this long; the operation may have been lost for good. */
const CAUSALITY_WAIT_MS = 1_000;
/** Frames waiting for their route operation, for room, or for a frame before them. Past it the newest go: reliable ones come again. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Small ones cost more than their bytes. */
const WAITING_FRAMES_MAX = 16_384;
/** QoS 1 republishes under way: far below the queue a broker has for one subscriber (1,000 in Mosquitto). */
const REPUBLISH_INFLIGHT_MAX = 500;
/** A sender has two streams at a time; as many more for its life before. */
const STREAMS_MAX = 4;
/** The local broker is busy (quota, unspecified): the same message again after this, doubled each time, before any other. */
const BUSY_RETRY_MS = 1_000;
const BUSY_RETRY_CAP_MS = 30_000;
/** An unspecified error may be the message's own fault: it must not hold back all others for ever. */
const UNSPECIFIED_TRIES_MAX = 5;

const UNSPECIFIED = 0x80;
const IMPLEMENTATION_SPECIFIC = 0x83;
const QUOTA_EXCEEDED = 0x97;

/** A message for the local broker. QoS 1 ones carry a token to be answered, QoS 0 ones null. */
export interface InboundMessage {
  readonly token: number | null;
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
  readonly #forgotten: string[] = [];
  readonly #waiting = new Ring<WaitingFrame>(WAITING_FRAMES_MAX);
  #waitingBytes = 0;
  readonly #ahead = new FramesAhead();
  readonly #queue: RepublishQueue;
  readonly #inflight = new Map<number, Pending>();
  readonly #nextToken: () => number;
  #localUp = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #received = 0;

  constructor(
    checks: InboundChecks,
    nextToken: () => number,
    dropped: (reason: InboundDropReason, count: number) => void,
    gateTimeout: () => void,
    drainPerSecond: number | null = null,
  ) {
    this.#queue = new RepublishQueue(drainPerSecond);
    this.#checks = checks;
    this.#nextToken = nextToken;
    this.#dropped = dropped;
    this.#gateTimeout = gateTimeout;
  }

  get inflight(): number {
    return this.#inflight.size;
  }

  /** Bytes of frames that wait, for whatever. */
  get waitingBytes(): number {
    return this.#waitingBytes + this.#ahead.bytes;
  }

  get pending(): number {
    return this.#queue.length;
  }

  /** Of what waited longer than it should. */
  get pace(): DrainPace {
    return this.#queue.pace;
  }

  get received(): number {
    return this.#received;
  }

  get deadlineMs(): number {
    // Without room the next answer of the local broker is what opens frames again.
    const gateMs = this.#queue.hasRoom ? this.#waiting.peek()?.untilMs : undefined;
    const isBusy = this.#retryAtMs !== Number.NEGATIVE_INFINITY;
    const goesMs = isBusy ? this.#retryAtMs : this.#queue.deadlineMs;
    return Math.min(gateMs ?? Number.POSITIVE_INFINITY, this.#localUp ? goesMs : Number.POSITIVE_INFINITY);
  }

  /** A decoded frame of the current speaker; `stayMs`: how long brokers held it. */
  frame(frame: Frame, bytes: number, stayMs: number, nowMs: number): void {
    const waiting = { frame, bytes, stayMs, atMs: nowMs, untilMs: nowMs + CAUSALITY_WAIT_MS };
    this.#makeRoom(bytes);
    if (this.waitingBytes + bytes > WAITING_BYTES_MAX || !this.#waiting.push(waiting)) {
      this.#dropped("gate_full", frame.messages.length);
      return;
    }
    this.#waitingBytes += bytes;
  }

  /**
   * Opens frames whose route operation is in force (`readyOp`: the last one applied and subscribed) and answers what
   * goes to the local broker now.
   */
  pump(readyOp: number, nowMs: number): InboundMessage[] {
    for (const stream of this.#ahead.streams()) this.#openFollowing(stream, nowMs);
    for (let first = this.#waiting.peek(); first !== undefined && this.#queue.hasRoom; first = this.#waiting.peek()) {
      if (!this.mayOpen(first.frame.routeOp, readyOp, first.untilMs, nowMs)) break;
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes;
      this.#open(first, nowMs);
      this.#openFollowing(first.frame.stream, nowMs);
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
    let count = this.#ahead.messages;
    for (const { frame } of this.#waiting) count += frame.messages.length;
    if (count > 0) this.#dropped("speaker_changed", count);
    this.#waiting.clear();
    this.#ahead.clear();
    this.#waitingBytes = 0;
    this.#queue.speakerChanged();
  }

  /** The local broker's answer to a QoS 1 republish; null: the connection was lost first. */
  republished(token: number, reasonCode: number | null, nowMs: number): void {
    const pending = this.#inflight.get(token);
    if (pending === undefined) return;
    if (reasonCode === null) return; // localDown() puts them all back in order
    this.#inflight.delete(token);
    // A state is not tried again: it would replace what has been published behind it meanwhile.
    if (reasonCode === 0x00 || reasonCode === 0x10) {
      this.#settle(pending);
    } else if (pending.message.state !== true && isBusy(reasonCode, pending.busy)) {
      this.#queue.putBack([pending]);
      this.#retryAtMs = nowMs + Math.min(BUSY_RETRY_MS * 2 ** pending.busy, BUSY_RETRY_CAP_MS);
      pending.busy += 1;
    } else {
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
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    this.#queue.putBack([...this.#inflight.values()]);
    this.#inflight.clear();
  }

  /** What an earlier life settled: it is not republished again. */
  restore(stream: string, record: SavedRecord): void {
    if (this.#records.size < STREAMS_MAX) this.#records.set(stream, new StreamRecord(record));
  }

  /** The streams whose settled numbers have to outlive the process. */
  *records(): Iterable<readonly [string, SavedRecord]> {
    for (const [stream, record] of this.#records) yield [stream, record.saved];
  }

  /** Streams forgotten since the last call. */
  forgotten(): readonly string[] {
    return this.#forgotten.splice(0);
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

  /** What lies farthest behind a gap gives way: otherwise there would be no room for the frame that closes it. */
  #makeRoom(bytes: number): void {
    while (this.waitingBytes + bytes > WAITING_BYTES_MAX || this.#ahead.size >= WAITING_FRAMES_MAX) {
      const evicted = this.#ahead.evict();
      if (evicted === null) return;
      this.#dropped("gate_full", evicted.frame.messages.length);
    }
  }

  #open(waiting: WaitingFrame, nowMs: number): void {
    const { frame } = waiting;
    const record = this.#recordOf(frame.stream);
    record.advance(frame.base - 1);
    let before: number | null = null;
    for (const [at, framed] of frame.messages.entries()) {
      const { number } = framed;
      // What the sender leaves out within a frame it has settled or given up.
      if (number !== null && before !== null) record.skipTo(number);
      before = number ?? before;
      const begun = number === null ? "new" : record.begin(number);
      if (begun === "ahead" && number !== null) {
        this.#keepAhead(number, { ...waiting, frame: { ...frame, messages: frame.messages.slice(at) } });
        return;
      }
      this.#received += 1;
      if (begun === "new") this.#accept(framed, waiting, nowMs);
      else this.#dropped(begun === "seen" ? "duplicate" : "beyond_window", 1);
    }
  }

  #keepAhead(first: number, waiting: WaitingFrame): void {
    const { length } = waiting.frame.messages;
    if (!this.#ahead.keep(first, waiting)) this.#dropped("duplicate", length);
    // Itself, if nothing else lies farther behind.
    this.#makeRoom(0);
  }

  /** A gap may have been filled: what waited behind it follows in order, as far as there is room. */
  #openFollowing(stream: string, nowMs: number): void {
    const record = this.#records.get(stream);
    while (record !== undefined && this.#queue.hasRoom) {
      const following = this.#ahead.take(stream, record.next);
      if (following === null) return;
      this.#open(following, nowMs);
    }
  }

  #accept(framed: FramedMessage, waiting: WaitingFrame, nowMs: number): void {
    const { message, number } = framed;
    const problem = problemOf(message, this.#checks) ?? (message.qos === 0 && !this.#localUp ? "local_away" : null);
    if (problem !== null) {
      this.#dropped(problem, 1);
      if (number !== null) this.#records.get(waiting.frame.stream)?.settle(number);
      return;
    }
    this.#queue.add(framed, waiting, nowMs);
  }

  #take(nowMs: number): InboundMessage[] {
    const messages: InboundMessage[] = [];
    if (!this.#localUp || nowMs < this.#retryAtMs) return messages;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    const take = () => this.#queue.take(REPUBLISH_INFLIGHT_MAX - this.#inflight.size, nowMs);
    // Not all of them stay under way: of those that do not, nobody tells the end.
    for (let taken = take(); taken.length > 0; taken = take())
      for (const pending of taken) this.#republish(pending, messages, nowMs);
    return messages;
  }

  #republish(pending: Pending, messages: InboundMessage[], nowMs: number): void {
    const { origin } = pending;
    const message = aged(pending.message, nowMs - pending.cameAtMs + pending.stayMs);
    if (message === null) {
      this.#dropped("expired", 1);
      this.#settle(pending);
    } else if (message.qos === 0) {
      messages.push({ token: null, message, origin });
      this.#settle(pending);
    } else {
      const token = this.#nextToken();
      this.#inflight.set(token, pending);
      messages.push({ token, message, origin });
    }
  }

  #settle(pending: Pending): void {
    this.#queue.done(pending);
    if (pending.number !== null) this.#records.get(pending.stream)?.settle(pending.number);
  }

  #recordOf(stream: string): StreamRecord {
    let record = this.#records.get(stream);
    if (record === undefined) {
      if (this.#records.size >= STREAMS_MAX) {
        const [oldest] = this.#records.keys();
        if (oldest !== undefined) {
          this.#records.delete(oldest);
          this.#ahead.forget(oldest);
          this.#forgotten.push(oldest);
        }
      }
      record = new StreamRecord();
    } else this.#records.delete(stream);
    // Whichever was not heard for longest gives way: the two of a sender may be of very different age.
    this.#records.set(stream, record);
    return record;
  }
}

/** Whether the same message may fare better later. `tries`: how often it was told so already. */
function isBusy(reasonCode: number, tries: number): boolean {
  if (reasonCode === QUOTA_EXCEEDED) return true;
  return (reasonCode === UNSPECIFIED || reasonCode === IMPLEMENTATION_SPECIFIC) && tries < UNSPECIFIED_TRIES_MAX;
}
