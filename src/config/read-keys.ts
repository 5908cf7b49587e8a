/**
 * Reads a tree of raw values by a schema. convict holds the schema: it fills in what is absent and has the last word on
 * what is present; but it reports one text without paths in arrays, so everything is checked and said here first, and
 * convict gets only what passed. No convict object leaves this file.
 */
import convict from "convict";
import { assert } from "../base/assert.ts";
import { didYouMean } from "./closest.ts";
import { type Group, type Keys, type Leaf, plainText, type Values } from "./format.ts";
import { shapeOf } from "./formats.ts";
import { formatPath, type Path, type Report } from "./problem.ts";
import { isTree, type Tree, tree } from "./tree.ts";

interface Reading {
  /** Known keys that are not taken, and what is said of them. */
  readonly refused: Readonly<Record<string, string>>;
  readonly report: Report;
  /** What was read of each leaf, by its path. */
  readonly parsed: Map<string, unknown>;
}

/** Reports all that is wrong with `raw`; where a value is missing or of no use the default stands in, or null. */
export function readKeys<K extends Keys>(
  keys: K,
  refused: Readonly<Record<string, string>>,
  raw: Tree,
  report: Report,
): Values<K> {
  const reading: Reading = { refused, report, parsed: new Map() };
  const complete = withDefaults(keys, check(keys, raw, [], reading));
  return values(keys, complete, [], reading.parsed) as Values<K>;
}

/** The part of `raw` without problems. */
function check(keys: Keys, raw: Tree, below: Path, reading: Reading): Tree {
  const passed = tree();
  for (const [key, value] of Object.entries(raw)) {
    const node = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (node === undefined) reading.report(unknownKey(key, keys, below, reading), [...below, key]);
    else if (value !== null && value !== undefined) {
      const good =
        node.kind === "group"
          ? checkGroup(node, value, [...below, key], reading)
          : checkLeaf(node, value, [...below, key], reading);
      if (good) passed[key] = good.value;
    }
  }
  for (const [key, node] of Object.entries(keys)) {
    const at = [...below, key];
    if ((raw[key] ?? null) !== null) continue;
    if (node.kind === "group") check(node.keys, tree(), at, reading);
    else if (node.required) reading.report(`is missing: it must be ${plainText(node.format.expects)}`, at);
  }
  return passed;
}

type Passed = { readonly value: unknown } | null;

function checkGroup(node: Group<Keys>, value: unknown, at: Path, reading: Reading): Passed {
  if (isTree(value)) return { value: check(node.keys, value, at, reading) };
  reading.report(`must be a group of keys, and is ${shapeOf(value)}`, at);
  return null;
}

function checkLeaf({ format }: Leaf<unknown>, value: unknown, at: Path, reading: Reading): Passed {
  let good = true;
  const result = format.parse(value, (message, inner = []) => {
    good = false;
    reading.report(message, [...at, ...inner]);
  });
  if (result !== undefined) reading.parsed.set(formatPath(at), result);
  return good ? { value } : null;
}

function unknownKey(key: string, keys: Keys, below: Path, { refused }: Reading): string {
  const name = formatPath([...below, key]);
  if (Object.hasOwn(refused, name)) return refused[name] ?? "";
  return `is not a known key${didYouMean(key, Object.keys(keys))}`;
}

/** The last word, and the defaults: convict's. */
function withDefaults(keys: Keys, passed: Tree): Tree {
  // Without `env` and `args` convict would read this process's own.
  const holder = convict<Tree>(schemaOf(keys), { env: {}, args: [] });
  holder.load(passed);
  holder.validate({ allowed: "strict" });
  return holder.getProperties();
}

function schemaOf(keys: Keys): convict.Schema<Tree> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, node]) => [key, node.kind === "group" ? schemaOf(node.keys) : convictLeaf(node)]),
  );
}

function convictLeaf({ doc, format, fallback, sensitive }: Leaf<unknown>): convict.SchemaObj {
  return {
    doc,
    default: fallback,
    nullable: true,
    sensitive,
    format: (value: unknown) => {
      format.parse(value, (message) => {
        throw new Error(message);
      });
    },
  };
}

function values(keys: Keys, complete: Tree, below: Path, parsed: ReadonlyMap<string, unknown>): Tree {
  const result = tree();
  for (const [key, node] of Object.entries(keys)) {
    const at = [...below, key];
    const value = complete[key];
    result[key] = node.kind === "group" ? groupValues(node, value, at, parsed) : leafValue(node, value, at, parsed);
  }
  return result;
}

function groupValues(node: Group<Keys>, value: unknown, at: Path, parsed: ReadonlyMap<string, unknown>): Tree {
  return values(node.keys, isTree(value) ? value : tree(), at, parsed);
}

function leafValue(node: Leaf<unknown>, value: unknown, at: Path, parsed: ReadonlyMap<string, unknown>): unknown {
  const path = formatPath(at);
  if (parsed.has(path)) return parsed.get(path);
  if (value === null || value === undefined) return null;
  return node.format.parse(value, (message) => assert(false, `the default of ${path} ${message}`));
}
