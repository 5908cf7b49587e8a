/**
 * Cuts the stream of bytes from a broker into whole MQTT packets (MQTT5 2.1), however it arrives. A packet that lies whole in
 * what arrived is handed on where it lies; only one that is cut is copied. Knows fixed headers, and no more.
 */

/** `bytes` from `begin`, the fixed header, over `body`, what follows it, to `end`. False: nothing more is wanted now. */
export type TakePacket = (firstByte: number, bytes: Buffer, begin: number, body: number, end: number) => boolean;

/** A remaining length has at most four bytes of seven bits (MQTT-1.5.5). */
const LENGTH_BYTES_MAX = 4;
const HEADER_BYTES_MAX = 1 + LENGTH_BYTES_MAX;
/** Room for the beginning of a large packet; it grows with what really arrives, whatever the header promises. */
const FIRST_BYTES = 65_536;
/** Types that only clients send (MQTT5 2.1.2), and 0, which nobody does. */
const NOT_A_BROKERS: ReadonlySet<number> = new Set([0, 1, 8, 10, 12]);
const PUBLISH_TYPE = 3;
const PUBREL_TYPE = 6;

export class PacketSplitter {
  readonly #bytesMax: number;
  /** A packet that has begun: `#have` bytes of it are in `#partial`. */
  #partial = Buffer.alloc(0);
  #have = 0;
  #problem: string | null = null;
  /** What `#header` found: where the body begins, and where it ends. */
  #body = 0;
  #end = 0;

  /** Of one packet, its header included. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get atBoundary(): boolean {
    return this.#have === 0;
  }

  /** What makes the stream unreadable, for good. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Answers how many bytes were used: all, unless `take` wants no more or there is a problem. */
  feed(chunk: Buffer, take: TakePacket): number {
    let at = 0;
    while (at < chunk.length && this.#problem === null) {
      if (this.#have > 0) {
        at = this.#fill(chunk, at);
        if (!this.#header(this.#partial, 0, this.#have) || this.#end > this.#have) continue;
        const packet = this.#partial.subarray(0, this.#have);
        this.#partial = Buffer.alloc(0);
        this.#have = 0;
        if (!take(packet[0] ?? 0, packet, 0, this.#body, this.#end)) return at;
        continue;
      }
      const known = this.#header(chunk, at, chunk.length);
      if (!known || this.#end > chunk.length) {
        if (this.#problem === null) at = this.#begin(chunk, at, known ? this.#end - at : HEADER_BYTES_MAX);
        continue;
      }
      const begin = at;
      at = this.#end;
      if (!take(chunk[begin] ?? 0, chunk, begin, this.#body, at)) return at;
    }
    return at;
  }

  /** Whether the header that begins at `at` is complete and good. */
  #header(bytes: Buffer, at: number, end: number): boolean {
    const firstByte = bytes[at] ?? 0;
    if (!isBrokers(firstByte)) return this.#fail(`no MQTT (a packet that begins with ${hex(firstByte)})`);
    let length = 0;
    for (let index = 0; at + 1 + index < end; index += 1) {
      const byte = bytes[at + 1 + index] ?? 0;
      length |= (byte & 0x7f) << (7 * index);
      if ((byte & 0x80) === 0) {
        this.#body = at + 2 + index;
        this.#end = this.#body + length;
        const packetBytes = this.#end - at;
        if (packetBytes > this.#bytesMax) return this.#fail(`a packet of ${packetBytes} bytes, more than we take`);
        return true;
      }
      if (index + 1 === LENGTH_BYTES_MAX) return this.#fail("a packet with a length of more than four bytes");
    }
    return false;
  }

  #fail(problem: string): false {
    this.#problem = problem;
    return false;
  }

  /** Keeps what is left of `chunk`, of a packet of so many bytes. */
  #begin(chunk: Buffer, at: number, bytes: number): number {
    const left = chunk.length - at;
    this.#partial = Buffer.allocUnsafe(Math.min(bytes, Math.max(FIRST_BYTES, left)));
    this.#have = chunk.copy(this.#partial, 0, at);
    return chunk.length;
  }

  /** Adds what the packet still lacks, one byte at a time while its length is not known. */
  #fill(chunk: Buffer, at: number): number {
    const known = this.#header(this.#partial, 0, this.#have);
    const wanted = known ? this.#end - this.#have : 1;
    const taken = Math.min(wanted, chunk.length - at);
    if (this.#have + taken > this.#partial.length) {
      const bytes = known ? Math.min(this.#end, this.#partial.length * 2) : HEADER_BYTES_MAX;
      const grown = Buffer.allocUnsafe(Math.max(this.#have + taken, bytes));
      this.#partial.copy(grown, 0, 0, this.#have);
      this.#partial = grown;
    }
    this.#have += chunk.copy(this.#partial, this.#have, at, at + taken);
    return at + taken;
  }
}

/** MQTT5 2.1.3: flags that have no meaning have a fixed value. */
function isBrokers(firstByte: number): boolean {
  const type = firstByte >> 4;
  if (type === PUBLISH_TYPE) return true;
  return !NOT_A_BROKERS.has(type) && (firstByte & 0x0f) === (type === PUBREL_TYPE ? 0x02 : 0);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
