/** A screen that keeps what was written. */
import type { Screen } from "../../src/demo/screen.ts";

export class ScreenOnPaper implements Screen {
  text = "";
  live = false;
  color = false;
  columns = 80;
  rows = 24;

  write(text: string): void {
    this.text += text;
  }

  /** What was written since the last call. */
  take(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}
