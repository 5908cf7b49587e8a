/**
 * The field types of docs/PROTOCOL.md, section 3, written from that page alone: nothing of src/ is used here, so that what
 * the page does not say shows. Slow and simple: a problem is thrown.
 */

export class PlainProblem extends Error {}

export class Cursor {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  u8(): number {
    this.#need(1);
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }

  u32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, false);
  }

  bytes(length: number): Uint8Array {
    this.#need(length);
    const bytes = Uint8Array.from({ length }, (_, index) => this.#view.getUint8(this.#at + index));
    this.#at += length;
    return bytes;
  }

  #need(count: number): void {
    if (count > this.left) throw new PlainProblem("truncated");
  }
}

/** One type of the page: how it is read, and how it is written behind what is there already. */
export interface Field<T> {
  read(cursor: Cursor): T;
  write(out: number[], value: T): void;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The field, with a further condition. */
export function where<T>(field: Field<T>, holds: (value: T) => boolean, problem = "bad_value"): Field<T> {
  return {
    read(cursor) {
      const value = field.read(cursor);
      if (!holds(value)) throw new PlainProblem(problem);
      return value;
    },
    write: (out, value) => field.write(out, value),
  };
}

export const u8: Field<number> = { read: (cursor) => cursor.u8(), write: (out, value) => out.push(value) };

export const u32: Field<number> = {
  read: (cursor) => cursor.u32(),
  write(out, value) {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, false);
    for (let at = 0; at < 4; at += 1) out.push(view.getUint8(at));
  },
};

export const varint: Field<number> = {
  read(cursor) {
    let value = 0n;
    for (let at = 0n; at < 8n; at += 1n) {
      const byte = cursor.u8();
      value += BigInt(byte & 0x7f) << (7n * at);
      if (byte >= 0x80) continue;
      if ((byte === 0 && at > 0n) || value > BigInt(Number.MAX_SAFE_INTEGER)) break;
      return Number(value);
    }
    throw new PlainProblem("bad_value");
  },
  write(out, value) {
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
  },
};

/** Bytes of a fixed number, as lower-case hex digits. */
export function hexBytes(length: number): Field<string> {
  return {
    read: (cursor) => [...cursor.bytes(length)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    write(out, value) {
      for (let at = 0; at < length; at += 1) out.push(Number.parseInt(value.slice(2 * at, 2 * at + 2), 16));
    },
  };
}

/** A count, each of which needs at least `bytesMin` bytes of what is left. */
function count(max: number, bytesMin: number): Field<number> {
  return {
    read(cursor) {
      const value = varint.read(cursor);
      if (value > max) throw new PlainProblem("too_large");
      if (value * bytesMin > cursor.left) throw new PlainProblem("truncated");
      return value;
    },
    write: (out, value) => varint.write(out, value),
  };
}

export function block(max: number): Field<Uint8Array> {
  const length = count(max, 1);
  return {
    read: (cursor) => cursor.bytes(length.read(cursor)),
    write(out, value) {
      length.write(out, value.length);
      for (const byte of value) out.push(byte);
    },
  };
}

export function text(max: number): Field<string> {
  const bytes = block(max);
  return {
    read(cursor) {
      const content = bytes.read(cursor);
      const decoded = Buffer.from(content).toString("utf8");
      // What is not well-formed comes back as something else.
      if (!Buffer.from(decoded, "utf8").equals(content) || content.includes(0)) throw new PlainProblem("bad_utf8");
      return decoded;
    },
    write: (out, value) => bytes.write(out, Buffer.from(value, "utf8")),
  };
}

export const name: Field<string> = where(
  text(64),
  (value) => /^[0-9A-Za-z][-0-9A-Za-z_]{0,63}$/.test(value),
  "bad_name",
);

export const flag: Field<boolean> = {
  read: (cursor) => where(u8, (value) => value < 2).read(cursor) === 1,
  write: (out, value) => out.push(value ? 1 : 0),
};

export function list<T>(max: number, bytesMin: number, element: Field<T>): Field<T[]> {
  const length = count(max, bytesMin);
  return {
    read: (cursor) => Array.from({ length: length.read(cursor) }, () => element.read(cursor)),
    write(out, value) {
      length.write(out, value.length);
      for (const each of value) element.write(out, each);
    },
  };
}

export function pair<A, B>(first: Field<A>, second: Field<B>): Field<[A, B]> {
  return {
    read: (cursor) => [first.read(cursor), second.read(cursor)],
    write(out, value) {
      first.write(out, value[0]);
      second.write(out, value[1]);
    },
  };
}

/** Names by their numbers. `other`: what all numbers beyond them mean; without it they are refused. */
export function names<N extends string>(known: readonly N[], other?: N): Field<N> {
  return {
    read(cursor) {
      const value = known[cursor.u8()] ?? other;
      if (value === undefined) throw new PlainProblem("bad_value");
      return value;
    },
    write: (out, value) => out.push(known.includes(value) ? known.indexOf(value) : 0xff),
  };
}

/** Fields one after the other, in the order of the keys. */
export function struct<S extends Record<string, Field<unknown>>>(fields: S): Field<{ [K in keyof S]: ValueOf<S[K]> }> {
  const entries = Object.entries(fields);
  return {
    read: (cursor) =>
      Object.fromEntries(entries.map(([key, field]) => [key, field.read(cursor)])) as {
        [K in keyof S]: ValueOf<S[K]>;
      },
    write(out, value) {
      for (const [key, field] of entries) field.write(out, value[key]);
    },
  };
}
