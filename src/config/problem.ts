/**
 * What is wrong with a configuration: where, what, and which source said so. Problems are collected and reported all at
 * once; nothing is opened while there is one.
 */
import { printable, quotedAddress } from "./printable.ts";

export interface ConfigProblem {
  /** `links[1].topics[0]`; empty: the configuration as a whole. Safe to print. */
  readonly path: string;
  /** A sentence without its subject, safe to print; never holds a secret. */
  readonly message: string;
  /** `line 12` of the file, an environment variable, or a flag; null: nobody said anything there. */
  readonly from: string | null;
}

export type Path = readonly (string | number)[];

/** Says one thing that is wrong, `at` below the value that is being read. */
export type Report = (message: string, at?: Path) => void;

/** More than this helps nobody; the rest is counted. */
export const PROBLEMS_MAX = 1_000;

const PLAIN_KEY = /^[0-9A-Za-z_-]{1,64}$/;

export function formatPath(path: Path): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (!PLAIN_KEY.test(segment)) text += `[${quotedAddress(segment)}]`;
    else text += text === "" ? segment : `.${segment}`;
  }
  return text;
}

export class ProblemList {
  readonly #problems: ConfigProblem[] = [];
  readonly #where: (path: Path) => string | null;
  #count = 0;

  /** `where`: which source has the value at a path. */
  constructor(where: (path: Path) => string | null) {
    this.#where = where;
  }

  add(path: Path, message: string): void {
    // Finding the place takes time: not for those that are only counted.
    const from = this.#count < PROBLEMS_MAX ? this.#where(path) : null;
    this.addNamed(formatPath(path), message, from);
  }

  /** For what has no path: a variable, a flag, a file. */
  addNamed(path: string, message: string, from: string | null): void {
    this.#count += 1;
    if (this.#count <= PROBLEMS_MAX) this.#problems.push({ path, message: printable(message), from });
  }

  /** A reporter for the value at `path`. */
  below(path: Path): Report {
    return (message, at = []) => this.add([...path, ...at], message);
  }

  /** Whether something is wrong at `path` or below it: then its value says nothing about other keys. */
  hasBelow(path: Path): boolean {
    const text = formatPath(path);
    return this.#problems.some(
      (problem) => problem.path === text || problem.path.startsWith(`${text}.`) || problem.path.startsWith(`${text}[`),
    );
  }

  get count(): number {
    return this.#count;
  }

  list(): readonly ConfigProblem[] {
    const left = this.#count - this.#problems.length;
    if (left === 0) return this.#problems;
    return [...this.#problems, { path: "", message: `and ${left} more problems`, from: null }];
  }
}

/** One line: `links[1].topics[0]: filter "a/#/b" has # before its last level (line 12)`. */
export function formatProblem({ path, message, from }: ConfigProblem): string {
  return `${path === "" ? "" : `${path}: `}${message}${from === null ? "" : ` (${from})`}`;
}
