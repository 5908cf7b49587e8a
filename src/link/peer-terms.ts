/** What the peer's last answer to a greeting says that frames have to keep to, and how long that answer took. */
import type { Compression } from "../wire/compression.ts";
import type { ControlBody } from "../wire/message.ts";

export class PeerTerms {
  #frameBytesMax = 0;
  #expands: readonly Compression[] = [];
  #greetedAtMs = 0;
  #roundTripMs: number | null = null;

  /** The largest frame that it takes; 0 before any answer. */
  get frameBytesMax(): number {
    return this.#frameBytesMax;
  }

  /** The compressions that it expands. */
  get expands(): readonly Compression[] {
    return this.#expands;
  }

  /** From the last greeting to its answer: never less than the way of the answer. Null: there was none. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** A hello leaves, be it again: the answer may be to an earlier one, so this is the least that it can have taken. */
  greets(nowMs: number): void {
    this.#greetedAtMs = nowMs;
  }

  answered({ frameBytesMax, expands = [] }: Extract<ControlBody, { type: "ack" }>, nowMs: number): void {
    this.#frameBytesMax = frameBytesMax;
    this.#expands = expands;
    this.#roundTripMs = Math.max(0, nowMs - this.#greetedAtMs);
  }
}
