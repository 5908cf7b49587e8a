/** Lines in a terminal, drawn again and again in the same place below what was printed before. */
import type { Screen } from "./screen.ts";

/** ECMA-48 and DEC private modes: what every terminal of the last decades knows. */
export const HIDE_CURSOR = "\x1b[?25l";
export const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_SCREEN = "\x1b[2J\x1b[H";
const CLEAR_TO_END_OF_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

export class LinesView {
  readonly #screen: Screen;
  /** Lines drawn last time; the cursor stands below them. */
  #height = 0;
  #size = "";

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Fewer than the screen has rows, none as wide as it: a full last column would break the line in some terminals. */
  show(lines: readonly string[]): void {
    const { columns, rows } = this.#screen;
    this.#screen.write(
      `${this.#home(`${columns}x${rows}`)}${lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join("")}${CLEAR_BELOW}`,
    );
    this.#height = lines.length;
  }

  end(): void {
    if (this.#size !== "") this.#screen.write(SHOW_CURSOR);
  }

  /** To the first line. After a change of size nobody knows where that is: begin with an empty screen. */
  #home(size: string): string {
    const before = this.#size;
    this.#size = size;
    if (before === "") return HIDE_CURSOR;
    if (before !== size) return CLEAR_SCREEN;
    return this.#height > 0 ? `\x1b[${this.#height}A\r` : "";
  }
}
