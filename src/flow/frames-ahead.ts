/**
 * Frames that overtook another on the way: their reliable messages wait, by stream and the number they begin with, until
 * what is missing before them has come. Owns the waiting only; how much may wait is the caller's affair.
 */
import type { Frame } from "../wire/message.ts";

export interface WaitingFrame {
  readonly frame: Frame;
  /** As it came over the wire. */
  readonly bytes: number;
  /** How long brokers held it. */
  readonly stayMs: number;
  readonly atMs: number;
  /** It waits for its route operation until then at most. */
  readonly untilMs: number;
}

export class FramesAhead {
  readonly #streams = new Map<string, Map<number, WaitingFrame>>();
  #bytes = 0;
  #size = 0;

  /** Of all that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Of all that wait. */
  get messages(): number {
    let count = 0;
    for (const frames of this.#streams.values())
      for (const { frame } of frames.values()) count += frame.messages.length;
    return count;
  }

  /** The streams of which a frame waits. */
  streams(): string[] {
    return [...this.#streams.keys()];
  }

  /** Answers false, and keeps nothing, when a frame that begins with the same number waits already. */
  keep(first: number, waiting: WaitingFrame): boolean {
    const { stream } = waiting.frame;
    const frames = this.#streams.get(stream) ?? new Map<number, WaitingFrame>();
    if (frames.has(first)) return false;
    this.#streams.set(stream, frames.set(first, waiting));
    this.#bytes += waiting.bytes;
    this.#size += 1;
    return true;
  }

  /** Takes out the frame that goes on with `next`, or repeats what came before it; null: the gap is still open. */
  take(stream: string, next: number): WaitingFrame | null {
    const frames = this.#streams.get(stream);
    if (frames === undefined) return null;
    let first = Number.POSITIVE_INFINITY;
    if (frames.has(next)) first = next;
    else for (const number of frames.keys()) first = Math.min(first, number);
    return first > next ? null : this.#remove(stream, first);
  }

  /** Takes out the frame that has longest to wait: of any stream, the one that begins with the highest number; null: none is there. */
  evict(): WaitingFrame | null {
    let last: { readonly stream: string; readonly first: number } | null = null;
    for (const [stream, frames] of this.#streams) {
      for (const first of frames.keys()) if (last === null || first > last.first) last = { stream, first };
    }
    return last === null ? null : this.#remove(last.stream, last.first);
  }

  forget(stream: string): void {
    for (const { bytes } of this.#streams.get(stream)?.values() ?? []) {
      this.#bytes -= bytes;
      this.#size -= 1;
    }
    this.#streams.delete(stream);
  }

  clear(): void {
    this.#streams.clear();
    this.#bytes = 0;
    this.#size = 0;
  }

  #remove(stream: string, first: number): WaitingFrame | null {
    const frames = this.#streams.get(stream);
    const waiting = frames?.get(first);
    if (frames === undefined || waiting === undefined) return null;
    frames.delete(first);
    if (frames.size === 0) this.#streams.delete(stream);
    this.#bytes -= waiting.bytes;
    this.#size -= 1;
    return waiting;
  }
}
