/**
 * Messages of the link on their way to EMQX: each frame's messages become EMQX's own records, one PUBLISH each, and are
 * settled by EMQX's PUBACK. Pure; what is sent goes out as values, in order, and comes again, in order, after a connection
 * that broke or a broker that was busy.
 *
 * Frames come through memory, whole and in order: what is missing between two of them was settled or given up.
 */
import { StreamRecord } from "../flow/stream-record.ts";
import type { Frame, FramedMessage, Message } from "../wire/message.ts";

/** As with a peer of our own kind: a request must not overtake the subscription for its reply, nor wait for ever. */
const CAUSALITY_WAIT_MS = 1_000;
/** Under way to EMQX, at most; its own window is smaller. */
const INFLIGHT_MAX = 500;
const BUSY_RETRY_MS = 1_000;
const BUSY_RETRY_CAP_MS = 30_000;
/** An unspecified error may be the message's own fault. */
const UNSPECIFIED_TRIES_MAX = 5;

const UNSPECIFIED = 0x80;
const IMPLEMENTATION_SPECIFIC = 0x83;
const PACKET_TOO_LARGE = 0x95;
const PAYLOAD_FORMAT_INVALID = 0x99;
const REFUSED = 0x80;

interface Entry {
  readonly stream: string;
  readonly number: number | null;
  readonly message: Message;
  readonly atMs: number;
  readonly routeOp: number;
  /** The same each time it is sent. */
  id: Uint8Array | null;
  tries: number;
}

export interface OutgoingMessage {
  readonly token: number;
  readonly message: Message;
  readonly id: Uint8Array;
  /** How long it was here. */
  readonly ageMs: number;
}

export interface StreamNews {
  readonly stream: string;
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

export type OutgoingDrop = "too_large" | "refused_by_broker" | "peer_away" | "expired";

export class Outgoing {
  readonly #newId: (nowMs: number) => Uint8Array;
  readonly #dropped: (reason: OutgoingDrop, count: number) => void;
  #stream: string | null = null;
  #record = new StreamRecord();
  /** Not sent, or to be sent again, in order. */
  #queue: Entry[] = [];
  readonly #inflight = new Map<number, Entry>();
  #token = 0;
  #up = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  /** The code with which EMQX refuses all of them; 0: it takes them. */
  #refusedWith = 0;
  #busyTries = 0;

  constructor(newId: (nowMs: number) => Uint8Array, dropped: (reason: OutgoingDrop, count: number) => void) {
    this.#newId = newId;
    this.#dropped = dropped;
  }

  get refusedWith(): number {
    return this.#refusedWith;
  }

  get deadlineMs(): number {
    if (!this.#up || this.#queue.length === 0) return Number.POSITIVE_INFINITY;
    if (this.#retryAtMs !== Number.NEGATIVE_INFINITY) return this.#retryAtMs;
    // Room is made by an answer, and an operation that is waited for is confirmed in a turn of its own.
    if (!this.#hasRoom) return Number.POSITIVE_INFINITY;
    const first = this.#queue[0];
    return first === undefined ? Number.POSITIVE_INFINITY : first.atMs + CAUSALITY_WAIT_MS;
  }

  frame(frame: Frame, nowMs: number): void {
    if (frame.stream !== this.#stream) {
      // A new stream, or the first: of an earlier one nothing is under way that somebody waits for.
      this.#stream = frame.stream;
      this.#record = new StreamRecord({ upTo: Math.max(0, frame.base - 1), ranges: [] });
    }
    this.#record.advance(frame.base - 1);
    for (const framed of frame.messages) this.#take(framed, frame, nowMs);
  }

  connected(): void {
    this.#up = true;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What was under way is in doubt and goes again, first and in order. What is best effort does not wait. */
  disconnected(): void {
    this.#up = false;
    this.#queue = [...this.#inflight.values(), ...this.#queue].filter(({ number }) => number !== null);
    this.#inflight.clear();
  }

  /** What goes to EMQX now. `readyOp`: the last route operation of ours that EMQX has. */
  pump(readyOp: number, nowMs: number): OutgoingMessage[] {
    const messages: OutgoingMessage[] = [];
    if (!this.#up || nowMs < this.#retryAtMs) return messages;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    let taken = 0;
    for (const entry of this.#queue) {
      if (!this.#hasRoom) break;
      if (entry.routeOp > readyOp && nowMs - entry.atMs < CAUSALITY_WAIT_MS) break;
      taken += 1;
      entry.id ??= this.#newId(nowMs);
      this.#token += 1;
      messages.push({ token: this.#token, message: entry.message, id: entry.id, ageMs: nowMs - entry.atMs });
      if (entry.number !== null) this.#inflight.set(this.#token, entry);
    }
    this.#queue.splice(0, taken);
    return messages;
  }

  /** A message is too old to be sent. */
  expired(token: number): void {
    this.#dropped("expired", 1);
    this.#done(token);
  }

  /** EMQX's answer; null: the connection was lost first. Answers whether what EMQX says of all messages changed. */
  answered(token: number, reasonCode: number | null, nowMs: number): boolean {
    const entry = this.#inflight.get(token);
    if (entry === undefined || reasonCode === null) return false;
    if (reasonCode < REFUSED) {
      this.#busyTries = 0;
      this.#done(token);
      return this.#says(0);
    }
    if (reasonCode === PACKET_TOO_LARGE || reasonCode === PAYLOAD_FORMAT_INVALID) {
      this.#dropped(reasonCode === PACKET_TOO_LARGE ? "too_large" : "refused_by_broker", 1);
      this.#done(token);
      return false;
    }
    const isItsOwnFault = reasonCode === UNSPECIFIED || reasonCode === IMPLEMENTATION_SPECIFIC;
    entry.tries += 1;
    if (isItsOwnFault && entry.tries > UNSPECIFIED_TRIES_MAX) {
      this.#dropped("refused_by_broker", 1);
      this.#done(token);
      return false;
    }
    // Access rights and quotas are no fault of the message: all go by one topic, and wait together.
    this.#inflight.delete(token);
    this.#putBack(entry);
    this.#retryAtMs = nowMs + Math.min(BUSY_RETRY_MS * 2 ** this.#busyTries, BUSY_RETRY_CAP_MS);
    this.#busyTries = Math.min(this.#busyTries + 1, 10);
    return this.#says(reasonCode);
  }

  /** What the hub is told: the numbers that EMQX has, when there is news. */
  news(): StreamNews | null {
    const news = this.#stream === null ? null : this.#record.news();
    return news === null || this.#stream === null ? null : { stream: this.#stream, ...news };
  }

  /** Where all are refused, one at a time finds out whether they are taken again. */
  get #hasRoom(): boolean {
    return this.#inflight.size < (this.#refusedWith === 0 ? INFLIGHT_MAX : 1);
  }

  #take({ number, message }: FramedMessage, { stream, routeOp }: Frame, nowMs: number): void {
    const entry: Entry = { stream, number, message, routeOp, atMs: nowMs, id: null, tries: 0 };
    if (number === null) {
      if (this.#up) this.#queue.push(entry);
      else this.#dropped("peer_away", 1);
      return;
    }
    this.#record.skipTo(number);
    // Of one that is here already the hub asks what became of it: the record has news of it either way.
    if (this.#record.begin(number) === "new") this.#queue.push(entry);
  }

  #done(token: number): void {
    const entry = this.#inflight.get(token);
    if (entry === undefined) return;
    this.#inflight.delete(token);
    if (entry.number !== null && entry.stream === this.#stream) this.#record.settle(entry.number);
  }

  /** In order: answers come in any, and messages must not change places. */
  #putBack(entry: Entry): void {
    const at = this.#queue.findIndex(({ number }) => number !== null && number > (entry.number ?? 0));
    if (at < 0) this.#queue.push(entry);
    else this.#queue.splice(at, 0, entry);
  }

  #says(reasonCode: number): boolean {
    if (this.#refusedWith === reasonCode) return false;
    this.#refusedWith = reasonCode;
    return true;
  }
}
