/** Terms as bytes, in the shortest form that Erlang itself would write. */
import { assert } from "../base/assert.ts";
import { ByteWriter } from "../wire/bytes.ts";
import { Tag, VERSION } from "./tag.ts";
import type { Term } from "./term.ts";

const U8_MAX = 0xff;
const U16_MAX = 0xffff;
const I32_MIN = -0x8000_0000;
const I32_MAX = 0x7fff_ffff;

const encoder = new TextEncoder();

/** With the leading version byte, not compressed. */
export function encodeTerm(term: Term): Uint8Array {
  const writer = new ByteWriter(512);
  writer.u8(VERSION);
  write(writer, term);
  return writer.finish();
}

function write(writer: ByteWriter, term: Term): void {
  switch (term.kind) {
    case "integer":
      writeInteger(writer, term.value);
      break;
    case "float": {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, term.value);
      writer.u8(Tag.NEW_FLOAT);
      writer.raw(bytes);
      break;
    }
    case "atom":
      writeAtom(writer, term.name);
      break;
    case "binary":
      writer.u8(Tag.BINARY);
      writer.u32(term.bytes.length);
      writer.raw(term.bytes);
      break;
    case "bits":
      writer.u8(Tag.BIT_BINARY);
      writer.u32(term.bytes.length);
      writer.u8(term.lastBits);
      writer.raw(term.bytes);
      break;
    case "tuple":
      if (term.items.length <= U8_MAX) {
        writer.u8(Tag.SMALL_TUPLE);
        writer.u8(term.items.length);
      } else {
        writer.u8(Tag.LARGE_TUPLE);
        writer.u32(term.items.length);
      }
      for (const item of term.items) write(writer, item);
      break;
    case "list":
      writeList(writer, term.items, term.tail);
      break;
    case "map":
      writer.u8(Tag.MAP);
      writer.u32(term.pairs.length);
      for (const [key, value] of term.pairs) {
        write(writer, key);
        write(writer, value);
      }
      break;
    case "opaque":
      writer.raw(term.bytes);
      break;
  }
}

function writeInteger(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === "number" && value >= 0 && value <= U8_MAX) {
    writer.u8(Tag.SMALL_INTEGER);
    writer.u8(value);
  } else if (typeof value === "number" && value >= I32_MIN && value <= I32_MAX) {
    writer.u8(Tag.INTEGER);
    writer.u32(value >>> 0);
  } else writeBig(writer, BigInt(value));
}

function writeBig(writer: ByteWriter, value: bigint): void {
  const hex = (value < 0n ? -value : value).toString(16);
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`;
  const length = digits.length / 2;
  if (length <= U8_MAX) {
    writer.u8(Tag.SMALL_BIG);
    writer.u8(length);
  } else {
    writer.u8(Tag.LARGE_BIG);
    writer.u32(length);
  }
  writer.u8(value < 0n ? 1 : 0);
  for (let at = digits.length - 2; at >= 0; at -= 2) writer.hex(digits.slice(at, at + 2));
}

function writeAtom(writer: ByteWriter, name: string): void {
  const bytes = encoder.encode(name);
  if (bytes.length <= U8_MAX) {
    writer.u8(Tag.SMALL_ATOM_UTF8);
    writer.u8(bytes.length);
  } else {
    assert(bytes.length <= U16_MAX, `an atom of ${bytes.length} bytes`);
    writer.u8(Tag.ATOM_UTF8);
    writer.u8(bytes.length >>> 8);
    writer.u8(bytes.length & U8_MAX);
  }
  writer.raw(bytes);
}

function writeList(writer: ByteWriter, items: readonly Term[], tail: Term | null): void {
  if (items.length === 0 && tail === null) {
    writer.u8(Tag.NIL);
    return;
  }
  if (tail === null && items.length <= U16_MAX && items.every(isByte)) {
    writer.u8(Tag.STRING);
    writer.u8(items.length >>> 8);
    writer.u8(items.length & U8_MAX);
    for (const item of items) if (isByte(item)) writer.u8(item.value);
    return;
  }
  writer.u8(Tag.LIST);
  writer.u32(items.length);
  for (const item of items) write(writer, item);
  if (tail === null) writer.u8(Tag.NIL);
  else write(writer, tail);
}

function isByte(term: Term): term is { readonly kind: "integer"; readonly value: number } {
  return term.kind === "integer" && typeof term.value === "number" && term.value >= 0 && term.value <= U8_MAX;
}
