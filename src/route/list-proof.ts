/**
 * What lists of the broker's subscriptions, read one after the other, prove of the table. Pure.
 *
 *   nothing ──begin──▶ reading ──end, calm──▶ proven
 *                         │ ───end, restless: RESTLESS_LISTS in a row──▶ proven
 *                         └ ───failed, doubt──▶ nothing
 */
import type { InterestEdge } from "./interest-event.ts";
import type { SubscriptionTable } from "./subscription-table.ts";

/** A list that changed while it was read may have hidden a row; so many in a row do not hide the same one. */
const RESTLESS_LISTS = 3;

export class ListProof {
  readonly #table: SubscriptionTable;
  /** Whether a list is being read and nothing has spoilt it. */
  #reading = false;
  /** Every row on it found room in the table. */
  #fits = true;
  /** Lists in a row since the last doubt. */
  #lists = 0;

  constructor(table: SubscriptionTable) {
    this.#table = table;
  }

  begin(): void {
    if (this.#reading) this.#table.abandonSnapshot();
    this.#table.beginSnapshot();
    this.#reading = true;
    this.#fits = true;
  }

  /** `calm`: nothing moved while it was read. Answers whether the table is proven. */
  end(calm: boolean, edges: InterestEdge[]): boolean {
    if (!this.#reading) return false;
    this.#reading = false;
    this.#lists += 1;
    const lists = calm ? 1 : RESTLESS_LISTS;
    this.#table.endSnapshot(lists, edges);
    if (!this.#fits) this.#lists = 0;
    return this.#lists >= lists;
  }

  failed(): void {
    if (this.#reading) this.#table.abandonSnapshot();
    this.#reading = false;
  }

  /** A row found no room. */
  overflowed(): void {
    this.#fits = false;
  }

  /** What was read before this proves nothing behind it. */
  spoil(): void {
    this.#reading = false;
    this.#lists = 0;
    this.#table.forgetSnapshots();
  }
}
