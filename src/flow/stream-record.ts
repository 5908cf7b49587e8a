/**
 * What the receiver knows of one stream: the highest number up to which everything is settled, the numbers settled
 * beyond it, and the highest one taken in hand. Numbers are taken in order and once: one that lies ahead of a gap has to
 * wait for what is missing, or the messages of one publisher would change places.
 */

/** Ranges named beyond the contiguous part: enough for any reordering a connection makes. */
const RANGES_MAX = 32;
/** Numbers remembered beyond the contiguous part; honest senders have a few thousand under way. */
const WINDOW_MAX = 65_536;

export interface RecordNews {
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

/** `seen`: taken before. `ahead`: a number before it is missing. `absurd`: no honest sender has it under way. */
export type Beginning = "fresh" | "seen" | "ahead" | "absurd";

export class StreamRecord {
  #upTo = 0;
  /** Everything up to this number was taken, or is never waited for. */
  #taken = 0;
  readonly #settledBeyond = new Set<number>();
  #news = false;

  get upTo(): number {
    return this.#upTo;
  }

  /** The number that may be taken next. */
  get next(): number {
    return this.#taken + 1;
  }

  /** Takes a number in hand if it is the next one. A repeated one that is settled asks for the settlement again. */
  begin(number: number): Beginning {
    if (number <= this.#taken) {
      if (number <= this.#upTo || this.#settledBeyond.has(number)) this.#news = true;
      return "seen";
    }
    if (number > this.#upTo + WINDOW_MAX) return "absurd";
    if (number > this.#taken + 1) return "ahead";
    this.#taken = number;
    return "fresh";
  }

  /** The sender leaves out the numbers between the last one taken and `number`: they are settled, or given up. */
  skipTo(number: number): void {
    if (number > this.#upTo + WINDOW_MAX) return;
    for (let left = this.#taken + 1; left < number; left += 1) this.#settledBeyond.add(left);
    this.#taken = Math.max(this.#taken, number - 1);
    this.#close();
  }

  settle(number: number): void {
    if (number > this.#upTo) this.#settledBeyond.add(number);
    this.#news = true;
    this.#close();
  }

  /** The sender says that everything up to here is settled or given up: never wait for it. */
  advance(upTo: number): void {
    if (upTo <= this.#upTo) return;
    this.#upTo = upTo;
    this.#taken = Math.max(this.#taken, upTo);
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
