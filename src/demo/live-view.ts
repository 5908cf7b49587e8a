/** The picture in a terminal, drawn again and again in the same place below what was printed before. */
import { drawPicture, type Picture } from "./picture.ts";
import { painter, type Screen } from "./screen.ts";

/** ECMA-48 and DEC private modes: what every terminal of the last decades knows. */
export const HIDE_CURSOR = "\x1b[?25l";
export const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_SCREEN = "\x1b[2J\x1b[H";
const CLEAR_TO_END_OF_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

export class LiveView {
  readonly #screen: Screen;
  /** Lines drawn last time; the cursor stands below them. */
  #height = 0;
  #size = "";

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(picture: Picture): void {
    const { columns, rows, color } = this.#screen;
    // One line is left for the cursor. A full last column would break the line in some terminals.
    const lines = drawPicture(picture, columns - 1, rows - 1, painter(color));
    this.#screen.write(
      `${this.#home(`${columns}x${rows}`)}${lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join("")}${CLEAR_BELOW}`,
    );
    this.#height = lines.length;
  }

  end(): void {
    if (this.#size !== "") this.#screen.write(SHOW_CURSOR);
  }

  /** To the first line of the picture. After a change of size nobody knows where that is: begin with an empty screen. */
  #home(size: string): string {
    const before = this.#size;
    this.#size = size;
    if (before === "") return HIDE_CURSOR;
    if (before !== size) return CLEAR_SCREEN;
    return this.#height > 0 ? `\x1b[${this.#height}A\r` : "";
  }
}
