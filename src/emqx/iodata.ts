/** A payload as Erlang may hold it: one binary, or lists of binaries and bytes, as deep as the term is. */
import type { Term } from "../etf/term.ts";
import { ByteWriter } from "../wire/bytes.ts";

const BYTE_MAX = 0xff;

/** Null: it holds something else. */
export function iodata(term: Term | undefined): Uint8Array | null {
  if (term?.kind === "binary") return term.bytes;
  if (term?.kind !== "list") return null;
  const writer = new ByteWriter();
  return collect(term, writer) ? writer.finish() : null;
}

function collect(term: Term, writer: ByteWriter): boolean {
  switch (term.kind) {
    case "binary":
      writer.raw(term.bytes);
      return true;
    case "integer":
      if (typeof term.value !== "number" || term.value < 0 || term.value > BYTE_MAX) return false;
      writer.u8(term.value);
      return true;
    case "list":
      if (term.tail !== null && term.tail.kind !== "binary") return false;
      return term.items.every((item) => collect(item, writer)) && (term.tail === null || collect(term.tail, writer));
    default:
      return false;
  }
}
