/** The last lines that a process wrote, for the message of a failure. */
import type { Readable } from "node:stream";

export class LineBuffer {
  readonly lines: string[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** `each` sees every line as it comes. */
  follow(stream: Readable, each: (line: string) => void = () => {}): void {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.lines.push(line);
        if (this.lines.length > this.#max) this.lines.shift();
        each(line);
      }
    });
  }

  tail(count: number): string {
    return this.lines.slice(-count).join("\n");
  }
}
