/** How large frames may be: what the peer and the broker on the way have said, and what a refusal has taught. Pure. */

/** A frame closes at this size: large enough to pay for itself, small enough to leave other links their turn. */
const FRAME_BYTES = 64 * 1024;
/** Until the peer and its broker have named their limits: the wire format's own. */
const FRAME_BYTES_CAP = 16 * 1024 * 1024;

export class FrameLimits {
  /** Of any frame, hence of a message that is alone in one. */
  #frameBytesMax = FRAME_BYTES_CAP;
  /** Less than half a frame that a broker refused for its size: its limit is not always announced. */
  #batchBytesMax = FRAME_BYTES;

  /** The peer and its broker name theirs, as of now. */
  named(frameBytesMax: number): void {
    this.#frameBytesMax = Math.min(frameBytesMax, FRAME_BYTES_CAP);
  }

  /** Of a message alone. */
  get messageBytesMax(): number {
    return this.#frameBytesMax;
  }

  /** Of several messages in one frame. */
  get batchBytesMax(): number {
    return Math.min(this.#batchBytesMax, this.#frameBytesMax);
  }

  /** A frame of several messages was too large for a broker. */
  refusedBatch(bytes: number): void {
    this.#batchBytesMax = Math.max(Math.min(this.#batchBytesMax, bytes >> 1), 1);
  }

  /** A message alone was: so are larger ones. */
  refusedMessage(bytes: number): void {
    this.#frameBytesMax = Math.min(this.#frameBytesMax, bytes - 1);
  }
}
