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
import { aged } from "./expiry.ts";
import { FramesAhead, type WaitingFrame } from "./frames-ahead.ts";
import { type InboundChecks, type InboundDropReason, problemOf } from "./inbound-checks.ts";
import { type SavedRecord, StreamRecord } from "./stream-record.ts";

/** A frame that names a route operation we do not know waits this long; the operation may have been lost for good. */
const CAUSALITY_WAIT_MS = 1_000;
/** Frames waiting for their route operation, for room, or for a frame before them. Past it the newest go: reliable ones come again. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Small ones cost more than their bytes. */
const WAITING_FRAMES_MAX = 16_384;
/** QoS 1 republishes under way: far below the queue a broker has for one subscriber (1,000 in Mosquitto). */
const REPUBLISH_INFLIGHT_MAX = 500;
/** Messages of opened frames that wait for their turn; with more no frame is opened. */
const PENDING_MAX = 20_000;
/** What the wire format lets one frame hold: the last one opened may take the number that far past its limit. */
const FRAME_MESSAGES_MAX = 65_535;
/** Their payloads, together. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** A sender has one stream at a time; a few more for its earlier lives. */
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

interface Pending {
  readonly stream: string;
  readonly number: number | null;
  readonly message: Message;
  readonly origin: string | null;
  /** When it arrived; the message's expiry counts from there. */
  readonly atMs: number;
  /** Place in the order of arrival. */
  readonly place: number;
  /** How often the local broker answered that it was busy. */
  busy: number;
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
  readonly #pending = new Ring<Pending>(PENDING_MAX + FRAME_MESSAGES_MAX);
  /** Were under way and go again before all others. */
  #again: Pending[] = [];
  /** Payload bytes of what is pending or under way. */
  #pendingBytes = 0;
  readonly #inflight = new Map<number, Pending>();
  readonly #nextToken: () => number;
  #localUp = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #place = 0;
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

  /** Bytes of frames that wait, for whatever. */
  get waitingBytes(): number {
    return this.#waitingBytes + this.#ahead.bytes;
  }

  get pending(): number {
    return this.#pending.length + this.#again.length;
  }

  get received(): number {
    return this.#received;
  }

  get deadlineMs(): number {
    // Without room the next answer of the local broker is what opens frames again.
    const gateMs = this.#hasRoom() ? this.#waiting.peek()?.untilMs : undefined;
    const retryMs = this.#localUp && this.#again.length > 0 ? this.#retryAtMs : Number.POSITIVE_INFINITY;
    return Math.min(gateMs ?? Number.POSITIVE_INFINITY, retryMs);
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
    for (const stream of this.#ahead.streams()) this.#openFollowing(stream);
    for (let first = this.#waiting.peek(); first !== undefined && this.#hasRoom(); first = this.#waiting.peek()) {
      if (!this.mayOpen(first.frame.routeOp, readyOp, first.untilMs, nowMs)) break;
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
    let count = this.#ahead.messages;
    for (const { frame } of this.#waiting) count += frame.messages.length;
    if (count > 0) this.#dropped("speaker_changed", count);
    this.#waiting.clear();
    this.#ahead.clear();
    this.#waitingBytes = 0;
  }

  /** The local broker's answer to a QoS 1 republish; null: the connection was lost first. */
  republished(token: number, reasonCode: number | null, nowMs: number): void {
    const pending = this.#inflight.get(token);
    if (pending === undefined) return;
    if (reasonCode === null) return; // localDown() puts them all back in order
    this.#inflight.delete(token);
    if (reasonCode === 0x00 || reasonCode === 0x10) {
      this.#settle(pending);
    } else if (isBusy(reasonCode, pending.busy)) {
      this.#putBack([pending]);
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
    this.#putBack([...this.#inflight.values()]);
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

  #hasRoom(): boolean {
    return this.pending < PENDING_MAX && this.#pendingBytes < PENDING_BYTES_MAX;
  }

  #open(waiting: WaitingFrame): void {
    const { frame, stayMs, atMs } = waiting;
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
      if (begun === "new") this.#accept(frame.stream, framed, atMs - stayMs);
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
  #openFollowing(stream: string): void {
    const record = this.#records.get(stream);
    while (record !== undefined && this.#hasRoom()) {
      const following = this.#ahead.take(stream, record.next);
      if (following === null) return;
      this.#open(following);
    }
  }

  #accept(stream: string, { message, number, origin }: FramedMessage, atMs: number): void {
    const problem = problemOf(message, this.#checks) ?? (message.qos === 0 && !this.#localUp ? "local_away" : null);
    if (problem !== null) {
      this.#dropped(problem, 1);
      if (number !== null) this.#records.get(stream)?.settle(number);
      return;
    }
    this.#place += 1;
    this.#pending.push({ stream, number, message, origin, atMs, place: this.#place, busy: 0 });
    this.#pendingBytes += message.payload.length;
  }

  #take(nowMs: number): InboundMessage[] {
    const messages: InboundMessage[] = [];
    if (!this.#localUp || nowMs < this.#retryAtMs) return messages;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    while (this.#inflight.size < REPUBLISH_INFLIGHT_MAX) {
      const pending = this.#again.shift() ?? this.#pending.shift();
      if (pending === undefined) break;
      const { origin } = pending;
      const message = aged(pending.message, nowMs - pending.atMs);
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
    return messages;
  }

  #settle(pending: Pending): void {
    this.#pendingBytes -= pending.message.payload.length;
    if (pending.number !== null) this.#records.get(pending.stream)?.settle(pending.number);
  }

  /** In their order: answers come in any, and the messages must not change places. */
  #putBack(items: readonly Pending[]): void {
    this.#again.push(...items);
    this.#again.sort((a, b) => a.place - b.place);
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
      this.#records.set(stream, record);
    }
    return record;
  }
}

/** Whether the same message may fare better later. `tries`: how often it was told so already. */
function isBusy(reasonCode: number, tries: number): boolean {
  if (reasonCode === QUOTA_EXCEEDED) return true;
  return (reasonCode === UNSPECIFIED || reasonCode === IMPLEMENTATION_SPECIFIC) && tries < UNSPECIFIED_TRIES_MAX;
}
