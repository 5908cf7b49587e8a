/**
 * The last number that each topic has in a stream, so that nothing of a topic leaves the stream while something of it is
 * still under way there. Pure. Topics are kept as hashes: two that share one are taken for one, and kept together.
 *
 * Bounded. Past the limit the numbers so far may be anybody's: no topic leaves until all of them have come through.
 */
import { hashText } from "../base/hash.ts";

/** Some 10 MB for each link at worst. */
export const TOPICS_MAX = 200_000;
/** A clearing that leaves more than this would have to be done again soon. */
const KEPT_SHARE = 0.75;

export class TopicTails {
  readonly #limit: number;
  #tails = new Map<number, number>();
  #unknownUpTo: number;
  #overflows = 0;

  /** `unknownUpTo`: the last number that an earlier life gave. */
  constructor(unknownUpTo: number, limit: number = TOPICS_MAX) {
    this.#unknownUpTo = unknownUpTo;
    this.#limit = limit;
  }

  get size(): number {
    return this.#tails.size;
  }

  /** How often there were too many topics. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Nothing of the topic comes after this number; 0: nothing of it is there. */
  last(topic: string): number {
    return Math.max(this.#unknownUpTo, this.#tails.get(keyOf(topic)) ?? 0);
  }

  /** `isThrough`: whether a number needs to be known no more. */
  add(topic: string, number: number, isThrough: (number: number) => boolean): void {
    if (this.#unknownUpTo > 0 && isThrough(this.#unknownUpTo)) this.#unknownUpTo = 0;
    this.#tails.set(keyOf(topic), number);
    if (this.#tails.size <= this.#limit) return;
    for (const [key, last] of this.#tails) if (isThrough(last)) this.#tails.delete(key);
    if (this.#tails.size <= this.#limit * KEPT_SHARE) return;
    this.#tails = new Map();
    this.#unknownUpTo = number;
    this.#overflows += 1;
  }

  /** Everything has come through. */
  clear(): void {
    this.#unknownUpTo = 0;
    if (this.#tails.size > 0) this.#tails = new Map();
  }
}

/** Small integers cost no memory of their own in a map. */
function keyOf(topic: string): number {
  return hashText(topic, 0) | 0;
}
