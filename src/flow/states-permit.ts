/**
 * Which states may leave of those that a spool holds. A state that an earlier life of either side was to get may be older than
 * what the peer has by now; all of them are read anew in this one. And a peer that does not ask for states may not know them:
 * it would take a frame with one for rubbish. Pure.
 */
export class StatesPermit {
  /** The peer, as it is now, asks for them. */
  wanted = false;
  #voidUpTo: number;

  /** `voidUpTo`: the last number of an earlier life. */
  constructor(voidUpTo: number) {
    this.#voidUpTo = voidUpTo;
  }

  /** States up to this number are of a life that is over. */
  endLife(lastNumber: number): void {
    this.#voidUpTo = lastNumber;
  }

  lets(number: number): boolean {
    return this.wanted && number > this.#voidUpTo;
  }
}
