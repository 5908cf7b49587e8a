/** Where the keys of a YAML document stand, and which of them are given twice. Each map is indexed once, when it is asked for. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import type { Path } from "./problem.ts";

export interface RepeatedKey {
  readonly path: Path;
  readonly line: number;
  readonly firstLine: number;
}

export class YamlKeys {
  readonly #document: Document.Parsed;
  readonly #lineAt: (offset: number) => number;
  readonly #indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  /** `lineAt`: the line of an offset in the text. */
  constructor(document: Document.Parsed, lineAt: (offset: number) => number) {
    this.#document = document;
    this.#lineAt = lineAt;
  }

  /** The line of the deepest part of `path` that there is; null: none of it. */
  lineOf(path: Path): number | null {
    let node: unknown = this.#document.contents;
    let line: number | null = null;
    for (const segment of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair = this.#index(node).get(`${segment}`);
        if (pair === undefined) break;
        line = this.#lineOf(pair.key) ?? line;
        node = pair.value;
      } else if (isSeq(node) && typeof segment === "number") {
        node = node.items[segment];
        line = this.#lineOf(node) ?? line;
      } else break;
    }
    return line;
  }

  /** At most `count` of them. Without recursion: a document may be deeper than the stack. */
  repeated(count: number): readonly RepeatedKey[] {
    const found: RepeatedKey[] = [];
    const open: { readonly node: unknown; readonly path: Path }[] = [{ node: this.#document.contents, path: [] }];
    for (let next = open.pop(); next !== undefined && found.length < count; next = open.pop()) {
      const { node, path } = next;
      if (isSeq(node)) {
        for (const [index, item] of node.items.entries()) {
          if (isMap(item) || isSeq(item)) open.push({ node: item, path: [...path, index] });
        }
      } else if (isMap(node)) this.#repeatedIn(node, path, found, open);
    }
    return found.slice(0, count).sort((a, b) => a.line - b.line);
  }

  #repeatedIn(map: YAMLMap, path: Path, found: RepeatedKey[], open: { node: unknown; path: Path }[]): void {
    const index = this.#index(map);
    for (const pair of map.items) {
      const name = keyText(pair);
      const first = index.get(name);
      if (first !== undefined && first !== pair) {
        found.push({
          path: [...path, name],
          line: this.#lineOf(pair.key) ?? 0,
          firstLine: this.#lineOf(first.key) ?? 0,
        });
      }
      if (isMap(pair.value) || isSeq(pair.value)) open.push({ node: pair.value, path: [...path, name] });
    }
  }

  /** The first pair of each key. */
  #index(map: YAMLMap): ReadonlyMap<string, Pair> {
    const known = this.#indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map<string, Pair>();
    for (const pair of map.items) {
      const name = keyText(pair);
      if (!index.has(name)) index.set(name, pair);
    }
    this.#indexes.set(map, index);
    return index;
  }

  #lineOf(node: unknown): number | null {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return offset === undefined ? null : this.#lineAt(offset);
  }
}

function keyText({ key }: Pair): string {
  return isScalar(key) ? `${key.value}` : "";
}
