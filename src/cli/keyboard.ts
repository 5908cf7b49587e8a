/**
 * Single keys from a terminal, so that what is typed is neither echoed into a picture nor waits for Enter. The terminal
 * then makes no signals of Ctrl-C and Ctrl-D: they are told as `ended`, like `q`.
 */
import type { ReadStream } from "node:tty";

/** Ctrl-C, Ctrl-D, q. */
const ENDING = ["\x03", "\x04", "q"] as const;

export class Keyboard {
  readonly ended: Promise<void>;
  readonly #input: ReadStream;
  #pressed: () => void = () => {};

  private constructor(input: ReadStream) {
    this.#input = input;
    this.ended = new Promise((resolve) => {
      input.setRawMode(true);
      input.setEncoding("latin1");
      input.on("data", (keys: string) => {
        if (ENDING.some((key) => keys.includes(key))) resolve();
        else this.#pressed();
      });
      // The terminal is gone.
      input.on("end", () => resolve());
    });
  }

  /** Null when there is nobody to type. */
  static open(input: ReadStream): Keyboard | null {
    return input.isTTY === true ? new Keyboard(input) : null;
  }

  /** Resolves at the next key; only the latest call is answered. */
  pressed(): Promise<void> {
    return new Promise((resolve) => {
      this.#pressed = resolve;
    });
  }

  close(): void {
    this.#input.setRawMode(false);
    this.#input.pause();
  }
}
