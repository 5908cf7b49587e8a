/**
 * Terms out of bytes that somebody else wrote. Never throws, never reads beyond the end, never makes more of a few bytes than
 * their number allows: depth, count of values and lengths are all bounded, and a length is believed only as far as bytes
 * follow. Duplicate keys of a map and bytes behind the term are passed over.
 */
import { ByteReader } from "../wire/bytes.ts";
import type { Decoded } from "../wire/message.ts";
import { Tag } from "./tag.ts";
import { EMPTY_LIST, EMPTY_MAP, integer, type Term, type TermPair } from "./term.ts";

/** Of a whole term: no listener of a broker that we know takes more. */
export const TERM_BYTES_MAX = 16 * 1024 * 1024;
/** A message has five levels. */
const DEPTH_MAX = 64;
/** A batch of 4,000 route operations has 16,000. */
const VALUES_MAX = 200_000;
/** Of one whole number: what is longer is no time, no count and no identifier. */
const INTEGER_BYTES_MAX = 1_024;
/** Erlang's own limit, in characters. */
const ATOM_CHARACTERS_MAX = 255;
const ATOM_BYTES_MAX = 4 * ATOM_CHARACTERS_MAX;
/** A float as text, padded with zeros. */
const OLD_FLOAT_BYTES = 31;
const OLD_FLOAT = /^-?\d\.\d{20}e[+-]\d{2,3}$/;
const SAFE_INTEGER_BYTES = 6;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NONE: Term = EMPTY_LIST;

/** `bytes`: a term without the leading version byte. */
export function decodeTerm(bytes: Uint8Array): Decoded<Term> {
  if (bytes.length > TERM_BYTES_MAX) return { ok: false, problem: "too_large" };
  const walk = new TermWalk(bytes);
  const term = walk.term(0);
  return walk.reader.problem === null ? { ok: true, value: term } : { ok: false, problem: walk.reader.problem };
}

class TermWalk {
  readonly reader: ByteReader;
  readonly #bytes: Uint8Array;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.reader = new ByteReader(bytes);
  }

  term(depth: number): Term {
    const { reader } = this;
    this.#values += 1;
    if (depth > DEPTH_MAX || this.#values > VALUES_MAX) {
      reader.fail("too_large");
      return NONE;
    }
    const start = this.#at;
    const tag = reader.u8();
    switch (tag) {
      case Tag.SMALL_INTEGER:
        return integer(reader.u8());
      case Tag.INTEGER:
        return integer(reader.u32() | 0);
      case Tag.SMALL_BIG:
        return this.#big(reader.u8());
      case Tag.LARGE_BIG:
        return this.#big(reader.u32());
      case Tag.NEW_FLOAT:
        return this.#float();
      case Tag.FLOAT:
        return this.#oldFloat();
      case Tag.ATOM:
      case Tag.ATOM_UTF8:
      case Tag.SMALL_ATOM:
      case Tag.SMALL_ATOM_UTF8:
        return this.#atom(tag);
      case Tag.BINARY:
        return { kind: "binary", bytes: reader.raw(reader.u32()) };
      case Tag.BIT_BINARY:
        return this.#bits();
      case Tag.SMALL_TUPLE:
        return { kind: "tuple", items: this.#items(reader.u8(), depth) };
      case Tag.LARGE_TUPLE:
        return { kind: "tuple", items: this.#items(reader.u32(), depth) };
      case Tag.NIL:
        return EMPTY_LIST;
      case Tag.STRING:
        return { kind: "list", items: Array.from(reader.raw(this.#u16()), integer), tail: null };
      case Tag.LIST:
        return this.#list(depth);
      case Tag.MAP:
        return this.#map(depth);
      default:
        this.#opaque(tag, depth);
        return { kind: "opaque", bytes: this.#bytes.subarray(start, this.#at) };
    }
  }

  get #at(): number {
    return this.#bytes.length - this.reader.remaining;
  }

  #u16(): number {
    return (this.reader.u8() << 8) | this.reader.u8();
  }

  /** A count of values that follow: each takes a byte at least. */
  #count(count: number): number {
    if (count <= this.reader.remaining) return count;
    this.reader.fail("truncated");
    return 0;
  }

  #items(count: number, depth: number): Term[] {
    const items: Term[] = [];
    for (let left = this.#count(count); left > 0 && this.reader.problem === null; left -= 1)
      items.push(this.term(depth + 1));
    return items;
  }

  #list(depth: number): Term {
    const items = this.#items(this.reader.u32(), depth);
    const tail = this.term(depth + 1);
    const isProper = tail.kind === "list" && tail.items.length === 0;
    if (items.length === 0 && isProper) return EMPTY_LIST;
    return { kind: "list", items, tail: isProper ? null : tail };
  }

  #map(depth: number): Term {
    const pairs: TermPair[] = [];
    const arity = this.reader.u32();
    // Twice: a key and a value.
    this.#count(arity * 2);
    for (let left = arity; left > 0 && this.reader.problem === null; left -= 1)
      pairs.push([this.term(depth + 1), this.term(depth + 1)]);
    return pairs.length === 0 ? EMPTY_MAP : { kind: "map", pairs };
  }

  /** Little end first, behind a byte that is 1 for a negative number. */
  #big(length: number): Term {
    const { reader } = this;
    const sign = reader.u8();
    if (length > INTEGER_BYTES_MAX) reader.fail("too_large");
    else if (sign > 1) reader.fail("bad_value");
    const digits = reader.raw(length);
    if (digits.length <= SAFE_INTEGER_BYTES) {
      let value = 0;
      for (let at = digits.length - 1; at >= 0; at -= 1) value = value * 0x100 + (digits[at] ?? 0);
      // A negative nothing is nothing.
      return { kind: "integer", value: sign === 1 && value > 0 ? -value : value };
    }
    let hex = "0x";
    for (let at = digits.length - 1; at >= 0; at -= 1) hex += (digits[at] ?? 0).toString(16).padStart(2, "0");
    const magnitude = BigInt(hex);
    const value = sign === 1 ? -magnitude : magnitude;
    const isExact = magnitude <= BigInt(Number.MAX_SAFE_INTEGER);
    return { kind: "integer", value: isExact ? Number(value) : value };
  }

  #float(): Term {
    const bytes = this.reader.raw(8);
    if (bytes.length < 8) return NONE;
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
    if (!Number.isFinite(value)) this.reader.fail("bad_value");
    return { kind: "float", value };
  }

  #oldFloat(): Term {
    const text = latin1(this.reader.raw(OLD_FLOAT_BYTES)).replace(/\0+$/, "");
    if (!OLD_FLOAT.test(text) || !Number.isFinite(Number(text))) this.reader.fail("bad_value");
    return { kind: "float", value: Number(text) };
  }

  #atom(tag: number): Term {
    const { reader } = this;
    const isSmall = tag === Tag.SMALL_ATOM || tag === Tag.SMALL_ATOM_UTF8;
    const length = isSmall ? reader.u8() : this.#u16();
    if (length > ATOM_BYTES_MAX) reader.fail("too_large");
    const bytes = reader.raw(length);
    if (tag === Tag.ATOM || tag === Tag.SMALL_ATOM) {
      if (length > ATOM_CHARACTERS_MAX) reader.fail("too_large");
      return { kind: "atom", name: latin1(bytes) };
    }
    try {
      const name = decoder.decode(bytes);
      if (length > ATOM_CHARACTERS_MAX && [...name].length > ATOM_CHARACTERS_MAX) reader.fail("too_large");
      return { kind: "atom", name };
    } catch {
      // not UTF-8: said by the problem
      reader.fail("bad_utf8");
      return NONE;
    }
  }

  #bits(): Term {
    const { reader } = this;
    const length = reader.u32();
    const lastBits = reader.u8();
    const bytes = reader.raw(length);
    if (lastBits > 8 || lastBits === 0 || length === 0) reader.fail("bad_value");
    return { kind: "bits", bytes, lastBits };
  }

  /** Walks over what is kept as bytes. Each begins with the name of a node or module, an atom. */
  #opaque(tag: number, depth: number): void {
    const { reader } = this;
    switch (tag) {
      case Tag.PID:
        this.#named(4 + 4 + 1, depth);
        break;
      case Tag.NEW_PID:
        this.#named(4 + 4 + 4, depth);
        break;
      case Tag.PORT:
      case Tag.REFERENCE:
        this.#named(4 + 1, depth);
        break;
      case Tag.NEW_PORT:
        this.#named(4 + 4, depth);
        break;
      case Tag.V4_PORT:
        this.#named(8 + 4, depth);
        break;
      case Tag.NEW_REFERENCE: {
        const words = this.#u16();
        this.#named(1 + 4 * words, depth);
        break;
      }
      case Tag.NEWER_REFERENCE: {
        const words = this.#u16();
        this.#named(4 + 4 * words, depth);
        break;
      }
      case Tag.EXPORT:
        this.#atomValue(depth);
        this.#atomValue(depth);
        this.term(depth + 1);
        break;
      case Tag.NEW_FUN: {
        // The size counts itself; what is within is of no use without the module.
        const size = reader.u32();
        if (size < 4) reader.fail("bad_value");
        else reader.raw(size - 4);
        break;
      }
      case Tag.FUN: {
        const free = this.#count(reader.u32());
        // Process, module, index, unique number, and the free variables.
        this.#items(Math.min(4 + free, reader.remaining), depth);
        break;
      }
      default:
        reader.fail("unknown_type");
    }
  }

  #named(bytes: number, depth: number): void {
    this.#atomValue(depth);
    this.reader.raw(bytes);
  }

  #atomValue(depth: number): void {
    if (this.term(depth + 1).kind !== "atom") this.reader.fail("bad_value");
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
