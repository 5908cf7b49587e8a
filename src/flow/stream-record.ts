/**
 * What the receiver knows of one stream: the highest number up to which everything is settled, the numbers settled
 * beyond it, and those under way. A number begins once; a repeated one that is settled asks for the settlement again.
 */

/** Ranges named beyond the contiguous part: enough for any reordering a connection makes. */
const RANGES_MAX = 32;
/** Numbers remembered beyond the contiguous part; honest senders have a few thousand under way. */
const WINDOW_MAX = 65_536;

export interface RecordNews {
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

export class StreamRecord {
  #upTo = 0;
  readonly #settledBeyond = new Set<number>();
  readonly #begun = new Set<number>();
  #news = false;

  get upTo(): number {
    return this.#upTo;
  }

  /**
   * Takes a number in hand; false: it was seen before (and the sender has to be told, if it is settled), or lies so far
   * ahead that no honest sender can have it under way.
   */
  begin(number: number): boolean {
    if (number <= this.#upTo || this.#settledBeyond.has(number)) {
      this.#news = true;
      return false;
    }
    if (this.#begun.has(number) || number > this.#upTo + WINDOW_MAX) return false;
    this.#begun.add(number);
    return true;
  }

  settle(number: number): void {
    this.#begun.delete(number);
    if (number > this.#upTo) this.#settledBeyond.add(number);
    this.#news = true;
    this.#close();
  }

  /** The sender says that everything up to here is settled or given up: never wait for it. */
  advance(upTo: number): void {
    if (upTo <= this.#upTo) return;
    this.#upTo = upTo;
    for (const number of this.#settledBeyond) if (number <= upTo) this.#settledBeyond.delete(number);
    this.#close();
  }

  /** What to tell the sender, or null when nothing changed since the last call. */
  news(): RecordNews | null {
    if (!this.#news) return null;
    this.#news = false;
    return { upTo: this.#upTo, ranges: this.#ranges() };
  }

  #close(): void {
    while (this.#settledBeyond.delete(this.#upTo + 1)) this.#upTo += 1;
  }

  #ranges(): (readonly [number, number])[] {
    const ranges: [number, number][] = [];
    for (const number of [...this.#settledBeyond].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === number - 1) last[1] = number;
      else if (ranges.length === RANGES_MAX) break;
      else ranges.push([number, number]);
    }
    return ranges;
  }
}
