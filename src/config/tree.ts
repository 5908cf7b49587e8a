/**
 * Raw configuration: trees of plain values as a source wrote them. Every tree has a null prototype, so that keys such as
 * `__proto__` and `constructor` are keys like all others, and end as unknown ones.
 */

export interface Tree {
  [key: string]: unknown;
}

/** Lists in lists in groups: the schema needs four levels. */
export const DEPTH_MAX = 16;

export function tree(): Tree {
  return Object.create(null) as Tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What parsers answer, as trees. Null: deeper than DEPTH_MAX, or with a key that is no text. */
export function plainValue(value: unknown, depth = 0): { readonly value: unknown } | null {
  if (depth > DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const plain = plainValue(item, depth + 1);
      if (plain === null) return null;
      items.push(plain.value);
    }
    return { value: items };
  }
  if (typeof value !== "object" || value === null) return { value };
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  const result = tree();
  for (const [key, entry] of entries) {
    const plain = plainValue(entry, depth + 1);
    if (plain === null || (typeof key !== "string" && typeof key !== "number")) return null;
    result[key] = plain.value;
  }
  return { value: result };
}
