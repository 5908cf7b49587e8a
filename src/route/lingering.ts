/**
 * Interest whose last holder left goes down a little later: a client that comes back and subscribes again within a second
 * finds its route standing, where a new one would leave a gap of a few round trips. Only the edges wait; what is held is
 * known at once, so the comparison with the broker's counter sees nothing of it. Pure.
 */
import type { InterestEdge } from "./interest-event.ts";

/** A second for the client, and what may lie between the broker's two lines about it. */
const LINGER_MS = 1_500;
/** Ends are rounded up to this: ten thousand clients that leave one by one are a few turns, not ten thousand. */
const STEP_MS = 250;

export const LINGERING_MAX = 100_000;

interface Lingering {
  readonly edge: InterestEdge;
  readonly untilMs: number;
}

export class LingeringEdges {
  readonly #max: number;
  /** In the order of their ends, since all wait equally long. */
  readonly #pairs = new Map<string, Lingering>();
  #overflows = 0;

  /** `max`: pairs of filter and group that wait at once; what leaves beyond that goes down at once. */
  constructor(max = LINGERING_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#pairs.size;
  }

  /** How many went down at once because too many waited. */
  get overflows(): number {
    return this.#overflows;
  }

  get deadlineMs(): number {
    for (const { untilMs } of this.#pairs.values()) return untilMs;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Answers what of `edges` is to be told now. `isLeft`: what goes down goes because its client left, not because it said
   * so. A pair in `edges` comes up or goes down, not both.
   */
  pass(edges: readonly InterestEdge[], isLeft: boolean, nowMs: number): readonly InterestEdge[] {
    if (edges.length === 0 || (!isLeft && this.#pairs.size === 0)) return edges;
    return edges.filter((edge) => (edge.up ? !this.#pairs.delete(keyOf(edge)) : !isLeft || !this.#keep(edge, nowMs)));
  }

  /** What is up although nobody holds it. */
  *up(): Generator<InterestEdge> {
    for (const { edge } of this.#pairs.values()) yield { ...edge, up: true };
  }

  /** What has waited long enough goes down. */
  due(nowMs: number): InterestEdge[] {
    const edges: InterestEdge[] = [];
    for (const [key, { edge, untilMs }] of this.#pairs) {
      if (untilMs > nowMs) break;
      this.#pairs.delete(key);
      edges.push(edge);
    }
    return edges;
  }

  #keep(edge: InterestEdge, nowMs: number): boolean {
    if (this.#pairs.size >= this.#max) {
      this.#overflows += 1;
      return false;
    }
    this.#pairs.set(keyOf(edge), { edge, untilMs: Math.ceil((nowMs + LINGER_MS) / STEP_MS) * STEP_MS });
    return true;
  }
}

/** No filter of an edge begins with `$`, and no group has a slash. */
function keyOf({ filter, group }: InterestEdge): string {
  return group === null ? filter : `$share/${group}/${filter}`;
}
