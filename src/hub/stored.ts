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

/** Readings that were asked for and are not answered yet. */
export class StoredReadings {
  readonly #waiting = new Map<number, (answer: StoredAnswer, nowMs: number) => void>();
  #last = 0;

  /** Answers the reading's number. */
  begin(done: (answer: StoredAnswer, nowMs: number) => void): number {
    this.#last += 1;
    this.#waiting.set(this.#last, done);
    return this.#last;
  }

  answered(reading: number, answer: StoredAnswer, nowMs: number): void {
    const done = this.#waiting.get(reading);
    this.#waiting.delete(reading);
    done?.(answer, nowMs);
  }
}
