/**
 * A configuration file: YAML or JSON, told apart by content. Gives the tree, and the line on which a path stands. Bounded
 * in size, depth and aliases; no tag of YAML makes anything but plain values.
 */
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Path } from "./problem.ts";
import { isTree, plainValue, type Tree, tree } from "./tree.ts";

/** A thousand links with all their keys fit; what is larger is some other file. */
export const FILE_LENGTH_MAX = 4 * 1024 * 1024;
/** How often aliases may be resolved: a file of a few lines could become gigabytes otherwise. */
const ALIASES_MAX = 100;
/** One mistake in YAML often makes many messages. */
const SYNTAX_PROBLEMS_MAX = 10;

export interface SyntaxProblem {
  readonly message: string;
  readonly line: number | null;
}

export interface ConfigFile {
  readonly tree: Tree;
  readonly problems: readonly SyntaxProblem[];
  /** The line of the deepest part of `path` that the file has; null: none of it. */
  lineOf(path: Path): number | null;
}

export function parseConfigFile(text: string): ConfigFile {
  if (text.length > FILE_LENGTH_MAX) return unusable(`is longer than ${FILE_LENGTH_MAX} characters`);
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  } catch (error) {
    // The parser calls itself for each level: tens of thousands of brackets end the stack.
    if (error instanceof RangeError) return unusable("is nested too deeply");
    throw error;
  }
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    const json = asJson(text);
    if (json !== null) return json;
    return {
      tree: tree(),
      problems: problems.slice(0, SYNTAX_PROBLEMS_MAX).map(({ message, pos }) => ({
        message: `is neither YAML nor JSON: ${message}`,
        line: lines.linePos(pos[0]).line,
      })),
      lineOf: () => null,
    };
  }
  return fromDocument(document, lines);
}

function fromDocument(document: Document.Parsed, lines: LineCounter): ConfigFile {
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: ALIASES_MAX });
  } catch (error) {
    if (error instanceof ReferenceError) return unusable("uses too many aliases, or one that is not defined");
    if (error instanceof RangeError) return unusable("is nested too deeply");
    throw error;
  }
  const plain = plainValue(value);
  if (plain === null) return unusable("is nested too deeply");
  // An empty file.
  if (plain.value === null || plain.value === undefined) {
    return { tree: tree(), problems: [], lineOf: () => null };
  }
  if (!isTree(plain.value)) return unusable("must be a group of keys");
  return { tree: plain.value, problems: [], lineOf: (path) => lineOf(document, lines, path) };
}

/** JSON that YAML does not take, such as with tabs: without line numbers. Null: it is no JSON either. */
function asJson(text: string): ConfigFile | null {
  if (!/^\s*\{/.test(text)) return null;
  try {
    const plain = plainValue(JSON.parse(text));
    if (plain === null || !isTree(plain.value)) return unusable("is nested too deeply");
    return { tree: plain.value, problems: [], lineOf: () => null };
  } catch {
    // No JSON: what the YAML parser said stands.
    return null;
  }
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | null {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && `${key.value}` === `${segment}`);
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof segment === "number") {
      node = node.items[segment];
      if (!isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset === null ? null : lines.linePos(offset).line;
}

function unusable(message: string): ConfigFile {
  return { tree: tree(), problems: [{ message, line: null }], lineOf: () => null };
}
