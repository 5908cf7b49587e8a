/**
 * Follows a stream of MQTT bytes, however it is cut, and knows where one packet ends and the next begins (MQTT 2.1). Looks
 * at fixed headers only; keeps no bytes.
 */

/** A remaining length has at most four bytes of seven bits (MQTT-1.5.5). */
const LENGTH_SHIFT_MAX = 21;

export class PacketWalk {
  /** Bytes of the present packet that are still to come, once its length is known. */
  #remaining = 0;
  #inLength = false;
  #length = 0;
  #shift = 0;

  /** Whether the last byte ended a packet, or nothing came yet. */
  get atBoundary(): boolean {
    return this.#remaining === 0 && !this.#inLength;
  }

  /** `began` gets the first byte of each packet that begins in `bytes`. */
  feed(bytes: Uint8Array, began: (firstByte: number) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#remaining > 0) {
        const skipped = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= skipped;
        at += skipped;
        continue;
      }
      const byte = bytes[at] ?? 0;
      at += 1;
      if (this.#inLength) this.#lengthByte(byte);
      else {
        this.#inLength = true;
        this.#length = 0;
        this.#shift = 0;
        began(byte);
      }
    }
  }

  #lengthByte(byte: number): void {
    this.#length += (byte & 0x7f) * 2 ** this.#shift;
    // A fifth length byte is malformed; whoever parses the packet says so.
    if ((byte & 0x80) !== 0 && this.#shift < LENGTH_SHIFT_MAX) {
      this.#shift += 7;
      return;
    }
    this.#inLength = false;
    this.#remaining = this.#length;
  }
}
