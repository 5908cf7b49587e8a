/**
 * A map from canonical filters to values that finds which of them match a topic, are covered by a filter, or cover one.
 *
 * One tree serves all three: exact filters kept apart in a Map would make `coveredBy("t/#")` walk all of them. It stays
 * small because a filter takes one leaf, placed where it first differs from all others, however many levels it has; the
 * walks lead to leaves, and the text of a leaf has the last word (`$` rule included). Branches exist only where at least
 * two filters share their first levels, and go when they no longer do. Nothing here recurses: a peer chooses how deep
 * filters are.
 */
import { assert } from "../base/assert.ts";
import { covers, matches } from "./algebra.ts";
import { withParent } from "./filter.ts";

/** One stored filter. As a child it stands for all levels from its place on. */
class Leaf<T> {
  readonly filter: string;
  value: T;

  constructor(filter: string, value: T) {
    this.filter = filter;
    this.value = value;
  }
}

/** The filters that share their first levels; as many as the branch is deep. */
class Branch<T> {
  /** The filter that ends here. */
  own: Leaf<T> | null = null;
  /** The filter that ends with `#` here. */
  hash: Leaf<T> | null = null;
  /** Those with `+` as their next level. */
  plus: Branch<T> | Leaf<T> | null = null;
  /** Those with a name as their next level. */
  named: Map<string, Branch<T> | Leaf<T>> | null = null;
}

type Child<T> = Branch<T> | Leaf<T>;

interface Place<T> {
  readonly branch: Branch<T>;
  readonly depth: number;
}

export class FilterTrie<T> {
  readonly #root = new Branch<T>();
  #size = 0;
  #branches = 1;

  /** How many filters are stored. */
  get size(): number {
    return this.#size;
  }

  /** How many inner nodes there are, the root included: with `size` leaves, all the memory there is. */
  get branches(): number {
    return this.#branches;
  }

  get(filter: string): T | undefined {
    let depth = 0;
    let child: Child<T> | null = this.#root;
    for (const levels = filter.split("/"); child instanceof Branch; depth += 1) child = childAt(child, levels[depth]);
    return child?.filter === filter ? child.value : undefined;
  }

  set(filter: string, value: T): void {
    const levels = filter.split("/");
    let branch = this.#root;
    for (let depth = 0; ; depth += 1) {
      const level = levels[depth];
      const child = childAt(branch, level);
      if (child instanceof Branch) {
        branch = child;
      } else if (child === null) {
        place(branch, level, new Leaf(filter, value));
        this.#size += 1;
        return;
      } else if (child.filter === filter) {
        child.value = value;
        return;
      } else {
        // Two filters in one place: both go one level down.
        const below = new Branch<T>();
        place(below, child.filter.split("/", depth + 2)[depth + 1], child);
        place(branch, level, below);
        this.#branches += 1;
        branch = below;
      }
    }
  }

  /** Answers false when the filter was not stored. */
  delete(filter: string): boolean {
    const levels = filter.split("/");
    const path: Branch<T>[] = [];
    let child: Child<T> | null = this.#root;
    while (child instanceof Branch) {
      path.push(child);
      child = childAt(child, levels[path.length - 1]);
    }
    if (child?.filter !== filter) return false;
    this.#size -= 1;
    // What stands in the child's place from now on: nothing, or the one leaf that is left of the branch that was there.
    let rest: Leaf<T> | null = null;
    for (let branch = path.pop(); branch !== undefined; branch = path.pop()) {
      place(branch, levels[path.length], rest);
      rest = onlyLeaf(branch);
      if (rest === null || path.length === 0) return true;
      this.#branches -= 1;
    }
    return true;
  }

  /** Visits every stored filter that matches `topic`, in no set order. The trie must not change meanwhile. */
  match(topic: string, visit: (value: T, filter: string) => void): void {
    const levels = topic.split("/");
    const open: Place<T>[] = [{ branch: this.#root, depth: 0 }];
    const enter = (child: Child<T> | null, depth: number): void => {
      if (child instanceof Branch) open.push({ branch: child, depth });
      else if (child !== null && matches(child.filter, topic)) visit(child.value, child.filter);
    };
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      const { branch, depth } = here;
      enter(branch.hash, depth);
      if (depth === levels.length) {
        enter(branch.own, depth);
        continue;
      }
      enter(branch.plus, depth + 1);
      enter(branch.named?.get(levels[depth] ?? "") ?? null, depth + 1);
    }
  }

  /**
   * Visits every stored filter that `filter` covers, itself included if it is stored, in no set order. The trie must not
   * change meanwhile.
   */
  coveredBy(filter: string, visit: (value: T, stored: string) => void): void {
    const levels = filter.split("/");
    const open: Place<T>[] = [{ branch: this.#root, depth: 0 }];
    const enter = (child: Child<T> | null, depth: number): void => {
      if (child instanceof Branch) open.push({ branch: child, depth });
      else if (child !== null && covers(filter, child.filter)) visit(child.value, child.filter);
    };
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      const { branch, depth } = here;
      const level = levels[Math.min(depth, levels.length - 1)];
      if (level === "#") {
        // From here on everything is covered, and the parent level too.
        enter(branch.own, depth);
        enter(branch.hash, depth);
      } else if (depth === levels.length) {
        enter(branch.own, depth);
        continue;
      } else if (level !== "+") {
        enter(childAt(branch, level), depth + 1);
        continue;
      } else if (depth === 1) {
        // `+/+/#` covers `/#`, whose parent is no topic.
        enter(branch.hash, depth);
      }
      enter(branch.plus, depth + 1);
      for (const child of branch.named?.values() ?? []) enter(child, depth + 1);
    }
  }

  /**
   * Visits every stored filter that covers `filter`, itself included if it is stored, in no set order, until `visit`
   * answers true. The trie must not change meanwhile.
   */
  covering(filter: string, visit: (value: T, stored: string) => unknown): void {
    const levels = withParent(filter).split("/");
    const open: Place<T>[] = [{ branch: this.#root, depth: 0 }];
    const stops = (child: Child<T> | null, depth: number): boolean => {
      if (child instanceof Branch) open.push({ branch: child, depth });
      else if (child !== null && covers(child.filter, filter)) return visit(child.value, child.filter) === true;
      return false;
    };
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      const { branch, depth } = here;
      const level = levels[depth];
      if (stops(branch.hash, depth)) return;
      if (level === "#") continue;
      if (level !== undefined && stops(branch.plus, depth + 1)) return;
      if (level !== "+" && stops(childAt(branch, level), depth + 1)) return;
    }
  }
}

/** `level` undefined: the filter that ends at the branch. */
function childAt<T>(branch: Branch<T>, level: string | undefined): Child<T> | null {
  if (level === undefined) return branch.own;
  if (level === "#") return branch.hash;
  if (level === "+") return branch.plus;
  return branch.named?.get(level) ?? null;
}

function place<T>(branch: Branch<T>, level: string | undefined, child: Child<T> | null): void {
  if (level === undefined || level === "#") {
    assert(!(child instanceof Branch), "no filter goes on behind its end");
    if (level === "#") branch.hash = child;
    else branch.own = child;
  } else if (level === "+") {
    branch.plus = child;
  } else if (child !== null) {
    branch.named ??= new Map();
    branch.named.set(level, child);
  } else if (branch.named?.delete(level) && branch.named.size === 0) {
    branch.named = null;
  }
}

/** The leaf that is all a branch holds; null: it holds more, or other branches. */
function onlyLeaf<T>(branch: Branch<T>): Leaf<T> | null {
  let only: Leaf<T> | null = null;
  for (const child of [branch.own, branch.hash, branch.plus]) {
    if (child === null) continue;
    if (only !== null || child instanceof Branch) return null;
    only = child;
  }
  if (branch.named === null) return only;
  if (only !== null || branch.named.size > 1) return null;
  for (const child of branch.named.values()) if (child instanceof Leaf) only = child;
  return only;
}
