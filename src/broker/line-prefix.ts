/**
 * The timestamp that Mosquitto may print before each log line (`log_timestamp`, free `log_timestamp_format`).
 *
 * Learnt from one line whose rest is known, then recognised by its shape: runs of digits and of letters may change, all
 * else may not. It never searches: a line either starts with that shape or it does not.
 */

type Piece = "digits" | "letters" | "spaces" | string;

export class LinePrefix {
  readonly #pieces: readonly Piece[];

  private constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** `sample` is the prefix of one line, its closing ": " included; null: no prefix of a broker looks like this. */
  static learn(sample: string): LinePrefix | null {
    if (sample === "") return new LinePrefix([]);
    if (!sample.endsWith(END)) return null;
    const pieces: Piece[] = [];
    const text = sample.slice(0, -END.length);
    for (let at = 0; at < text.length; ) {
      const kind = kindAt(text, at);
      const next = runEnd(text, at);
      // "%e" and "%k" pad with a space, so spaces before digits come and go.
      if (kind === "digits" && pieces.at(-1) === "spaces") pieces.pop();
      pieces.push(kind);
      at = next;
    }
    return new LinePrefix([...pieces, ...END]);
  }

  /** The line without its prefix, or null when it does not start with one. */
  strip(line: string): string | null {
    let at = 0;
    const closing = this.#pieces.length - END.length;
    for (const [index, piece] of this.#pieces.entries()) {
      if (index >= closing) {
        // The closing ": " is exact: a client id may start with spaces.
        if (line[at] !== piece) return null;
        at += 1;
        continue;
      }
      if (piece === "digits" && line[at] === " ") at = runEnd(line, at);
      if (at >= line.length || kindAt(line, at) !== piece) return null;
      at = runEnd(line, at);
    }
    return line.slice(at);
  }

  equals(other: LinePrefix): boolean {
    return this.#pieces.join("\n") === other.#pieces.join("\n");
  }
}

const END = ": ";

function kindAt(text: string, at: number): Piece {
  const char = text.charAt(at);
  if (char >= "0" && char <= "9") return "digits";
  if (char === " ") return "spaces";
  if (char === "+" || char === "-") return "-";
  if ((char >= "A" && char <= "Z") || (char >= "a" && char <= "z") || char > "\u007f") return "letters";
  return char;
}

/** Punctuation counts one by one, the rest in runs. */
function runEnd(text: string, at: number): number {
  const kind = kindAt(text, at);
  let end = at + 1;
  if (kind.length === 1) return end;
  while (end < text.length && kindAt(text, end) === kind) end += 1;
  return end;
}
