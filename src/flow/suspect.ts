/**
 * Finds the message that makes its frame get lost on the way each time: a broker there may have limits that it does not
 * tell. Everything behind such a frame waits for it. Pure.
 *
 *   a frame missed 3 times ─▶ half as many messages to a frame ─▶ … ─▶ one alone, missed 3 times
 *                          ─▶ the peer is greeted anew and answers ─▶ missed 3 times more ─▶ given up
 *
 * A peer that is away or slow must cost nothing. So a try counts only if the peer was heard after it, any word of the peer
 * about the stream (it answers for what it has in hand, too) starts the count again, and in the end it has to answer a
 * greeting that left behind the message, on the same connection: the way is open, and the message did not come through.
 * Nor must it be the way of all messages that is closed, by an access list: between any two that are given up others come
 * through, or none is.
 */

const TRIES = 3;
/** However swiftly the tries went: a broker that drops what it is too busy for recovers within this time. */
const SUSPECTED_MIN_MS = 60_000;

/** A message that was given up because it never came through. */
export interface RefusedMessage {
  readonly number: number;
  readonly topic: string;
}

export class Suspect {
  /** Those that its owner has not named yet. */
  readonly refused: RefusedMessage[] = [];
  /** The oldest message that is not settled, and the last one of the frame that was missed first; 0: nothing is suspected. */
  #first = 0;
  #last = 0;
  #messagesMax = Number.POSITIVE_INFINITY;
  #tries = 0;
  #sinceMs = 0;
  #proof: "none" | "wanted" | "asked" | "given" = "none";
  /** Something of the stream has come through since the last message was given up. */
  #passes = false;

  /** How many messages a frame that begins with this number may have. */
  messagesMax(number: number): number {
    return number >= this.#first && number <= this.#last ? this.#messagesMax : Number.POSITIVE_INFINITY;
  }

  /** A frame from `first` to `last` was sent, the peer was heard since, and says nothing of it. Answers whether `first` is to be given up. */
  missed(first: number, last: number, nowMs: number): boolean {
    if (first > this.#last) {
      this.#last = last;
      this.#messagesMax = last - first + 1;
    }
    if (first !== this.#first) {
      this.#first = first;
      this.#sinceMs = nowMs;
      this.doubt();
    }
    this.#tries += 1;
    if (this.#tries < TRIES) return false;
    if (this.#messagesMax > 1) {
      this.#messagesMax = Math.ceil(this.#messagesMax / 2);
      this.#tries = 0;
      return false;
    }
    if (this.#proof === "none") this.#proof = "wanted";
    if (this.#proof !== "given" || !this.#passes || nowMs - this.#sinceMs < SUSPECTED_MIN_MS) return false;
    this.#passes = false;
    return true;
  }

  /** Whether the peer has to be greeted: answers true once. */
  takeProofRequest(): boolean {
    if (this.#proof !== "wanted") return false;
    this.#proof = "asked";
    return true;
  }

  /** The peer has answered a greeting. */
  answered(): void {
    if (this.#proof !== "asked") return;
    this.#proof = "given";
    this.#tries = 0;
  }

  /** The peer spoke of the stream: it has what is under way, or (`progress`) has settled more of it than before. */
  word(base: number, progress: boolean): void {
    this.doubt();
    if (progress) this.#passes = true;
    if (base > this.#last) this.#last = 0;
  }

  /** What went before proves nothing any more: another connection, another life of the peer. */
  doubt(): void {
    this.#tries = 0;
    this.#proof = "none";
  }
}
