/** The last lines of an agent's log: kept out of sight, and shown when a step fails. */

const LINES_MAX = 100;

export class LogTail {
  readonly #lines: string[] = [];

  /** As pino writes: one line, with its end. */
  write(line: string): void {
    this.#lines.push(line.trimEnd());
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}
