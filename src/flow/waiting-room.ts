/**
 * Messages that wait until the spool has room (`when_full: backpressure`), neither spooled nor acknowledged. The broker's
 * window bounds them: it sends no more while so many are unacknowledged.
 */
import { Ring } from "../base/ring.ts";
import type { Message } from "../wire/message.ts";
import type { Due } from "./ack-ledger.ts";

/** No window of MQTT is larger (MQTT 5, 3.1.2.11.3). */
const MESSAGES_MAX = 65_535;
/** A broker with a wide window and large messages. */
const BYTES_MAX = 256 * 1024 * 1024;

export interface WaitingMessage {
  readonly message: Message;
  readonly bytes: number;
  readonly due: Due | null;
}

export class WaitingRoom {
  readonly #ring = new Ring<WaitingMessage>(MESSAGES_MAX);
  #bytes = 0;

  get length(): number {
    return this.#ring.length;
  }

  /** Answers false, and takes nothing, at the limit. */
  push(waiting: WaitingMessage): boolean {
    if (this.#bytes + waiting.bytes > BYTES_MAX || !this.#ring.push(waiting)) return false;
    this.#bytes += waiting.bytes;
    return true;
  }

  peek(): WaitingMessage | undefined {
    return this.#ring.peek();
  }

  shift(): void {
    const first = this.#ring.shift();
    if (first !== undefined) this.#bytes -= first.bytes;
  }
}
