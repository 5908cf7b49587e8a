/** What the doctor found, as text for a person: 80 columns, findings that matter in capitals, lines to add as they stand. */
import { printable } from "../config/printable.ts";
import type { Paint, Style } from "../demo/screen.ts";
import { wrap } from "../demo/wrap.ts";
import type { Examination, Finding, Level } from "../doctor/finding.ts";

const LABELS: Readonly<Record<Level, readonly [label: string, style: Style]>> = {
  ok: ["ok", "good"],
  note: ["note", "bold"],
  skipped: ["skipped", "dim"],
  warning: ["WARNING", "doubtful"],
  fault: ["FAULT", "bad"],
};
const LABEL_COLUMNS = 7;
const INDENT = " ".repeat(LABEL_COLUMNS + 4);

export function reportText(examinations: readonly Examination[], columns: number, paint: Paint): string[] {
  return examinations.flatMap(({ title, findings }, index) => [
    ...(index === 0 ? [] : [""]),
    ...wrap(printable(title), columns).map((line) => paint("bold", line)),
    ...findings.flatMap((finding) => findingText(finding, columns, paint)),
  ]);
}

/** `2 faults, 1 warning` */
export function verdict(examinations: readonly Examination[]): string {
  const count = (level: Level): number =>
    examinations.flatMap(({ findings }) => findings).filter((each) => each.level === level).length;
  const plural = (n: number, word: string): string => (n === 1 ? `1 ${word}` : `${n} ${word}s`);
  const [faults, warnings] = [count("fault"), count("warning")];
  if (faults + warnings === 0) return "All is well.";
  return `${plural(faults, "fault")}, ${plural(warnings, "warning")}.`;
}

function findingText({ level, text, fixes }: Finding, columns: number, paint: Paint): string[] {
  const [label, style] = LABELS[level];
  const width = columns - INDENT.length;
  const lines = wrap(printable(text), width).map((line, index) =>
    index === 0 ? `  ${paint(style, label.padEnd(LABEL_COLUMNS))}  ${line}` : INDENT + line,
  );
  for (const { file, lines: own } of fixes) {
    lines.push(...wrap(`in ${printable(file)}:`, width).map((line) => INDENT + line));
    // As they stand: a line that is broken is another line.
    lines.push(...own.map((line) => `${INDENT}  ${printable(line)}`));
  }
  return lines;
}
