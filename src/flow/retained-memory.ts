/**
 * What we had an MQTT 3.1.1 broker retain for peers. Such a broker sends what it stored at every SUBSCRIBE, and nothing in it
 * says whose it is: without this a peer would get its own old values back. At the limit the oldest is forgotten.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { contentKey } from "../base/hash.ts";

export const RETAINED_ENTRIES_MAX = 50_000;

export class RetainedMemory {
  readonly #keys = new BoundedMap<string, true>(RETAINED_ENTRIES_MAX);

  add(topic: string, payload: Uint8Array): void {
    // An empty payload stores nothing.
    if (payload.length > 0) this.#keys.set(contentKey(topic, payload), true);
  }

  has(topic: string, payload: Uint8Array): boolean {
    return this.#keys.has(contentKey(topic, payload));
  }
}
