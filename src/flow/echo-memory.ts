/**
 * For brokers that send a session its own messages back (MQTT 3.1.1 without a working bridge bit): what we published is
 * remembered and each echo taken out once. A counting multiset, because a set would swallow genuine repeats. Bounded by
 * number and age; at the limit the oldest is forgotten, its echo then counts as a message (and the loop guard watches).
 */
import { contentKey } from "../base/hash.ts";

const ENTRIES_MAX = 50_000;
/**
 * An echo comes within a round trip, but a durable session that was away brings it after its return: one taken for a message
 * would go in a circle. One that never comes must not swallow a later equal message for ever.
 */
const AGE_MAX_MS = 60_000;

export class EchoMemory {
  /** When each message still without an echo was sent, oldest first; keys in the order of their first. */
  readonly #sentAtMs = new Map<string, number[]>();
  #size = 0;
  #forgotten = 0;

  /** Entries forgotten at the limit. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#size;
  }

  sent(topic: string, payload: Uint8Array, qos: 0 | 1, nowMs: number): void {
    this.#makeRoom(nowMs);
    const key = keyOf(topic, payload, qos);
    const times = this.#sentAtMs.get(key);
    if (times === undefined) this.#sentAtMs.set(key, [nowMs]);
    else times.push(nowMs);
    this.#size += 1;
  }

  isEcho(topic: string, payload: Uint8Array, qos: 0 | 1, nowMs: number): boolean {
    const key = keyOf(topic, payload, qos);
    const times = this.#sentAtMs.get(key);
    if (times === undefined) return false;
    let found = false;
    while (times.length > 0 && !found) {
      const atMs = times.shift();
      this.#size -= 1;
      found = atMs !== undefined && nowMs - atMs <= AGE_MAX_MS;
    }
    if (times.length === 0) this.#sentAtMs.delete(key);
    return found;
  }

  /** The broker forgot the session: what it owed us does not come any more. */
  clear(): void {
    this.#sentAtMs.clear();
    this.#size = 0;
  }

  #makeRoom(nowMs: number): void {
    for (const [key, times] of this.#sentAtMs) {
      const [oldest] = times;
      const expired = oldest !== undefined && nowMs - oldest > AGE_MAX_MS;
      if (!expired && this.#size < ENTRIES_MAX) return;
      if (!expired) this.#forgotten += 1;
      times.shift();
      this.#size -= 1;
      // A key whose oldest entry went takes its place among the younger ones.
      this.#sentAtMs.delete(key);
      if (times.length > 0) this.#sentAtMs.set(key, times);
    }
  }
}

function keyOf(topic: string, payload: Uint8Array, qos: 0 | 1): string {
  return `${qos}${contentKey(topic, payload)}`;
}
