/**
 * What the receiver knows of one stream: the highest number up to which everything is settled, the numbers settled
 * beyond it as ranges, and the highest one taken in hand. Numbers are taken in order and once: one that lies ahead of a gap
 * has to wait for what is missing, or the messages of one publisher would change places. A repeated one that is settled
 * asks for the settlement again. Costs grow with the number of ranges, not of numbers.
 */

/** Ranges named beyond the contiguous part: enough for any reordering a connection makes. */
const RANGES_MAX = 32;
/** Numbers remembered beyond the contiguous part; honest senders have a few thousand under way. */
const WINDOW_MAX = 65_536;

export interface RecordNews {
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

/** `ahead`: a number before it is missing. `beyond`: so far ahead that no honest sender can have it under way. */
export type Begin = "new" | "seen" | "ahead" | "beyond";

export class StreamRecord {
  #upTo = 0;
  /** Everything up to this number was taken, or is never waited for. */
  #taken = 0;
  /** Inclusive, ascending, with a gap before each. */
  readonly #ranges: [number, number][] = [];
  #news = false;

  get upTo(): number {
    return this.#upTo;
  }

  /** The number that may be taken next. */
  get next(): number {
    return this.#taken + 1;
  }

  /** Takes a number in hand if it is the next one. One seen before that is settled has to be told to the sender again. */
  begin(number: number): Begin {
    if (number <= this.#taken) {
      if (this.#isSettled(number)) this.#news = true;
      return "seen";
    }
    if (number > this.#upTo + WINDOW_MAX) return "beyond";
    if (number > this.#taken + 1) return "ahead";
    this.#taken = number;
    return "new";
  }

  /** The sender leaves out what lies between the last number taken and this one: settled, or given up. */
  skipTo(number: number): void {
    const first = this.#taken + 1;
    if (number <= first || number > this.#upTo + WINDOW_MAX) return;
    this.#taken = number - 1;
    // Nothing beyond what was taken is settled yet: this is the last range.
    const last = this.#ranges.at(-1);
    if (last !== undefined && last[1] === first - 1) last[1] = this.#taken;
    else this.#ranges.push([first, this.#taken]);
    this.#close();
  }

  settle(number: number): void {
    this.#news = true;
    if (!this.#isSettled(number)) this.#add(number);
    this.#close();
  }

  /** The sender says that everything up to here is settled or given up: never wait for it. */
  advance(upTo: number): void {
    if (upTo <= this.#upTo) return;
    this.#upTo = upTo;
    this.#taken = Math.max(this.#taken, upTo);
    this.#close();
  }

  /** What to tell the sender, or null when nothing changed since the last call. */
  news(): RecordNews | null {
    if (!this.#news) return null;
    this.#news = false;
    return {
      upTo: this.#upTo,
      ranges: this.#ranges.slice(0, RANGES_MAX).map(([first, last]) => [first, last] as const),
    };
  }

  #isSettled(number: number): boolean {
    return number <= this.#upTo || (this.#ranges[this.#at(number)]?.[0] ?? Number.POSITIVE_INFINITY) <= number;
  }

  #add(number: number): void {
    const at = this.#at(number);
    const before = this.#ranges[at - 1];
    const after = this.#ranges[at];
    const joinsBefore = before !== undefined && before[1] === number - 1;
    const joinsAfter = after !== undefined && after[0] === number + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#ranges.splice(at, 1);
    } else if (joinsBefore) before[1] = number;
    else if (joinsAfter) after[0] = number;
    else this.#ranges.splice(at, 0, [number, number]);
  }

  /** Index of the first range that ends at `number` or later. Most numbers settle in order, at the end. */
  #at(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What the contiguous part has reached is no range any more. */
  #close(): void {
    let reached = 0;
    for (const [first, last] of this.#ranges) {
      if (first > this.#upTo + 1) break;
      this.#upTo = Math.max(this.#upTo, last);
      reached += 1;
    }
    if (reached > 0) this.#ranges.splice(0, reached);
  }
}
