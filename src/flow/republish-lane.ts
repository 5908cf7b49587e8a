/** What of one stream waits for the local broker, in order. What was under way when the broker went away goes again first. */
import { Ring } from "../base/ring.ts";
import type { LanePace } from "./lane-pace.ts";
import type { Pending } from "./republish-queue.ts";

export class RepublishLane {
  readonly key: string;
  /** Which of the peer's lives the messages are of. */
  readonly life: number;
  readonly pace: LanePace;
  /** Messages that wait or are under way. */
  open = 0;
  readonly #fresh: Ring<Pending>;
  #again: Pending[] = [];

  constructor(key: string, life: number, pace: LanePace, itemsMax: number) {
    this.key = key;
    this.life = life;
    this.pace = pace;
    this.#fresh = new Ring<Pending>(itemsMax);
  }

  get length(): number {
    return this.#fresh.length + this.#again.length;
  }

  /** Of the next one; Infinity: none waits. */
  get place(): number {
    return this.#first?.place ?? Number.POSITIVE_INFINITY;
  }

  add(pending: Pending): void {
    this.open += 1;
    this.#fresh.push(pending);
  }

  /** How many may go now. To be asked also when none waits: that ends a backlog. */
  allowance(nowMs: number): number {
    return Math.min(this.length, this.pace.allowance(this.#first?.cameAtMs ?? null, nowMs));
  }

  take(): Pending | undefined {
    return this.#again.shift() ?? this.#fresh.shift();
  }

  /** In its place: answers come in any order, and the messages must not change theirs. */
  putBack(pending: Pending): void {
    const before = this.#again.findLastIndex(({ place }) => place < pending.place);
    this.#again.splice(before + 1, 0, pending);
  }

  get #first(): Pending | undefined {
    return this.#again[0] ?? this.#fresh.peek();
  }
}
