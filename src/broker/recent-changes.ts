/**
 * What events said in the last moments: which rows came, which went, whose rows went all. For judging a list that was
 * read meanwhile. At the limit the oldest is forgotten: that row is then taken as the list has it.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import type { ListedRow } from "./subscription-page.ts";

export const CHANGES_MAX = 100_000;

interface Change {
  readonly row: ListedRow;
  readonly held: boolean;
  readonly atMs: number;
  /** Orders what comes in one millisecond. */
  readonly number: number;
}

export class RecentChanges {
  readonly #rows: BoundedMap<string, Change>;
  readonly #ends: BoundedMap<string, { readonly atMs: number; readonly number: number }>;
  #next = 0;

  constructor(limit = CHANGES_MAX) {
    this.#rows = new BoundedMap(limit);
    this.#ends = new BoundedMap(limit);
  }

  changed(row: ListedRow, held: boolean, nowMs: number): void {
    this.#next += 1;
    this.#rows.set(keyOf(row), { row, held, atMs: nowMs, number: this.#next });
  }

  /** All rows of the client are gone. */
  ended(client: string, nowMs: number): void {
    this.#next += 1;
    this.#ends.set(client, { atMs: nowMs, number: this.#next });
  }

  forget(beforeMs: number): void {
    for (const [key, { atMs }] of this.#rows) {
      if (atMs >= beforeMs) break;
      this.#rows.delete(key);
    }
    for (const [client, { atMs }] of this.#ends) {
      if (atMs >= beforeMs) break;
      this.#ends.delete(client);
    }
  }

  clear(): void {
    this.#rows.clear();
    this.#ends.clear();
  }

  /** What the last event said of the row; null: none did. */
  held(row: ListedRow): boolean | null {
    const change = this.#rows.get(keyOf(row));
    const end = this.#ends.get(row.client);
    if (change !== undefined && change.number > (end?.number ?? 0)) return change.held;
    return end === undefined ? null : false;
  }

  /** Whether somebody's rows went all. */
  get hasEnds(): boolean {
    return this.#ends.size > 0;
  }

  /** The rows that came. */
  *heldRows(): Iterable<ListedRow> {
    for (const [, { row }] of this.#rows) if (this.held(row) === true) yield row;
  }

  get size(): number {
    return this.#rows.size + this.#ends.size;
  }
}

/** No client id and no filter has the character between them. */
function keyOf({ client, filter }: ListedRow): string {
  return `${client}\0${filter}`;
}
