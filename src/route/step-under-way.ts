/** The one step that waits for the broker's answer: what it was about, and whether an answer is to it. Pure. */
import type { DemandFilter } from "./demand-ids.ts";
import type { DemandStep } from "./demand-step.ts";

/** A marker that takes longer will not come: the broker keeps the topic from us. Duplicates are then possible, losses not. */
const MARKER_WAIT_MS = 5_000;

interface Subscribing {
  readonly kind: "subscribe";
  readonly filters: readonly string[];
  readonly firstRevision: number;
  readonly sentAtMs: number;
}

interface Marking {
  readonly kind: "marker";
  /** The filters that it retires, each with the revision that stands in for it. */
  readonly drops: ReadonlyMap<string, number>;
  readonly sentAtMs: number;
}

interface Unsubscribing {
  readonly kind: "unsubscribe";
  readonly filters: readonly string[];
}

type Step = Subscribing | Marking | Unsubscribing;

export class StepUnderWay {
  #step: Step | null = null;
  /** Of the step; a marker has a number of the same row. */
  #number = 0;

  get isNone(): boolean {
    return this.#step === null;
  }

  /** When the step is given up; Infinity: it is waited for. */
  get deadlineMs(): number {
    return this.#step?.kind === "marker" ? this.#step.sentAtMs + MARKER_WAIT_MS : Number.POSITIVE_INFINITY;
  }

  /** The first revision that is being subscribed; null: none is. */
  get firstRevision(): number | null {
    return this.#step?.kind === "subscribe" ? this.#step.firstRevision : null;
  }

  subscribe(filters: readonly DemandFilter[], firstRevision: number, nowMs: number): DemandStep {
    this.#step = { kind: "subscribe", filters: filters.map(({ filter }) => filter), firstRevision, sentAtMs: nowMs };
    this.#number += 1;
    return { kind: "subscribe", batch: this.#number, filters };
  }

  unsubscribe(filters: readonly string[]): DemandStep {
    this.#step = { kind: "unsubscribe", filters };
    this.#number += 1;
    return { kind: "unsubscribe", batch: this.#number, filters };
  }

  mark(drops: ReadonlyMap<string, number>, nowMs: number): DemandStep {
    this.#step = { kind: "marker", drops, sentAtMs: nowMs };
    this.#number += 1;
    return { kind: "marker", marker: this.#number };
  }

  /** The step that this is the answer to, done now; null: the answer is late, or to something else. */
  answered<Kind extends Step["kind"]>(kind: Kind, number: number): Extract<Step, { kind: Kind }> | null {
    return number === this.#number ? this.#take(kind) : null;
  }

  /** The marker that will not come any more, given up now. */
  late(nowMs: number): Marking | null {
    return nowMs >= this.deadlineMs ? this.#take("marker") : null;
  }

  /** The connection is lost: what was under way is in doubt. */
  abandoned(): Step | null {
    const step = this.#step;
    this.#step = null;
    return step;
  }

  #take<Kind extends Step["kind"]>(kind: Kind): Extract<Step, { kind: Kind }> | null {
    const step = this.#step;
    if (step === null || !isOf(step, kind)) return null;
    this.#step = null;
    return step;
  }
}

function isOf<Kind extends Step["kind"]>(step: Step, kind: Kind): step is Extract<Step, { kind: Kind }> {
  return step.kind === kind;
}
