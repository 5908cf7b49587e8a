/** Losses that somebody can mend, kinds of one turn, in words that do not change while they last; the others are only counted. */
const TEXTS: Readonly<Record<string, string>> = {
  too_large: "a message was dropped that is larger than the peer or a broker on the way takes",
  refused_by_broker: "the local broker refused a message of the peer, which was dropped",
};

export class MendableLosses {
  readonly #texts = new Set<string>();

  lost(reason: string): void {
    const text = TEXTS[reason];
    if (text !== undefined) this.#texts.add(text);
  }

  /** What was lost since the last time. */
  take(): string[] {
    const texts = [...this.#texts];
    this.#texts.clear();
    return texts;
  }
}
