/**
 * Text from outside, made safe for a terminal and a log line: control characters, line separators and characters that
 * turn the writing direction come out as escapes. Never used for values that go to a broker.
 */

/** C0, DEL, C1, line and paragraph separators, direction marks and overrides, byte order mark, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

/** A filter may have 65,535 bytes; a line of a report should stay readable. */
const QUOTED_LENGTH_MAX = 120;

/** `text` without line ends, safe to print. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** As `printable`, but keeps line feeds: for texts of several lines that we wrote ourselves. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** In double quotes, escaped and cut: how every value from outside appears in a sentence. */
export function quoted(text: string): string {
  const units = [...text.slice(0, QUOTED_LENGTH_MAX + 1)];
  const cut = text.length > QUOTED_LENGTH_MAX;
  const shown = cut ? units.slice(0, QUOTED_LENGTH_MAX).join("") : text;
  const safe = printable(shown.replaceAll("\\", "\\\\").replaceAll('"', '\\"'));
  return cut ? `"${safe}…" (${text.length} characters)` : `"${safe}"`;
}

/** As `quoted`, for what may be an address with a secret in it: without what stands before its last `@`, or in its query. */
export function quotedAddress(text: string): string {
  return quoted(text.replace(/^([a-z0-9+.-]*:\/\/)?[\s\S]*@/i, "$1******@").replace(/\?[\s\S]*$/, "?…"));
}

/** JSON for a terminal: what JSON.stringify leaves alone is escaped as well. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => line.replace(UNPRINTABLE, escaped))
    .join("\n");
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
