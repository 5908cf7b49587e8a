/**
 * The numbered route operations of one link that the peer may still need, with the mark (count and digest) at the end
 * of each batch. Bounded: past the limit the oldest go, and a peer that needs them gets a bootstrap instead.
 */
import type { Digest } from "../base/digest.ts";
import type { RouteOp } from "../route/route.ts";
import type { RoutesMark, WireRouteOp } from "../wire/message.ts";

/** Past this a bootstrap is cheaper than the repetition for all but the largest tables, and memory stays flat. */
export const LOG_OPS_MAX = 20_000;
/** Marks kept for comparing what a returning peer still holds. */
const MARKS_MAX = 256;

export class RouteLog {
  #ops: WireRouteOp[] = [];
  /** Number of the first operation in #ops. */
  #firstOp: number;
  #lastOp: number;
  #marks: RoutesMark[] = [];

  /** `lastOp`: the last number that is not to be used again. */
  constructor(lastOp = 0) {
    this.#firstOp = lastOp + 1;
    this.#lastOp = lastOp;
  }

  get lastOp(): number {
    return this.#lastOp;
  }

  append(ops: readonly RouteOp[], digest: Digest, count: number): void {
    for (const op of ops) this.#ops.push(op);
    this.#lastOp += ops.length;
    this.#marks.push({ op: this.#lastOp, count, digest });
    if (this.#marks.length > 2 * MARKS_MAX) this.#marks = this.#marks.slice(-MARKS_MAX);
    if (this.#ops.length > LOG_OPS_MAX) this.#drop(this.#ops.length - LOG_OPS_MAX / 2);
  }

  /** Whether operation `op` and all later ones are here; true for the one after the last. */
  holds(op: number): boolean {
    return op >= this.#firstOp;
  }

  slice(first: number, last: number): readonly WireRouteOp[] {
    return this.#ops.slice(first - this.#firstOp, last - this.#firstOp + 1);
  }

  /** Confirmed up to `op`: a margin stays, for a peer whose confirmation got lost with its connection. */
  forget(op: number): void {
    const gone = op - this.#firstOp + 1 - LOG_OPS_MAX / 4;
    if (gone > LOG_OPS_MAX / 8) this.#drop(gone);
  }

  /** Whether a peer that holds `have` can go on from there. Digests are compared at equal numbers only. */
  agrees(have: RoutesMark, now: RoutesMark, equals: (a: Digest, b: Digest) => boolean): boolean {
    if (have.op > this.#lastOp || !this.holds(have.op + 1)) return false;
    const mark = have.op === now.op ? now : this.#marks.find((known) => known.op === have.op);
    return mark !== undefined && mark.count === have.count && equals(mark.digest, have.digest);
  }

  #drop(count: number): void {
    this.#ops = this.#ops.slice(count);
    this.#firstOp += count;
  }
}
