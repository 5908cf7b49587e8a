/**
 * Which life of which agent we are, in every conversation of this process. Pure: the start time, the random instance
 * and what a disk remembers come in from outside.
 *
 * Two agents with one cluster name push each other out for ever, each adopting the other's incarnation plus one. A
 * clock that went back needs one adoption for each peer, before that peer has ever accepted this life. Being pushed out
 * *after* that, several times in a row, means a double.
 */
import type { Speaker } from "../wire/message.ts";

/** As many adoptions within the window as no clock explains. */
const ADOPTIONS_MAX = 3;
const ADOPTION_WINDOW_MS = 60_000;
/** One for each peer at most, if every peer remembers another life: more in a second, and a peer drives us in a circle. */
const ADOPTIONS_PER_SECOND_MAX = 100;
const SECOND_MS = 1_000;
/** How long a double keeps quiet before it tries again: long enough for the other one to be seen working. */
const DUPLICATE_PAUSE_MS = 60_000;

export class Identity {
  readonly instance: string;
  #incarnation: number;
  #adoptedAtMs: number[] = [];
  #secondFromMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #duplicateUntilMs = 0;
  /** Highest incarnation of the other agent that a peer has named; null: no pause is to be followed. */
  #othersHighest: number | null = null;

  constructor(instance: string, incarnation: number) {
    this.instance = instance;
    this.#incarnation = incarnation;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  speaker(): Speaker {
    return { incarnation: this.#incarnation, instance: this.instance };
  }

  isMe(speaker: Speaker): boolean {
    return speaker.instance === this.instance && speaker.incarnation === this.#incarnation;
  }

  /**
   * The peer has seen a higher incarnation of this cluster: take the next one. `pushedOut`: it had accepted this life
   * before. Answers whether anything changed: not a hundred times a second, and not past the largest number.
   */
  adopt(highest: number, pushedOut: boolean, nowMs: number): boolean {
    if (highest < this.#incarnation || highest >= Number.MAX_SAFE_INTEGER) return false;
    if (Math.abs(nowMs - this.#secondFromMs) >= SECOND_MS) {
      this.#secondFromMs = nowMs;
      this.#inSecond = 0;
    }
    if (this.#inSecond === ADOPTIONS_PER_SECOND_MAX) return false;
    this.#inSecond += 1;
    this.#incarnation = highest + 1;
    if (!pushedOut) return true;
    this.#adoptedAtMs = this.#adoptedAtMs.filter((atMs) => nowMs - atMs < ADOPTION_WINDOW_MS);
    this.#adoptedAtMs.push(nowMs);
    if (this.#adoptedAtMs.length >= ADOPTIONS_MAX) {
      this.#adoptedAtMs = [];
      this.declareDuplicate(highest, nowMs);
    }
    return true;
  }

  /** Another living agent speaks in our name; a peer listens to its incarnation `highest`. */
  declareDuplicate(highest: number, nowMs: number): void {
    this.#duplicateUntilMs = nowMs + DUPLICATE_PAUSE_MS;
    this.#othersHighest = Math.max(highest, this.#othersHighest ?? 0);
  }

  /**
   * The pause may be over: takes an incarnation that the peers will listen to, or a double that is gone would be listened to
   * for ever. Answers whether anything changed.
   */
  resume(nowMs: number): boolean {
    const highest = this.#othersHighest;
    if (highest === null || this.isDuplicate(nowMs)) return false;
    this.#othersHighest = null;
    return this.adopt(highest, false, nowMs);
  }

  /** When a double may speak again; in the past: we are not one. */
  get duplicateUntilMs(): number {
    return this.#duplicateUntilMs;
  }

  isDuplicate(nowMs: number): boolean {
    return nowMs < this.#duplicateUntilMs;
  }
}
