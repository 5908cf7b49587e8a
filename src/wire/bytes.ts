/**
 * Reading and writing bytes with every bound checked. A reader never throws and never over-reads: the first failed
 * read sets a problem that stays, and everything read after it is empty or zero.
 */
import { assert } from "../base/assert.ts";
import type { WireProblem } from "./message.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Largest number that travels: exact in every language that has 64-bit floats. */
export const NUMBER_MAX = Number.MAX_SAFE_INTEGER;
/** A `varint` of one byte. */
const ONE_BYTE_LENGTH_MAX = 0x7f;
/** UTF-8 needs at most three bytes for one UTF-16 code unit. */
const UTF8_BYTES_PER_UNIT = 3;
/** Eight groups of seven bits hold 2^53 - 1. */
const VARINT_BYTES_MAX = 8;

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.u8(value >>> 24);
    this.u8((value >>> 16) & 0xff);
    this.u8((value >>> 8) & 0xff);
    this.u8(value & 0xff);
  }

  /** Little groups first, seven bits each, the top bit says that more follow. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} is no number of the wire`);
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Length and bytes. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Length in bytes and UTF-8. */
  text(text: string): void {
    const bytesMax = UTF8_BYTES_PER_UNIT * text.length;
    if (bytesMax > ONE_BYTE_LENGTH_MAX) {
      this.block(encoder.encode(text));
      return;
    }
    // Nearly every topic: the length fits one byte, so the text can be written behind it before it is known.
    this.#reserve(1 + bytesMax);
    const start = this.#length + 1;
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start, start + bytesMax));
    this.#bytes[this.#length] = written;
    this.#length = start + written;
  }

  hex(digits: string): void {
    for (let at = 0; at < digits.length; at += 2) this.u8(Number.parseInt(digits.slice(at, at + 2), 16));
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #problem: WireProblem | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get problem(): WireProblem | null {
    return this.#problem;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  fail(problem: WireProblem): void {
    this.#problem ??= problem;
    this.#at = this.#bytes.length;
  }

  u8(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) {
      this.fail("truncated");
      return 0;
    }
    this.#at += 1;
    return value;
  }

  u32(): number {
    return ((this.u8() << 24) | (this.u8() << 16) | (this.u8() << 8) | this.u8()) >>> 0;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
      const byte = this.u8();
      if (this.#problem !== null) return 0;
      value += (byte & 0x7f) * scale;
      if (value > NUMBER_MAX) break;
      if (byte < 0x80) {
        // One number has one form: a padded one is somebody's trick.
        if (byte === 0 && count > 0) break;
        return value;
      }
      scale *= 0x80;
    }
    this.fail("bad_value");
    return 0;
  }

  /** A number that announces how much follows: at most `max`, and no more than what is left holds at `unitBytes` each. */
  count(max: number, unitBytes: number): number {
    const value = this.varint();
    if (value > max) {
      this.fail("too_large");
      return 0;
    }
    if (value * unitBytes > this.remaining) {
      this.fail("truncated");
      return 0;
    }
    return value;
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) {
      this.fail("truncated");
      return new Uint8Array(0);
    }
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  block(max: number): Uint8Array {
    return this.raw(this.count(max, 1));
  }

  /** MQTT-1.5.4: well-formed UTF-8 without U+0000. */
  text(maxBytes: number): string {
    const bytes = this.block(maxBytes);
    if (this.#problem !== null) return "";
    try {
      const text = decoder.decode(bytes);
      if (!text.includes("\u0000")) return text;
    } catch {
      // not UTF-8: said below
    }
    this.fail("bad_utf8");
    return "";
  }

  hex(length: number): string {
    let text = "";
    for (const byte of this.raw(length)) text += byte.toString(16).padStart(2, "0");
    return text;
  }

  end(): void {
    if (this.#problem === null && this.remaining > 0) this.fail("trailing_bytes");
  }
}
