/** How the text of an environment variable or a flag becomes a value. What does not fit stays a text, and its format says so. */
import type { TextKind } from "./format.ts";
import { plainValue } from "./tree.ts";

const WHOLE_NUMBER = /^-?\d{1,15}$/;

export function textValue(text: string, kind: TextKind): unknown {
  switch (kind) {
    case "text":
      return text;
    case "scalar":
      return scalar(text);
    case "list":
      return text.trim() === "" ? [] : list(text);
    case "one_or_list":
      // `[` alone may begin an IPv6 address.
      if (/^\s*\[\s*["\]]/.test(text)) return json(text) ?? text;
      return text.includes(",") ? entries(text) : text.trim();
    case "json":
      return json(text) ?? text;
  }
}

/** Comma separated, or JSON. Space around an entry does not count: an entry that begins or ends with one needs JSON. */
function list(text: string): unknown {
  return text.trim().startsWith("[") ? (json(text) ?? text) : entries(text);
}

function entries(text: string): string[] {
  return text.split(",").map((entry) => entry.trim());
}

function scalar(text: string): unknown {
  const trimmed = text.trim();
  const lower = trimmed.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  return WHOLE_NUMBER.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Null: it is no JSON, or JSON of no use. */
function json(text: string): unknown {
  try {
    const plain = plainValue(JSON.parse(text));
    return plain.ok ? plain.value : null;
  } catch {
    // No JSON: the format reports the text.
    return null;
  }
}
