/** QoS 0 messages that wait for a congested connection: bounded in number and bytes, the oldest makes room. */
import { assert } from "../base/assert.ts";
import { Ring } from "../base/ring.ts";
import type { FramedMessage, Message } from "../wire/message.ts";
import { aged } from "./expiry.ts";

const MESSAGES_MAX = 20_000;
/** No less than the largest frame, so that every message has room once the others are gone. */
const BYTES_MAX = 16 * 1024 * 1024;

export interface BestEffort {
  readonly message: Message;
  /** In a frame. */
  readonly bytes: number;
  readonly queuedAtMs: number;
}

export class BestEffortQueue {
  readonly #ring = new Ring<BestEffort>(MESSAGES_MAX);
  #bytes = 0;

  get length(): number {
    return this.#ring.length;
  }

  /** Answers how many older ones it pushed out. */
  push(entry: BestEffort): number {
    let pushedOut = 0;
    while (this.#bytes + entry.bytes > BYTES_MAX || !this.#ring.push(entry)) {
      assert(this.shift() !== undefined, "no message is larger than the queue");
      pushedOut += 1;
    }
    this.#bytes += entry.bytes;
    return pushedOut;
  }

  /** Adds what has room to a frame of so many bytes; answers how many it has then, and how many messages had expired. */
  fill(
    frame: FramedMessage[],
    bytes: number,
    room: { readonly messages: number; readonly bytes: number },
    nowMs: number,
  ): { readonly bytes: number; readonly expired: number } {
    let [filled, expired] = [bytes, 0];
    while (frame.length < room.messages) {
      const queued = this.peek();
      if (queued === undefined || (frame.length > 0 && filled + queued.bytes > room.bytes)) break;
      this.shift();
      const message = aged(queued.message, nowMs - queued.queuedAtMs);
      if (message === null) {
        expired += 1;
        continue;
      }
      frame.push({ number: null, message, origin: null });
      filled += queued.bytes;
    }
    return { bytes: filled, expired };
  }

  peek(): BestEffort | undefined {
    return this.#ring.peek();
  }

  shift(): BestEffort | undefined {
    const oldest = this.#ring.shift();
    if (oldest !== undefined) this.#bytes -= oldest.bytes;
    return oldest;
  }

  clear(): void {
    this.#ring.clear();
    this.#bytes = 0;
  }
}
