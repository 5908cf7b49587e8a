/**
 * A map that forgets its oldest entry when it is full: for caches, and for memories that may fade. Setting a key makes it
 * the youngest, and so does `touch`; `get` alone does not.
 *
 * The order is a linked list of its own: the first key of a JavaScript Map that loses its first keys again and again is
 * found by stepping over all those lost since the last rehash, and an iterator kept for that keeps old tables alive.
 */
import { assert } from "./assert.ts";

interface Entry<K, V> {
  readonly key: K;
  value: V;
  older: Entry<K, V> | null;
  newer: Entry<K, V> | null;
}

export class BoundedMap<K, V> {
  readonly #limit: number;
  readonly #entries = new Map<K, Entry<K, V>>();
  #oldest: Entry<K, V> | null = null;
  #youngest: Entry<K, V> | null = null;

  /** `limit`: how many entries fit; at least 1. */
  constructor(limit: number) {
    assert(Number.isInteger(limit) && limit > 0, `a map of ${limit} entries`);
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** As `get`, and makes the entry the youngest. */
  touch(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#unlink(entry);
    this.#append(entry);
    return entry.value;
  }

  /** Makes the entry the youngest. Answers the entry that had to go, if one had. */
  set(key: K, value: V): readonly [K, V] | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      this.#unlink(known);
      this.#append(known);
      return undefined;
    }
    const evicted = this.#entries.size === this.#limit ? this.#oldest : null;
    if (evicted !== null) this.delete(evicted.key);
    const entry: Entry<K, V> = { key, value, older: null, newer: null };
    this.#entries.set(key, entry);
    this.#append(entry);
    return evicted === null ? undefined : [evicted.key, evicted.value];
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#unlink(entry);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = null;
    this.#youngest = null;
  }

  /** The entry that goes next. */
  oldest(): readonly [K, V] | undefined {
    return this.#oldest === null ? undefined : [this.#oldest.key, this.#oldest.value];
  }

  /** Oldest first. The entry just handed out may be deleted; nothing else may change meanwhile. */
  *[Symbol.iterator](): IterableIterator<[K, V]> {
    let entry = this.#oldest;
    while (entry !== null) {
      const { newer } = entry;
      yield [entry.key, entry.value];
      entry = newer;
    }
  }

  #append(entry: Entry<K, V>): void {
    entry.older = this.#youngest;
    entry.newer = null;
    if (this.#youngest === null) this.#oldest = entry;
    else this.#youngest.newer = entry;
    this.#youngest = entry;
  }

  #unlink(entry: Entry<K, V>): void {
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#youngest = entry.older;
    else entry.newer.older = entry.older;
  }
}
