/**
 * Reason codes of PUBACKs that the client library takes for an error in the stream: it knows those that MQTT 5 lists for a
 * PUBACK (3.4.2.1) and ends the connection at any other. Mosquitto answers a message over its `message_size_limit` with
 * 0x95, packet too large, which is not on the list. Such a code is replaced in the bytes before the library reads them, and
 * kept for whoever asks what the broker really said.
 */

const PUBACK = 0x40;
/** MQTT 5, 3.4.2.1. */
const LISTED = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const UNSPECIFIED_ERROR = 0x80;
/** Behind the packet identifier. */
const CODE_AT = 2;

export class PubackCodes {
  readonly #unlisted = new Map<number, number>();
  #id = 0;

  /** A piece of a packet's body, as `PacketWalk` hands it out; may change `bytes`. */
  body(firstByte: number, offset: number, begin: number, end: number, bytes: Uint8Array): void {
    if (firstByte !== PUBACK) return;
    for (let at = begin; at < end && offset + at - begin <= CODE_AT; at += 1) {
      const byte = bytes[at] ?? 0;
      if (offset + at - begin < CODE_AT) this.#id = ((this.#id << 8) | byte) & 0xffff;
      else if (!LISTED.has(byte)) {
        this.#unlisted.set(this.#id, byte);
        bytes[at] = UNSPECIFIED_ERROR;
      }
    }
  }

  /** The code of this PUBACK, given the one that the library read. Each is asked for once. */
  take(id: number, read: number): number {
    const code = this.#unlisted.get(id);
    if (code === undefined) return read;
    this.#unlisted.delete(id);
    return code;
  }
}
