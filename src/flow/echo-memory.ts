/**
 * For brokers that send a session its own messages back (MQTT 3.1.1 without a working bridge bit): what we published is
 * remembered and each echo taken out once. A counting multiset, because a set would swallow genuine repeats. Bounded by
 * number and age; at the limit the oldest is forgotten, its echo then counts as a message (and the loop guard watches).
 */
import { contentKey } from "../base/hash.ts";
import { Ring } from "../base/ring.ts";

const ENTRIES_MAX = 50_000;
/**
 * An echo comes within a round trip, but a durable session that was away brings it after its return: one taken for a message
 * would go in a circle. One that never comes must not swallow a later equal message for ever.
 */
const AGE_MAX_MS = 60_000;

interface Sent {
  readonly key: string;
  readonly atMs: number;
  /** Its echo came. */
  echoed: boolean;
  /** The next one with the same key. */
  next: Sent | null;
}

interface SameKey {
  oldest: Sent;
  youngest: Sent;
}

export class EchoMemory {
  /** In the order they were sent, echoed ones included until all older ones have gone. */
  readonly #sent = new Ring<Sent>(ENTRIES_MAX);
  /** Those without an echo, by key. */
  readonly #waiting = new Map<string, SameKey>();
  #size = 0;
  #forgotten = 0;

  /** Entries forgotten at the limit. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Messages without an echo. */
  get size(): number {
    return this.#size;
  }

  sent(topic: string, payload: Uint8Array, qos: 0 | 1, nowMs: number): void {
    this.#makeRoom(nowMs);
    const entry: Sent = { key: keyOf(topic, payload, qos), atMs: nowMs, echoed: false, next: null };
    this.#sent.push(entry);
    this.#size += 1;
    const same = this.#waiting.get(entry.key);
    if (same === undefined) {
      this.#waiting.set(entry.key, { oldest: entry, youngest: entry });
    } else {
      same.youngest.next = entry;
      same.youngest = entry;
    }
  }

  isEcho(topic: string, payload: Uint8Array, qos: 0 | 1, nowMs: number): boolean {
    this.#dropExpired(nowMs);
    const same = this.#waiting.get(keyOf(topic, payload, qos));
    if (same === undefined) return false;
    this.#take(same.oldest);
    this.#dropExpired(nowMs);
    return true;
  }

  /** The broker forgot the session: what it owed us does not come any more. */
  clear(): void {
    this.#sent.clear();
    this.#waiting.clear();
    this.#size = 0;
  }

  #makeRoom(nowMs: number): void {
    this.#dropExpired(nowMs);
    if (this.#sent.length < this.#sent.limit) return;
    const oldest = this.#sent.shift();
    if (oldest === undefined || oldest.echoed) return;
    this.#forgotten += 1;
    this.#take(oldest);
  }

  #dropExpired(nowMs: number): void {
    for (let oldest = this.#sent.peek(); oldest !== undefined; oldest = this.#sent.peek()) {
      if (!oldest.echoed && nowMs - oldest.atMs <= AGE_MAX_MS) return;
      this.#sent.shift();
      if (!oldest.echoed) this.#take(oldest);
    }
  }

  /** The oldest one of its key waits no longer. */
  #take(entry: Sent): void {
    entry.echoed = true;
    this.#size -= 1;
    const same = this.#waiting.get(entry.key);
    if (entry.next === null || same === undefined) this.#waiting.delete(entry.key);
    else same.oldest = entry.next;
  }
}

function keyOf(topic: string, payload: Uint8Array, qos: 0 | 1): string {
  return `${qos}${contentKey(topic, payload)}`;
}
