/**
 * Values of Erlang's External Term Format, as far as a peer that is not written in Erlang can mean anything by them, and the
 * few ways in which they are made and looked into. What only its own virtual machine understands is kept as bytes.
 */
export type Term =
  /** A `bigint` only where a number would not be exact. */
  | { readonly kind: "integer"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "atom"; readonly name: string }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  /** Of the last byte only the highest `lastBits` count, 1 to 8. */
  | { readonly kind: "bits"; readonly bytes: Uint8Array; readonly lastBits: number }
  | { readonly kind: "tuple"; readonly items: readonly Term[] }
  /** `tail` null: a proper list. */
  | { readonly kind: "list"; readonly items: readonly Term[]; readonly tail: Term | null }
  /** In the order of the bytes, which means nothing. */
  | { readonly kind: "map"; readonly pairs: readonly TermPair[] }
  /** A process, port, reference or function, tag and all. */
  | { readonly kind: "opaque"; readonly bytes: Uint8Array };

export type TermPair = readonly [Term, Term];

const SMALL_INTEGERS = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** One object for each: rubbish that is made of them costs no more memory than bytes. */
const SMALL: readonly Term[] = Array.from({ length: SMALL_INTEGERS }, (_, value) => ({ kind: "integer", value }));

export const EMPTY_LIST: Term = { kind: "list", items: [], tail: null };
export const EMPTY_MAP: Term = { kind: "map", pairs: [] };

export function integer(value: number): Term {
  return SMALL[value] ?? { kind: "integer", value };
}

export function atom(name: string): Term {
  return { kind: "atom", name };
}

export function binary(content: string | Uint8Array): Term {
  return { kind: "binary", bytes: typeof content === "string" ? encoder.encode(content) : content };
}

export function tuple(...items: readonly Term[]): Term {
  return { kind: "tuple", items };
}

export function list(items: readonly Term[]): Term {
  return items.length === 0 ? EMPTY_LIST : { kind: "list", items, tail: null };
}

export function map(pairs: readonly TermPair[]): Term {
  return { kind: "map", pairs };
}

/** The value of the first pair with this key; undefined: there is none. */
export function valueAt(term: Term | undefined, key: string | number): Term | undefined {
  if (term?.kind !== "map") return undefined;
  for (const [name, value] of term.pairs) {
    if (typeof key === "string" ? isAtom(name, key) : name.kind === "integer" && name.value === key) return value;
  }
  return undefined;
}

export function isAtom(term: Term | undefined, name: string): boolean {
  return term?.kind === "atom" && term.name === name;
}

/** A whole number that is exact, from 0 on; null: the term is none. */
export function numberOf(term: Term | undefined): number | null {
  return term?.kind === "integer" && typeof term.value === "number" && term.value >= 0 ? term.value : null;
}

/** A binary as text; null: it is none, or no UTF-8. */
export function textOf(term: Term | undefined): string | null {
  if (term?.kind !== "binary") return null;
  try {
    return decoder.decode(term.bytes);
  } catch {
    // not UTF-8: no text
    return null;
  }
}
