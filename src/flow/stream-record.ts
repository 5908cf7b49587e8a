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

/** What outlives the process. */
export interface SavedRecord {
  readonly upTo: number;
  readonly ranges: readonly (readonly [number, number])[];
}

export class StreamRecord {
  #upTo = 0;
  /** Everything up to this number was taken, or is never waited for. */
  #taken = 0;
  /** Inclusive, ascending, with a gap before each. */
  readonly #ranges: [number, number][] = [];
  #news = false;

  /** `saved`: what an earlier life settled. What it had in hand beyond is to be taken again. */
  constructor(saved: SavedRecord = { upTo: 0, ranges: [] }) {
    this.#upTo = saved.upTo;
    this.#taken = saved.upTo;
    for (const [first, last] of saved.ranges) this.#ranges.push([first, last]);
  }

  get upTo(): number {
    return this.#upTo;
  }

  get saved(): SavedRecord {
    return { upTo: this.#upTo, ranges: this.#ranges };
  }

  /** The number that may be taken next. */
  get next(): number {
    return this.#taken + 1;
  }

  /** Takes a number in hand if it is the next one. One seen before that is settled has to be told to the sender again. */
  begin(number: number): Begin {
    if (number <= this.#taken) {
      // In hand, if not settled: the sender, who sends it again, must not take it for lost on the way.
      this.#news = true;
      return "seen";
    }
    if (number > this.#upTo + WINDOW_MAX) return "beyond";
    if (number > this.#taken + 1) return "ahead";
    this.#taken = number;
    if (!this.#isSettled(number)) return "new";
    // Settled in an earlier life.
    this.#news = true;
    return "seen";
  }

  /** The sender leaves out what lies between the last number taken and this one: settled, or given up. */
  skipTo(number: number): void {
    const first = this.#taken + 1;
    if (number <= first || number > this.#upTo + WINDOW_MAX) return;
    this.#taken = number - 1;
    this.#cover(first, this.#taken);
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

  /** Adds a range, and takes in those that it meets. */
  #cover(first: number, last: number): void {
    const at = this.#at(first - 1);
    let end = at;
    let [from, to] = [first, last];
    for (let range = this.#ranges[end]; range !== undefined && range[0] <= last + 1; range = this.#ranges[end]) {
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
      end += 1;
    }
    this.#ranges.splice(at, end - at, [from, to]);
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
    this.#taken = Math.max(this.#taken, this.#upTo);
  }
}
