/** How many filters one SUBSCRIBE may bring: as many as the broker takes without stalling its other clients. Pure. */
import { assert } from "../base/assert.ts";

const FIRST = 100;
const MIN = 10;
const MAX = 2_000;
/** A step that takes longer stalls the broker's other clients: take smaller ones; a much shorter one allows larger ones. */
const STALL_MS = 20;
const SWIFT_MS = 10;

export class BatchSize {
  #size = FIRST;

  get filters(): number {
    return this.#size;
  }

  /** A batch was answered. One that was not full says little about larger ones. */
  took(count: number, tookMs: number): void {
    if (tookMs > STALL_MS && count > MIN) this.#size = Math.max(MIN, count >> 1);
    else if (tookMs < SWIFT_MS && count >= this.#size) this.#size = Math.min(MAX, this.#size * 2);
    assert(this.#size >= MIN && this.#size <= MAX, "batch size within its bounds");
  }
}
