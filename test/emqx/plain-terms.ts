/**
 * Erlang's terms once more, written from the format's description alone and only as far as EMQX's links need them: so that a
 * mistake in the agent's codec is not repeated by what tests it.
 */
import zlib from "node:zlib";

export type Plain = number | bigint | Buffer | Atom | Tuple | Plain[] | Map<Plain, Plain>;

export class Atom {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export class Tuple {
  readonly items: readonly Plain[];
  constructor(...items: readonly Plain[]) {
    this.items = items;
  }
}

export const OP = new Atom("$op");

export function bin(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** `packed`: as EMQX 6.0.3 and later write it, if it becomes smaller. */
export function plainEncode(term: Plain, packed = false): Buffer {
  const bytes = encode(term);
  const whole = Buffer.concat([Buffer.from([131]), bytes]);
  if (!packed) return whole;
  const head = Buffer.from([131, 80, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 2);
  const small = Buffer.concat([head, zlib.deflateSync(bytes)]);
  return small.length < whole.length ? small : whole;
}

export function plainDecode(bytes: Buffer): Plain {
  if (bytes[0] !== 131) throw new Error("not a term");
  const plain = bytes[1] === 80 ? zlib.inflateSync(bytes.subarray(6)) : bytes.subarray(1);
  return new Decoder(plain).term();
}

/** The value of a small number or an atom in a map. */
export function at(term: Plain, key: number | string): Plain | undefined {
  if (!(term instanceof Map)) return undefined;
  for (const [name, value] of term) if (name === key || (name instanceof Atom && name.name === key)) return value;
  return undefined;
}

export function text(term: Plain | undefined): string {
  if (!Buffer.isBuffer(term)) throw new Error(`no binary: ${String(term)}`);
  return term.toString("utf8");
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function encode(term: Plain): Buffer {
  if (typeof term === "number") {
    if (Number.isInteger(term) && term >= 0 && term < 256) return Buffer.from([97, term]);
    if (Number.isInteger(term) && Math.abs(term) < 2 ** 31) return Buffer.concat([Buffer.from([98]), u32(term)]);
    const digits: number[] = [];
    for (let rest = term; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest % 256);
    return Buffer.from([110, digits.length, 0, ...digits]);
  }
  if (typeof term === "bigint") throw new Error("not needed");
  if (Buffer.isBuffer(term)) return Buffer.concat([Buffer.from([109]), u32(term.length), term]);
  if (term instanceof Atom) return Buffer.concat([Buffer.from([119, term.name.length]), bin(term.name)]);
  if (term instanceof Tuple) return Buffer.concat([Buffer.from([104, term.items.length]), ...term.items.map(encode)]);
  if (term instanceof Map)
    return Buffer.concat([
      Buffer.from([116]),
      u32(term.size),
      ...[...term].flatMap(([k, v]) => [encode(k), encode(v)]),
    ]);
  if (term.length === 0) return Buffer.from([106]);
  return Buffer.concat([Buffer.from([108]), u32(term.length), ...term.map(encode), Buffer.from([106])]);
}

class Decoder {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  term(): Plain {
    const tag = this.#u8();
    switch (tag) {
      case 97:
        return this.#u8();
      case 98:
        return this.#take(4).readInt32BE();
      case 110: {
        const length = this.#u8();
        this.#u8();
        let value = 0;
        for (const [index, digit] of this.#take(length).entries()) value += digit * 256 ** index;
        return value;
      }
      case 119:
        return new Atom(this.#take(this.#u8()).toString("utf8"));
      case 109:
        return Buffer.from(this.#take(this.#u32()));
      case 104:
        return new Tuple(...this.#many(this.#u8()));
      case 106:
        return [];
      case 107: {
        const length = this.#take(2).readUInt16BE();
        return [...this.#take(length)];
      }
      case 108: {
        const items = this.#many(this.#u32());
        if (this.#u8() !== 106) throw new Error("an improper list");
        return items;
      }
      case 116: {
        const map = new Map<Plain, Plain>();
        for (let left = this.#u32(); left > 0; left -= 1) map.set(this.term(), this.term());
        return map;
      }
      default:
        throw new Error(`tag ${tag} is not needed`);
    }
  }

  #many(count: number): Plain[] {
    return Array.from({ length: count }, () => this.term());
  }

  #u8(): number {
    return this.#take(1)[0] ?? 0;
  }

  #u32(): number {
    return this.#take(4).readUInt32BE();
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error("cut short");
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}
