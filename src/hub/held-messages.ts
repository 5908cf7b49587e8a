/**
 * Reliable messages that no route asks for, shortly after a restart: the local broker delivers what it had queued before
 * the peers have said again what they want. They wait until all have, or for a minute. Pure, bounded.
 */
import type { AckLedger, Due } from "../flow/ack-ledger.ts";
import type { Message } from "../wire/message.ts";

/** A peer that has not spoken by then may be away for long. */
const HOLD_MS = 60_000;
const MESSAGES_MAX = 10_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** Those held unacknowledged must not fill the broker's window (Mosquitto: 20), or nothing else would arrive meanwhile. */
const UNACKNOWLEDGED_MAX = 10;

export interface Held {
  readonly message: Message;
  readonly due: Due | null;
}

export class HeldMessages {
  readonly #ledger: AckLedger;
  #untilMs: number;
  #held: Held[] = [];
  #bytes = 0;
  #unacknowledged = 0;

  /** `isRestart`: whether anything may be waiting for peers. */
  constructor(ledger: AckLedger, isRestart: boolean, nowMs: number) {
    this.#ledger = ledger;
    this.#untilMs = isRestart ? nowMs + HOLD_MS : Number.NEGATIVE_INFINITY;
  }

  get isHolding(): boolean {
    return this.#untilMs !== Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.#held.length;
  }

  get deadlineMs(): number {
    return this.isHolding ? this.#untilMs : Number.POSITIVE_INFINITY;
  }

  /** Answers false at the limit. */
  add(message: Message, due: Due | null): boolean {
    const bytes = message.topic.length + message.payload.length;
    if (this.#held.length === MESSAGES_MAX || this.#bytes + bytes > BYTES_MAX) return false;
    this.#bytes += bytes;
    const kept = due !== null && this.#unacknowledged < UNACKNOWLEDGED_MAX ? due : null;
    if (kept !== null) {
      this.#ledger.hold(kept);
      this.#unacknowledged += 1;
    }
    this.#held.push({ message, due: kept });
    return true;
  }

  /** All of them, in their order: whoever takes them puts back, with `add`, what waits on, and then calls `taken`. */
  take(): readonly Held[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    this.#unacknowledged = 0;
    return held;
  }

  /** The hold on a message that `take` handed out is over. */
  taken({ due }: Held): void {
    if (due !== null) this.#ledger.done(due);
  }

  /** Every peer has said what it wants, or had its time. */
  end(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}
