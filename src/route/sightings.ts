/**
 * When each row of the table was last seen held, and how many rows are proven. A row carries the number of the stretch in
 * which it was seen: 0 never for certain, negative when it became doubtful again since. A gap, and the beginning of a
 * snapshot, begin a new stretch. Pure.
 */

/** Raw filter → stretch. */
export type Seen = Map<string, number>;

export type RowKind = "plain" | "shared";

/** Rows of one kind: the broker counts plain and shared ones apart. */
export interface RowCounts {
  readonly proven: number;
  readonly ghosts: number;
}

export class Sightings {
  #stretch = 1;
  /** The first stretch since the last gap: rows seen from it on are proven. */
  #surely = 1;
  /** The stretch of a snapshot that goes on or is through, and of those before it. */
  #snapshots: number[] = [];
  /** Rows seen in the stretch that goes on: if that is all of them, no snapshot has anything to end. */
  #fresh = 0;
  readonly #proven = { plain: 0, shared: 0 };
  readonly #total = { plain: 0, shared: 0 };

  get rows(): number {
    return this.#total.plain + this.#total.shared;
  }

  counts(kind: RowKind): RowCounts {
    return { proven: this.#proven[kind], ghosts: this.#total[kind] - this.#proven[kind] };
  }

  isProven(stretch: number): boolean {
    return stretch >= this.#surely;
  }

  /** A new row, not seen for certain yet. */
  add(rows: Seen, raw: string): void {
    rows.set(raw, 0);
    this.#total[kindOf(raw)] += 1;
  }

  remove(rows: Seen, raw: string): void {
    this.doubt(rows, raw);
    if (rows.get(raw) === -this.#stretch) this.#fresh -= 1;
    rows.delete(raw);
    this.#total[kindOf(raw)] -= 1;
  }

  prove(rows: Seen, raw: string): void {
    const seen = rows.get(raw) ?? 0;
    if (seen === this.#stretch) return;
    rows.set(raw, this.#stretch);
    if (seen !== -this.#stretch) this.#fresh += 1;
    if (seen < this.#surely) this.#proven[kindOf(raw)] += 1;
  }

  /** It may be held, or not any more. */
  doubt(rows: Seen, raw: string): void {
    const seen = rows.get(raw) ?? 0;
    if (seen < this.#surely) return;
    rows.set(raw, -seen);
    this.#proven[kindOf(raw)] -= 1;
  }

  /** Events may be missing: nothing is proven any more. */
  gap(): void {
    this.#nextStretch();
    this.#surely = this.#stretch;
    this.#snapshots = [];
    this.#proven.plain = 0;
    this.#proven.shared = 0;
  }

  /** From here on it shows which rows are seen again. Doubts nothing. */
  beginSnapshot(): void {
    this.#nextStretch();
    this.#snapshots.push(this.#stretch);
  }

  /** The snapshot that began last cannot be finished. */
  abandonSnapshot(): void {
    this.#snapshots.pop();
  }

  /** What the snapshots so far did not show may be held all the same. */
  forgetSnapshots(): void {
    this.#snapshots = [];
  }

  /** Rows seen before the answered stretch are in none of the last `passes` snapshots; null: that is not known, or there are none. */
  endSnapshot(passes: number): number | null {
    this.#snapshots = this.#snapshots.slice(-passes);
    const first = this.#snapshots[0];
    return first === undefined || this.#snapshots.length < passes || this.#fresh === this.rows ? null : first;
  }

  #nextStretch(): void {
    this.#stretch += 1;
    this.#fresh = 0;
  }
}

export function kindOf(raw: string): RowKind {
  return raw.startsWith("$share/") ? "shared" : "plain";
}
