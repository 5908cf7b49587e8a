/**
 * Log lines that wait, in order, until it is known how to read them. At the limit all that waits is dropped and `missed`
 * says so: what is left of a stream with a hole in it proves nothing.
 */
export interface HeldLine {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Some 40,000 lines; a line is at most 999 bytes. */
export const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** What a line costs beside its bytes. */
const LINE_OVERHEAD_BYTES = 64;

export class HeldLines {
  #lines: HeldLine[] = [];
  #bytes = 0;
  #missed = false;

  push(line: HeldLine): void {
    // A copy: the caller may use its buffer again.
    this.#lines.push({ topic: line.topic, payload: new Uint8Array(line.payload) });
    this.#bytes += line.payload.length + LINE_OVERHEAD_BYTES;
    if (this.#bytes <= HELD_BYTES_MAX) return;
    this.#lines = [];
    this.#bytes = 0;
    this.#missed = true;
  }

  /** All that waited, and whether lines before them were dropped. Empty afterwards. */
  take(): { readonly lines: readonly HeldLine[]; readonly missed: boolean } {
    const taken = { lines: this.#lines, missed: this.#missed };
    this.clear();
    return taken;
  }

  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
    this.#missed = false;
  }
}
