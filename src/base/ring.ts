/**
 * A bounded first-in-first-out queue whose ends cost the same at any length. Owns its slots: a slot is emptied when its
 * item leaves, and a queue that has emptied gives its array back. Never drops: what happens at the limit is the caller's
 * policy.
 */
import { assert } from "./assert.ts";

/** Power of two, so that an index wraps with a mask. Few queues ever hold more. */
const FIRST_SLOTS = 16;

export class Ring<T> {
  readonly #limit: number;
  #slots: (T | undefined)[] = new Array(FIRST_SLOTS);
  #head = 0;
  #length = 0;

  /** `limit`: how many items fit; at least 1. */
  constructor(limit: number) {
    assert(Number.isInteger(limit) && limit > 0, `a ring of ${limit} items`);
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Answers false, and takes nothing, when the ring is full. */
  push(item: T): boolean {
    if (this.#length === this.#limit) return false;
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length += 1;
    return true;
  }

  /** Takes the oldest item; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && this.#slots.length > FIRST_SLOTS) this.clear();
    return item;
  }

  /** The oldest item, left where it is. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  clear(): void {
    this.#slots = new Array(FIRST_SLOTS);
    this.#head = 0;
    this.#length = 0;
  }

  /** Oldest first. The ring must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i += 1) {
      yield this.#slots[(this.#head + i) & (this.#slots.length - 1)] as T;
    }
  }

  #grow(): void {
    const slots: (T | undefined)[] = new Array(this.#slots.length * 2);
    let i = 0;
    for (const item of this) {
      slots[i] = item;
      i += 1;
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
