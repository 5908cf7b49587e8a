/**
 * Reads the fields of one MQTT packet (MQTT5 1.5). Never reads beyond the packet and never throws: at the first field that
 * is not what it has to be, `problem` says so for good, and every field from then on is empty.
 */

/** A variable byte integer has at most four bytes of seven bits (MQTT-1.5.5). */
const VARINT_SHIFT_MAX = 21;
/** Up to here a loop over the bytes is cheaper than a call of the decoder. */
const SHORT_TEXT_BYTES = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NOTHING = Buffer.alloc(0);

export class PacketReader {
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  #problem: string | null = null;

  /** Begins to read what lies from `begin` to `end`. */
  open(bytes: Buffer, begin: number, end: number): void {
    this.#bytes = bytes;
    this.#at = begin;
    this.#end = end;
    this.#problem = null;
  }

  get problem(): string | null {
    return this.#problem;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  fail(problem: string): void {
    this.#problem ??= problem;
    this.#at = this.#end;
  }

  u8(): number {
    if (!this.#has(1)) return 0;
    const value = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return value;
  }

  u16(): number {
    if (!this.#has(2)) return 0;
    const value = ((this.#bytes[this.#at] ?? 0) << 8) | (this.#bytes[this.#at + 1] ?? 0);
    this.#at += 2;
    return value;
  }

  u32(): number {
    const high = this.u16();
    return high * 0x1_0000 + this.u16();
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
      if (shift === VARINT_SHIFT_MAX) {
        this.fail("a length of more than four bytes");
        return 0;
      }
    }
  }

  /** A view, not a copy. */
  binary(): Uint8Array {
    return this.#take(this.u16());
  }

  /** What is left; a view, not a copy. */
  rest(): Uint8Array {
    return this.#take(this.left);
  }

  /**
   * UTF-8 (MQTT-1.5.4-1). U+0000 is let through, as the client library lets it: a broker that forwards it would forward it
   * again after each reconnection, so whoever reads the text has to look.
   */
  text(): string {
    const length = this.u16();
    if (!this.#has(length)) return "";
    const begin = this.#at;
    this.#at += length;
    if (this.#isAscii(begin, this.#at)) return this.#bytes.toString("latin1", begin, this.#at);
    try {
      return UTF8.decode(this.#bytes.subarray(begin, this.#at));
    } catch {
      // The decoder's only way to say that the bytes are no UTF-8.
      this.fail("text that is not UTF-8");
      return "";
    }
  }

  /** Leaves out `length` bytes. */
  skip(length: number): void {
    if (this.#has(length)) this.#at += length;
  }

  #isAscii(begin: number, end: number): boolean {
    if (end - begin > SHORT_TEXT_BYTES) return false;
    for (let at = begin; at < end; at += 1) if ((this.#bytes[at] ?? 0) >= 0x80) return false;
    return true;
  }

  #take(length: number): Uint8Array {
    if (!this.#has(length)) return NOTHING;
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #has(length: number): boolean {
    if (this.#end - this.#at >= length) return true;
    this.fail("a field that goes beyond its end");
    return false;
  }
}
