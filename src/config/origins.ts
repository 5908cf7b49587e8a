/** Which source has the value at a path: the last one that said something. The file is asked when nobody else did. */
import { formatPath, type Path } from "./problem.ts";

export class Origins {
  readonly #labels = new Map<string, string>();
  readonly #lineOf: (path: Path) => number | null;

  constructor(lineOf: (path: Path) => number | null) {
    this.#lineOf = lineOf;
  }

  /** `label`: a variable or a flag. */
  set(path: Path, label: string): void {
    this.#labels.set(formatPath(path), label);
  }

  /** Null: the file, or nobody. */
  outsideFile(path: Path): string | null {
    for (let length = path.length; length > 0; length -= 1) {
      const label = this.#labels.get(formatPath(path.slice(0, length)));
      if (label !== undefined) return label;
    }
    return null;
  }

  where(path: Path): string | null {
    const label = this.outsideFile(path);
    if (label !== null) return label;
    const line = this.#lineOf(path);
    return line === null ? null : `line ${line}`;
  }
}
