/**
 * One bootstrap on its way to the peer: its parts, how many the peer has confirmed, which are under way. Sends nothing
 * itself: it answers the messages that may go now.
 */
import type { ControlBody, RoutesMark, WireRouteOp } from "../wire/message.ts";

/** Parts under way: what the slowest link holds, and what a broker queues for the peer, stays small. */
const INFLIGHT_MAX = 8;

export class BootstrapParts {
  /** The operation number, count and digest that the parts add up to. */
  readonly mark: RoutesMark;
  readonly #number: number;
  readonly #parts: readonly (readonly WireRouteOp[])[];
  #confirmed = 0;
  #sent = 0;
  /** The end marker is under way too. */
  #ended = false;

  constructor(number: number, parts: readonly (readonly WireRouteOp[])[], mark: RoutesMark) {
    this.#number = number;
    this.#parts = parts;
    this.mark = mark;
  }

  /** Which of the speaker's bootstraps this is. */
  get number(): number {
    return this.#number;
  }

  get length(): number {
    return this.#parts.length;
  }

  /** The peer holds the parts before `nextPart`; answers whether that is news. */
  confirm(nextPart: number): boolean {
    if (nextPart <= this.#confirmed) return false;
    this.#confirmed = nextPart;
    this.#sent = Math.max(this.#sent, nextPart);
    return true;
  }

  /** Whether parts went out that the peer does not have, by its own word. */
  misses(nextPart: number): boolean {
    return nextPart < this.#sent;
  }

  /** What went out from `nextPart` on is taken for lost. */
  rewind(nextPart: number = this.#confirmed): void {
    this.#confirmed = nextPart;
    this.#sent = nextPart;
    this.#ended = false;
  }

  /** The parts that may go now, and behind the last one the end marker. */
  next(): ControlBody[] {
    const bodies: ControlBody[] = [];
    const end = Math.min(this.#parts.length, this.#confirmed + INFLIGHT_MAX);
    for (; this.#sent < end; this.#sent += 1) {
      const ops = this.#parts[this.#sent] ?? [];
      bodies.push({ type: "bootstrap", bootstrap: this.#number, part: this.#sent, ops });
    }
    if (this.#sent === this.#parts.length && !this.#ended) {
      this.#ended = true;
      bodies.push({ type: "bootstrap_end", bootstrap: this.#number, parts: this.#parts.length, mark: this.mark });
    }
    return bodies;
  }
}
