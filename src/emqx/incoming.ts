/**
 * Messages of EMQX on their way to the link: numbered, framed as a peer of our own kind would, and acknowledged to the broker
 * that held them only when the hub has settled them. Pure.
 *
 * EMQX repeats a message that its own buffer is not sure of, and the broker one that we had not acknowledged when a connection
 * ended: what has the identifier, topic and payload of one that was here just now is the same message.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { contentKey } from "../base/hash.ts";
import { framedSize } from "../wire/frame.ts";
import type { FramedMessage, Message } from "../wire/message.ts";

const RECENT_MAX = 10_000;
const FRAME_MESSAGES_MAX = 400;
const FRAME_BYTES = 64 * 1024;
/** With the hub and not settled: far below what it keeps of frames that wait. */
const OPEN_MESSAGES_MAX = 2_000;
const OPEN_BYTES_MAX = 8 * 1024 * 1024;
/** The hub answers at the end of its turn, or when the local broker has: this long without one, and it has lost the frame. */
const AGAIN_MS = 10_000;
const ID_BYTES = 16;

interface Entry {
  readonly message: Message;
  readonly key: string | null;
  token: number | null;
}

export interface IncomingMessage {
  readonly message: Message;
  readonly id: Uint8Array;
  /** For the acknowledgement; null: nobody waits. */
  readonly token: number | null;
}

export class Incoming {
  readonly #acknowledge: (token: number) => void;
  #queue: IncomingMessage[] = [];
  /** By number, in order. */
  readonly #open = new Map<number, Entry>();
  #openBytes = 0;
  #lastNumber = 0;
  /** Of messages that were here, the open ones' number, 0 for others. */
  readonly #recent = new BoundedMap<string, number>(RECENT_MAX);
  #waitsSinceMs = Number.NEGATIVE_INFINITY;
  /** Numbers that are to be handed over once more. */
  #again: number[] = [];
  readonly #repeats: () => void;

  /** `repeats`: a message had been here before. */
  constructor(acknowledge: (token: number) => void, repeats: () => void) {
    this.#acknowledge = acknowledge;
    this.#repeats = repeats;
  }

  /** Every number below is settled. */
  get base(): number {
    for (const number of this.#open.keys()) return number;
    return this.#lastNumber + 1;
  }

  get deadlineMs(): number {
    return this.#open.size === 0 ? Number.POSITIVE_INFINITY : this.#waitsSinceMs + AGAIN_MS;
  }

  /** Whether there is something to hand over now. */
  get hasNews(): boolean {
    return this.#again.length > 0 || (this.#queue.length > 0 && this.#hasRoom);
  }

  take(incoming: IncomingMessage): void {
    const { message, id, token } = incoming;
    const key = message.qos === 0 ? null : keyOf(id, message);
    const before = key === null ? undefined : this.#recent.touch(key);
    if (key === null || before === undefined) {
      if (key !== null) this.#recent.set(key, 0);
      this.#queue.push(incoming);
      return;
    }
    this.#repeats();
    const entry = this.#open.get(before) ?? this.#queued(key);
    if (entry !== undefined && token !== null) {
      if (entry.token !== null) this.#acknowledge(entry.token);
      entry.token = token;
    } else if (token !== null) this.#acknowledge(token);
  }

  /** The next frame's messages; empty: none. To be called until it is. */
  next(nowMs: number): FramedMessage[] {
    if (this.#again.length > 0) return this.#repeat(nowMs);
    const messages: FramedMessage[] = [];
    let bytes = 0;
    while (messages.length < FRAME_MESSAGES_MAX && bytes < FRAME_BYTES && this.#hasRoom) {
      const first = this.#queue.shift();
      if (first === undefined) break;
      const { message, id, token } = first;
      bytes += framedSize(message) ?? 0;
      if (message.qos === 0) {
        messages.push({ number: null, message, origin: null });
        if (token !== null) this.#acknowledge(token);
        continue;
      }
      this.#lastNumber += 1;
      const key = keyOf(id, message);
      if (key !== null) this.#recent.set(key, this.#lastNumber);
      if (this.#open.size === 0) this.#waitsSinceMs = nowMs;
      this.#open.set(this.#lastNumber, { message, key, token });
      this.#openBytes += message.payload.length;
      messages.push({ number: this.#lastNumber, message, origin: null });
    }
    return messages;
  }

  settled(upTo: number, ranges: readonly (readonly [number, number])[], nowMs: number): void {
    const isSettled = (number: number): boolean =>
      number <= upTo || ranges.some(([first, last]) => first <= number && number <= last);
    const highest = Math.max(upTo, ranges.at(-1)?.[1] ?? 0);
    let progress = false;
    for (const [number, entry] of this.#open) {
      if (number > highest) break;
      if (!isSettled(number)) continue;
      this.#open.delete(number);
      this.#openBytes -= entry.message.payload.length;
      if (entry.key !== null) this.#recent.set(entry.key, 0);
      if (entry.token !== null) this.#acknowledge(entry.token);
      progress = true;
    }
    if (progress) this.#waitsSinceMs = nowMs;
  }

  /** The hub may have missed frames: all that is open goes again, under its numbers. */
  again(): void {
    this.#again = [...this.#open.keys()];
  }

  tick(nowMs: number): void {
    if (nowMs >= this.deadlineMs) this.again();
  }

  get #hasRoom(): boolean {
    return this.#open.size < OPEN_MESSAGES_MAX && this.#openBytes < OPEN_BYTES_MAX;
  }

  #repeat(nowMs: number): FramedMessage[] {
    const messages: FramedMessage[] = [];
    let bytes = 0;
    let taken = 0;
    this.#waitsSinceMs = nowMs;
    for (const number of this.#again) {
      const entry = this.#open.get(number);
      bytes += entry === undefined ? 0 : (framedSize(entry.message) ?? 0);
      if (messages.length === FRAME_MESSAGES_MAX || (messages.length > 0 && bytes > FRAME_BYTES)) break;
      taken += 1;
      if (entry !== undefined) messages.push({ number, message: entry.message, origin: null });
    }
    this.#again.splice(0, taken);
    return messages;
  }

  #queued(key: string): { token: number | null } | undefined {
    const at = this.#queue.findIndex(({ id, message }) => message.qos !== 0 && keyOf(id, message) === key);
    const found = this.#queue[at];
    if (found === undefined) return undefined;
    const entry = { ...found };
    this.#queue[at] = entry;
    return entry;
  }
}

/** Null: it has no identifier that would tell it from others. */
function keyOf(id: Uint8Array, { topic, payload }: Message): string | null {
  if (id.length !== ID_BYTES || id.every((byte) => byte === 0)) return null;
  return `${id.join(",")} ${contentKey(topic, payload)}`;
}
