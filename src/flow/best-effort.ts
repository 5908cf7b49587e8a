/** QoS 0 messages that wait for a congested connection: bounded in number and bytes, the oldest makes room. */
import { assert } from "../base/assert.ts";
import { Ring } from "../base/ring.ts";
import type { Message } from "../wire/message.ts";

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
