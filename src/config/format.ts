/** What a format is, and how the schema is made of them. */
import type { Report } from "./problem.ts";

/** How the text of an environment variable or a flag becomes a value: see text-value.ts. */
export type TextKind = "text" | "scalar" | "list" | "one_or_list" | "json";

/** Reads a value from outside. Reports everything that is wrong with it; answers undefined when nothing of it is usable. */
export interface Format<T> {
  /** What a value looks like, as the docs say it, in Markdown. */
  readonly expects: string;
  readonly text: TextKind;
  parse(value: unknown, report: Report): T | undefined;
}

/** One key. `T` is what the rest of the code gets. */
export interface Leaf<T> {
  readonly kind: "leaf";
  readonly doc: string;
  readonly format: Format<unknown>;
  /** As a user would write it; null: there is none. */
  readonly fallback: unknown;
  /** In the docs, instead of the fallback. */
  readonly fallbackDoc: string | null;
  readonly required: boolean;
  /** Never printed, not even when it is wrong. */
  readonly sensitive: boolean;
  /** Only in the types: what `format` reads, and null where a value may be absent. */
  readonly type?: T;
}

export interface Group<K extends Keys> {
  readonly kind: "group";
  readonly doc: string;
  readonly keys: K;
}

export interface Keys {
  readonly [key: string]: Leaf<unknown> | Group<Keys>;
}

/** The values of a schema, checked and parsed. */
export type Values<K extends Keys> = {
  readonly [Key in keyof K]: K[Key] extends Leaf<infer T>
    ? T
    : K[Key] extends Group<infer Inner>
      ? Values<Inner>
      : never;
};

interface LeafOptions {
  readonly sensitive?: boolean;
  readonly fallbackDoc?: string;
}

type Read<F> = F extends Format<infer T> ? T : never;

/** A key without which there is no configuration; null only next to a problem. */
export function required<F extends Format<unknown>>(format: F, doc: string): Leaf<Read<F> | null> {
  return leaf<Read<F> | null>(format, doc, null, true, {});
}

/** A key that may be absent: null. */
export function optional<F extends Format<unknown>>(
  format: F,
  doc: string,
  options: LeafOptions = {},
): Leaf<Read<F> | null> {
  return leaf<Read<F> | null>(format, doc, null, false, options);
}

export function withDefault<F extends Format<unknown>>(format: F, fallback: unknown, doc: string): Leaf<Read<F>> {
  return leaf<Read<F>>(format, doc, fallback, false, {});
}

export function group<K extends Keys>(doc: string, keys: K): Group<K> {
  return { kind: "group", doc, keys };
}

function leaf<T>(
  format: Format<unknown>,
  doc: string,
  fallback: unknown,
  isRequired: boolean,
  { sensitive = false, fallbackDoc }: LeafOptions,
): Leaf<T> {
  return {
    kind: "leaf",
    doc,
    format,
    fallback,
    fallbackDoc: fallbackDoc ?? null,
    required: isRequired,
    sensitive,
  };
}

/** Of the docs' Markdown, for a terminal. */
export function plainText(markdown: string): string {
  return markdown.replaceAll("`", "");
}
