/**
 * One word for a link, in EMQX's vocabulary but true for both halves: our routes at the peer, and the peer's here. A half
 * whose messages or words are refused on the way does not work either, whatever the conversation believes.
 */
import type { AcceptorState } from "../link/acceptor.ts";
import type { AnnouncerState } from "../link/announcer.ts";
import type { LinkStatusWord } from "./hub-event.ts";
import type { Passage } from "./passage.ts";

/** A half that is still on its way after this long is not coming: several greetings went unanswered. */
const PATIENCE_MS = 15_000;

type Half = "good" | "coming" | "bad";

export interface Halves {
  readonly out: AnnouncerState;
  readonly in: AcceptorState;
  readonly nowMs: number;
}

export class LinkHealth {
  readonly #passage: Passage;
  #word: LinkStatusWord = "connecting";
  #works = { out: false, in: false };
  #transportUp = false;
  #everUp = false;
  /** Since when the transport is as it is, or the link was created. */
  #sinceMs: number;

  constructor(passage: Passage, nowMs: number) {
    this.#passage = passage;
    this.#sinceMs = nowMs;
  }

  get word(): LinkStatusWord {
    return this.#word;
  }

  /** Whether each half did when it was judged last. */
  get works(): { readonly out: boolean; readonly in: boolean } {
    return this.#works;
  }

  get transportUp(): boolean {
    return this.#transportUp;
  }

  transport(up: boolean, nowMs: number): void {
    if (up || this.#transportUp) this.#sinceMs = nowMs;
    this.#transportUp = up;
    this.#everUp ||= up;
  }

  /** Answers whether the word changed. */
  judge(halves: Halves): boolean {
    const before = this.#word;
    this.#word = this.#judged(halves);
    return this.#word !== before;
  }

  /** The reasons for the word, in one line. */
  why({ out, in: incoming }: Pick<Halves, "out" | "in">): string {
    const { outward, inward } = this.#passage;
    const parts = [`out ${out}`, `in ${incoming}`, `transport ${this.#transportUp ? "up" : "down"}`, outward, inward];
    return parts.filter((part) => part !== null).join(", ");
  }

  /** The connection stands and nobody speaks: not every broker says that nobody is subscribed. */
  isUnheard({ out, in: incoming }: Pick<Halves, "out" | "in">): boolean {
    const isWaiting = out === "greeting" || incoming === "silent";
    return this.#transportUp && isWaiting && (this.#word === "disconnected" || this.#word === "inconsistent");
  }

  #judged(halves: Halves): LinkStatusWord {
    const patient = halves.nowMs - this.#sinceMs < PATIENCE_MS;
    const out = this.#passage.outward === null ? outHalf(halves.out, patient) : "bad";
    const incoming = this.#passage.inward === null ? inHalf(halves.in, patient) : "bad";
    this.#works = { out: out === "good", in: incoming === "good" };
    if (!this.#transportUp && !this.#everUp && patient) return "connecting";
    if (out === "good" && incoming === "good") return "connected";
    if (out === "bad" && incoming === "bad") return "disconnected";
    if (out === "coming" || incoming === "coming") return "connecting";
    return "inconsistent";
  }
}

function outHalf(state: AnnouncerState, patient: boolean): Half {
  switch (state) {
    case "online":
      return "good";
    case "bootstrapping":
      return "coming";
    case "greeting":
      return patient ? "coming" : "bad";
    case "idle":
    case "refused":
      return "bad";
  }
}

function inHalf(state: AcceptorState, patient: boolean): Half {
  switch (state) {
    case "online":
      return "good";
    case "none":
    case "greeted":
      return patient ? "coming" : "bad";
    case "silent":
    case "paused":
    case "left":
      return "bad";
  }
}
