/** Where the demo draws: a terminal, a pipe, or a test. */

export interface Screen {
  /** Raw text, control sequences included. */
  write(text: string): void;
  /** Whether a picture can be redrawn in place. */
  readonly live: boolean;
  readonly color: boolean;
  readonly columns: number;
  readonly rows: number;
}

export type Paint = (style: Style, text: string) => string;
export type Style = "bold" | "dim" | "good" | "bad" | "doubtful";

/** SGR parameters (ECMA-48, 8.3.117): on, off. */
const SGR: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  doubtful: [33, 39],
};

export function painter(color: boolean): Paint {
  if (!color) return (_style, text) => text;
  return (style, text) => {
    const [on, off] = SGR[style];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  };
}
