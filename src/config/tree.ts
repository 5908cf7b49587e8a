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

/** More values than the largest file can write out: aliases could make far more of it. */
export const VALUES_MAX = 2_000_000;

export type PlainValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/** What parsers answer, as trees. */
export function plainValue(value: unknown): PlainValue {
  let left = VALUES_MAX;
  let problem: string | null = null;
  const copy = (from: unknown, depth: number): unknown => {
    left -= 1;
    if (depth > DEPTH_MAX) problem = "is nested too deeply";
    if (left < 0) problem = "uses aliases (*) to make more values than a configuration has";
    if (problem !== null || typeof from !== "object" || from === null) return from;
    if (Array.isArray(from)) return from.map((item) => copy(item, depth + 1));
    const result = tree();
    for (const [key, entry] of from instanceof Map ? from : Object.entries(from)) {
      result[`${key}`] = copy(entry, depth + 1);
    }
    return result;
  };
  const copied = copy(value, 0);
  return problem === null ? { ok: true, value: copied } : { ok: false, problem };
}
