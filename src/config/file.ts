/**
 * A configuration file: YAML, and so JSON too, which is a part of it. Gives the tree, and the line on which a path stands.
 * Bounded in size, depth, values and aliases; no tag of YAML makes anything but plain values.
 */
import { type Document, LineCounter, parseDocument, type YAMLError } from "yaml";
import { grouped } from "./formats.ts";
import { formatPath, type Path } from "./problem.ts";
import { isTree, plainValue, type Tree, tree } from "./tree.ts";
import { YamlKeys } from "./yaml-keys.ts";
import { yamlMessage } from "./yaml-message.ts";

/** A thousand links with all their keys fit; what is larger is some other file. */
export const FILE_LENGTH_MAX = 4 * 1024 * 1024;
/** How often aliases may be resolved: a file of a few lines could become gigabytes otherwise. */
const ALIASES_MAX = 100;
/** One mistake in YAML often makes many messages. */
const SYNTAX_PROBLEMS_MAX = 10;

export interface SyntaxProblem {
  /** What the problem is about; empty: the file. */
  readonly path: string;
  readonly message: string;
  readonly line: number | null;
}

export interface ConfigFile {
  /** Null: nothing could be read, and `problems` say why. */
  readonly tree: Tree | null;
  readonly problems: readonly SyntaxProblem[];
  /** The line of the deepest part of `path` that the file has; null: none of it. */
  lineOf(path: Path): number | null;
}

export function parseConfigFile(text: string): ConfigFile {
  if (text.length > FILE_LENGTH_MAX) return unusable(`is longer than ${grouped(FILE_LENGTH_MAX)} characters`);
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    // Its own search for repeated keys compares each with each; ours, in YamlKeys, does not, and knows where they are.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
      // `!!binary`, `!!set` and their like would make objects of other classes.
      resolveKnownTags: false,
    });
  } catch (error) {
    // The parser calls itself for each level: tens of thousands of brackets end the stack.
    if (error instanceof RangeError) return unusable("is nested too deeply");
    throw error;
  }
  const complaints = [...document.errors, ...document.warnings];
  const keys = new YamlKeys(document, (offset) => lines.linePos(offset).line);
  if (complaints.length > 0) return { tree: null, problems: syntaxProblems(complaints, lines), lineOf: () => null };
  return fromDocument(document, keys);
}

function syntaxProblems(complaints: readonly YAMLError[], lines: LineCounter): SyntaxProblem[] {
  const seen = new Map<string, SyntaxProblem>();
  for (const { code, pos } of complaints) {
    const problem = { path: "", message: yamlMessage(code), line: lines.linePos(pos[0]).line };
    if (seen.size < SYNTAX_PROBLEMS_MAX) seen.set(`${problem.line} ${code}`, problem);
  }
  return [...seen.values()];
}

function fromDocument(document: Document.Parsed, keys: YamlKeys): ConfigFile {
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: ALIASES_MAX });
  } catch (error) {
    if (error instanceof ReferenceError) {
      return unusable("uses too many aliases (*), or one that is not defined; a text that begins with * needs quotes");
    }
    if (error instanceof RangeError) return unusable("is nested too deeply");
    throw error;
  }
  const plain = plainValue(value);
  if (!plain.ok) return unusable(plain.problem);
  // An empty file.
  if (plain.value === null || plain.value === undefined) {
    return { tree: tree(), problems: [], lineOf: () => null };
  }
  if (!isTree(plain.value)) {
    const found = Array.isArray(plain.value) ? "a list" : "a single value";
    return unusable(`must be a group of keys, such as "cluster: a", and is ${found}`);
  }
  const problems = keys.repeated(SYNTAX_PROBLEMS_MAX).map(({ path, line, firstLine }) => ({
    path: formatPath(path),
    message: `is given twice: first on line ${firstLine}`,
    line,
  }));
  return { tree: plain.value, problems, lineOf: (path) => keys.lineOf(path) };
}

function unusable(message: string): ConfigFile {
  return { tree: null, problems: [{ path: "", message, line: null }], lineOf: () => null };
}
