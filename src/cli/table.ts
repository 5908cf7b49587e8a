/** Rows in columns for a terminal: as wide as needed, never wider than the screen; numbers to the right. */
import { fit } from "../demo/fit.ts";

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** Gives way when the screen is too narrow, down to the title. */
  readonly gives?: boolean;
}

const GAP = 2;

/** The first line has the titles. Texts are safe to print already. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const needed = columns.map(({ title }, index) =>
    Math.max(...[title, ...rows.map((row) => row[index] ?? "")].map((text) => [...text].length)),
  );
  let excess = needed.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  for (const [index, { title, gives = false }] of columns.entries()) {
    if (!gives || excess <= 0) continue;
    const given = Math.min(excess, Math.max(0, (needed[index] ?? 0) - title.length));
    needed[index] = (needed[index] ?? 0) - given;
    excess -= given;
  }
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ right = false }, index) => {
        const room = needed[index] ?? 0;
        const text = fit(texts[index] ?? "", room);
        return right ? text.trimEnd().padStart(room) : text;
      })
      .join(" ".repeat(GAP))
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}
