/** A term as Erlang's `~0p` prints it, as far as captures need it. */
import type { Term } from "../../src/etf/term.ts";

const PLAIN_ATOM = /^[a-z][0-9A-Za-z_@]*$/;

export function erlangText(term: Term): string {
  switch (term.kind) {
    case "integer":
    case "float":
      return String(term.value);
    case "atom":
      return PLAIN_ATOM.test(term.name) ? term.name : `'${term.name}'`;
    case "binary":
      return binaryText(term.bytes);
    case "tuple":
      return `{${term.items.map(erlangText).join(",")}}`;
    case "list":
      return `[${term.items.map(erlangText).join(",")}]`;
    case "map":
      return `#{${term.pairs.map(([key, value]) => `${erlangText(key)} => ${erlangText(value)}`).join(",")}}`;
    case "bits":
    case "opaque":
      return `(${term.kind})`;
  }
}

/** Text where all of it is printable, else numbers. */
function binaryText(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<<>>";
  const text = Buffer.from(bytes).toString("utf8");
  const isUtf8 = Buffer.from(text, "utf8").equals(Buffer.from(bytes));
  const isPrintable = [...text].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (code >= 0x20 && code < 0x7f) || code >= 0xa0 || (code >= 8 && code <= 13) || code === 27;
  });
  if (!isUtf8 || !isPrintable) return `<<${[...bytes].join(",")}>>`;
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return [...text].some((character) => (character.codePointAt(0) ?? 0) > 0x7f)
    ? `<<"${escaped}"/utf8>>`
    : `<<"${escaped}">>`;
}
