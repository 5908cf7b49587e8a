/** Reliable messages that left and were not answered yet: from where, how many, how many bytes, in which frames. */

/** What the receiver may have to remember, and its broker to queue. */
const MESSAGES_MAX = 2_000;
/** Far below what a receiver keeps of frames that overtook another (16 MiB), and what a connection takes at a time. */
const BYTES_MAX = 4 * 1024 * 1024;

export class UnderWay {
  /** The number to send next. */
  cursor: number;
  #messages = 0;
  #bytes = 0;
  /** Last number of each frame, oldest first. */
  #frames: number[] = [];

  constructor(base: number) {
    this.cursor = base;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Whether one more may leave; a lone one may, however large it is. */
  hasRoomFor(bytes: number): boolean {
    return this.#messages === 0 || (this.#messages < MESSAGES_MAX && this.#bytes + bytes <= BYTES_MAX);
  }

  get frames(): number {
    return this.#frames.length;
  }

  /** The last number of the oldest frame. */
  get oldestEnd(): number | undefined {
    return this.#frames[0];
  }

  /** The message at the cursor leaves. */
  left(bytes: number): void {
    this.cursor += 1;
    this.#messages += 1;
    this.#bytes += bytes;
  }

  /** What left since the last call left in one frame. */
  closeFrame(): void {
    this.#frames.push(this.cursor - 1);
  }

  /** A message before the cursor is not under way any more. */
  landed(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
  }

  /** Nothing is kept below `base`. */
  forget(base: number): void {
    while ((this.#frames[0] ?? Number.POSITIVE_INFINITY) < base) this.#frames.shift();
    this.cursor = Math.max(this.cursor, base);
  }

  /** Back to the oldest message that is not settled. */
  rewind(base: number): void {
    this.cursor = base;
    this.#messages = 0;
    this.#bytes = 0;
    this.#frames = [];
  }
}
