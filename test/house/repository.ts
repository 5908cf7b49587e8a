/** The repository's own files, for the tests that read them. Reads, never writes. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Folders of src/, in the order in which they may import: each itself and those before it. */
export const FOLDER_ORDER = [
  "base",
  "topic",
  "wire",
  "etf",
  "route",
  "link",
  "flow",
  "hub",
  "emqx",
  "mqtt",
  "config",
  "ops",
  "store",
  "broker",
  "agent",
  "doctor",
  "demo",
  "cli",
  "page",
] as const;

/** Those without I/O, clock, randomness, packages and Node's types. */
export const PURE_FOLDERS: ReadonlySet<string> = new Set(FOLDER_ORDER.slice(0, FOLDER_ORDER.indexOf("mqtt")));

export interface SourceFile {
  /** From the repository's root, with slashes: `src/base/ring.ts`. */
  readonly path: string;
  /** Its folder below the top one: `base`; empty for a file beside the folders. */
  readonly folder: string;
  readonly text: string;
}

/** Tests run from build/…/test/house, wherever the build went: the root is above, where package.json is. */
const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(folder: string): string {
  if (readdirSync(folder).includes("package.json")) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("no package.json above the tests");
  return rootAbove(parent);
}

/** The text of one file, or null when there is none. */
export function readText(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Every file under `top` whose name ends with one of `endings`, sorted. */
export function filesUnder(top: string, endings: readonly string[]): SourceFile[] {
  return readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep))
    .map((parts) => ({
      path: parts.join("/"),
      folder: parts.length > 2 ? (parts[1] ?? "") : "",
      text: readFileSync(join(ROOT, ...parts), "utf8"),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const STRING_OR_COMMENT =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The code without its comments, line for line. */
export function withoutComments(text: string): string {
  return text.replace(
    STRING_OR_COMMENT,
    (whole, literal: string | undefined) => literal ?? whole.replace(/[^\n]/g, ""),
  );
}

const SPECIFIER = /\b(?:from|import)\s*\(?\s*"([^"\n]+)"|\bnew URL\(\s*"(\.{1,2}\/[^"\n]+)"\s*,\s*import\.meta\.url/g;

/** What a file imports, exports from, loads later or starts as a worker, as written. */
export function importsOf(file: SourceFile): string[] {
  return [...withoutComments(file.text).matchAll(SPECIFIER)].map((match) => match[1] ?? match[2] ?? "");
}

/** Where a relative import of `file` leads, from the repository's root. */
export function resolved(file: SourceFile, specifier: string): string {
  const parts = file.path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
