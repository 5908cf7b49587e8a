/**
 * What the broker has delivered on the current session, by packet identifier: after a reconnect it delivers again what it
 * has no PUBACK for, marked DUP (MQTT-3.3.1.3), though we may have taken it. DUP alone proves nothing: the first copy may
 * have been lost with the connection. Only one equal to what came before under its identifier was taken. Pure.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { contentKey } from "../base/hash.ts";

/** Far more than any broker has unacknowledged with one client (Mosquitto: 20). Past it the oldest is forgotten: its copy counts as new. */
const REMEMBERED_MAX = 4_096;

export class RedeliveryMemory {
  readonly #taken = new BoundedMap<number, string>(REMEMBERED_MAX);

  /** Notes a delivery, and answers whether it repeats one of this session. */
  repeats(packetId: number, dup: boolean, topic: string, payload: Uint8Array): boolean {
    const key = contentKey(topic, payload);
    if (dup && this.#taken.get(packetId) === key) return true;
    this.#taken.set(packetId, key);
    return false;
  }

  /** Another session: its broker repeats nothing of the one before. */
  clear(): void {
    this.#taken.clear();
  }
}
