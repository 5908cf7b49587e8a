/** What a broker has retained, as a short session of its own reads it. */
import type { MessageProperties } from "../wire/message.ts";

export interface StoredMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: MessageProperties | null;
  /** Seconds left when it was read; null: it never expires. */
  readonly expirySeconds: number | null;
}

/**
 * `whole`: everything there was. `cut`: it was more than a reading may bring. `refused`: the broker does not let us read it.
 * `failed`: the broker was not reached, or stopped answering.
 */
export type StoredOutcome = "whole" | "cut" | "refused" | "failed";

export interface StoredAnswer {
  readonly outcome: StoredOutcome;
  readonly messages: readonly StoredMessage[];
}

const PASSED: StoredAnswer = { outcome: "whole", messages: [] };

/** Readings, and markers of theirs, that were asked for and are not answered yet. */
export class StoredReadings {
  readonly #waiting = new Map<number, (answer: StoredAnswer, nowMs: number) => void>();
  readonly #fences: number[] = [];
  #last = 0;

  /** Answers the reading's number. */
  begin(done: (answer: StoredAnswer, nowMs: number) => void): number {
    this.#last += 1;
    this.#waiting.set(this.#last, done);
    return this.#last;
  }

  /** Answers the number of a marker; those of demand are positive. */
  fence(done: (nowMs: number) => void): number {
    const fence = this.begin((_, nowMs) => done(nowMs));
    this.#fences.push(fence);
    return -fence;
  }

  /** The data session's: markers under way do not come. */
  connectionLost(): void {
    for (const fence of this.#fences.splice(0)) this.#waiting.delete(fence);
  }

  /** Answers false for a marker of another owner. */
  passed(marker: number, nowMs: number): boolean {
    if (marker >= 0) return false;
    // They come in order.
    for (let fence = this.#fences.shift(); fence !== undefined && fence < -marker; fence = this.#fences.shift())
      this.#waiting.delete(fence);
    this.answered(-marker, PASSED, nowMs);
    return true;
  }

  answered(reading: number, answer: StoredAnswer, nowMs: number): void {
    const done = this.#waiting.get(reading);
    this.#waiting.delete(reading);
    done?.(answer, nowMs);
  }
}
