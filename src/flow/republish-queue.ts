/**
 * What waits for the local broker, in the order in which it came. What was under way when the broker went away, or found
 * it busy, goes again before all others. What waited longer than it should goes on at the pace of a backlog: the queues of
 * the subscribers behind were not made for all of it at once. Pure.
 */
import { Ring } from "../base/ring.ts";
import type { FramedMessage, Message } from "../wire/message.ts";
import { DrainPace } from "./drain-pace.ts";
import type { WaitingFrame } from "./frames-ahead.ts";

/** Messages of opened frames that wait for their turn; with more no frame is opened. */
const WAITING_MAX = 20_000;
/** What the wire format lets one frame hold: the last one opened may take the number that far past its limit. */
const FRAME_MESSAGES_MAX = 65_535;
/** Their payloads, together with those under way. */
const BYTES_MAX = 64 * 1024 * 1024;

export interface Pending {
  readonly stream: string;
  readonly number: number | null;
  readonly message: Message;
  readonly origin: string | null;
  /** When its frame came. */
  readonly cameAtMs: number;
  /** How long brokers had held it before. */
  readonly stayMs: number;
  /** Place in the order of arrival. */
  readonly place: number;
  /** How often the local broker answered that it was busy. */
  busy: number;
}

export class RepublishQueue {
  readonly #fresh = new Ring<Pending>(WAITING_MAX + FRAME_MESSAGES_MAX);
  #again: Pending[] = [];
  #bytes = 0;
  #place = 0;
  readonly pace: DrainPace;

  /** `drainPerSecond`: what a backlog may at most take; null: by the rate of arrival alone. */
  constructor(drainPerSecond: number | null) {
    this.pace = new DrainPace(drainPerSecond);
  }

  get length(): number {
    return this.#fresh.length + this.#again.length;
  }

  get hasRoom(): boolean {
    return this.length < WAITING_MAX && this.#bytes < BYTES_MAX;
  }

  /** When more may be taken; Infinity: now, or nothing waits. */
  get deadlineMs(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.pace.deadlineMs;
  }

  add({ message, number, origin }: FramedMessage, { frame, atMs, stayMs }: WaitingFrame, nowMs: number): void {
    this.#place += 1;
    const { stream } = frame;
    this.#fresh.push({ stream, number, message, origin, cameAtMs: atMs, stayMs, place: this.#place, busy: 0 });
    this.#bytes += message.payload.length;
    this.pace.offered(nowMs);
  }

  /** What may go now, `max` at most. To be called also with 0: it tells when to come again. */
  take(max: number, nowMs: number): Pending[] {
    const taken: Pending[] = [];
    for (;;) {
      const first = this.#again[0] ?? this.#fresh.peek();
      const allowed = this.pace.allowance(first?.cameAtMs ?? null, nowMs);
      const count = Math.min(max - taken.length, allowed, this.length);
      if (count <= 0) return taken;
      const again = this.#again.splice(0, count);
      for (const pending of again) taken.push(pending);
      for (let left = count - again.length; left > 0; left -= 1) {
        const next = this.#fresh.shift();
        if (next !== undefined) taken.push(next);
      }
      this.pace.went(count);
    }
  }

  /** In their order: answers come in any, and the messages must not change places. */
  putBack(items: readonly Pending[]): void {
    this.#again.push(...items);
    this.#again.sort((a, b) => a.place - b.place);
  }

  /** It needs no room any more. */
  done(pending: Pending): void {
    this.#bytes -= pending.message.payload.length;
  }
}
