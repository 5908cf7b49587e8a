/** The picture in a terminal, drawn again and again in the same place. */
import { LinesView } from "./lines-view.ts";
import { drawPicture, type Picture } from "./picture.ts";
import { painter, type Screen } from "./screen.ts";

export class LiveView {
  readonly #screen: Screen;
  readonly #view: LinesView;

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#view = new LinesView(screen);
  }

  draw(picture: Picture): void {
    const { columns, rows, color } = this.#screen;
    // One line is left for the cursor, and the last column is not used.
    this.#view.show(drawPicture(picture, columns - 1, rows - 1, painter(color)));
  }

  end(): void {
    this.#view.end();
  }
}
