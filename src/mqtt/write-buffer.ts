/**
 * Packets that wait to be written, encoded, in as few pieces as they fit. Owns the memory they lie in: it is used again once
 * the owner says that everything taken from it has left.
 */

/** What a turn writes is rarely more. */
const SLAB_BYTES = 65_536;
/** Past this a payload is handed on where it lies: copying costs more than another piece. */
const COPY_BYTES_MAX = 8_192;

export class WriteBuffer {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Of the slab: where the present piece begins, and where it is written next. */
  #begin = 0;
  #at = 0;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#pieceBytes + this.#at - this.#begin;
  }

  /** Makes sure that so many bytes fit; before the calls that write them. */
  reserve(bytes: number): void {
    if (this.#slab.length - this.#at >= bytes) return;
    this.#close();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#begin = 0;
    this.#at = 0;
  }

  u8(value: number): void {
    this.#slab[this.#at] = value;
    this.#at += 1;
  }

  u16(value: number): void {
    this.u8(value >> 8);
    this.u8(value & 0xff);
  }

  u32(value: number): void {
    this.#at = this.#slab.writeUInt32BE(value, this.#at);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.u8((rest & 0x7f) | 0x80);
    this.u8(rest);
  }

  /** With its length before it, which the caller has seen to be at most 65,535. */
  text(text: string): void {
    const bytes = this.#slab.write(text, this.#at + 2, "utf8");
    this.u16(bytes);
    this.#at += bytes;
  }

  /** Needs no `reserve`. What is large is not copied: it must stay as it is until it has left. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length > COPY_BYTES_MAX) {
      this.#close();
      this.#pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      this.#pieceBytes += bytes.length;
      return;
    }
    this.reserve(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** All that waits, in order. */
  take(): Buffer[] {
    this.#close();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#pieceBytes = 0;
    return pieces;
  }

  /** Nothing that was taken is still needed. Only while nothing waits. */
  rewind(): void {
    this.#begin = 0;
    this.#at = 0;
  }

  #close(): void {
    if (this.#at === this.#begin) return;
    this.#pieces.push(this.#slab.subarray(this.#begin, this.#at));
    this.#pieceBytes += this.#at - this.#begin;
    this.#begin = this.#at;
  }
}
