/**
 * What the loop guard holds, of all topics together: how much that is, which limit it is past, and which hold then ends.
 *
 * The largest one ends, its messages go on in their order, and its topic is watched anew. What circles falls silent as soon as
 * it is held, so its hold stays as small as it began; a hold that grows has a publisher, and the suspicion against the
 * largest is the least founded. It also makes the most room, so that the fewest experiments are spoiled. The oldest hold is the
 * nearest to its verdict, and the youngest may be the circle that was just found: with either of them a circle would go on.
 * Nothing was proven by it, so there is no trust either, which would give a circle of large messages a free run.
 */

/** Messages of one topic that a hold may keep. Past it the hold ends: nothing is lost for a suspicion. */
const TOPIC_MESSAGES_MAX = 10_000;
const TOPIC_BYTES_MAX = 4 * 1024 * 1024;
/** Of all topics of one link. They are acknowledged already: what an agent that is killed loses with them is bounded too. */
const MESSAGES_MAX = 100_000;
const BYTES_MAX = 64 * 1024 * 1024;

/** Why a hold ended before its time: what its topic may have, how many topics there may be, what all together may have. */
export type HoldLimit = "topic_messages" | "topic_bytes" | "topics" | "total_messages" | "total_bytes";

export interface Hold<T> {
  readonly kind: "holding";
  readonly held: { readonly key: string; readonly item: T }[];
  bytes: number;
  readonly sinceMs: number;
  /** When a key last came that had come before. */
  returnedAtMs: number;
  readonly quietMs: number;
  readonly confirmations: number;
}

export interface HoldStatus {
  readonly messages: number;
  readonly bytes: number;
  /** How often a hold ended at a limit. */
  readonly cutShort: readonly { readonly reason: HoldLimit; readonly count: number }[];
}

export class GuardHolds<T> {
  readonly #open = new Map<string, Hold<T>>();
  #messages = 0;
  #bytes = 0;
  readonly #cutShort = new Map<HoldLimit, number>();

  get status(): HoldStatus {
    const cutShort = [...this.#cutShort].map(([reason, count]) => ({ reason, count }));
    return { messages: this.#messages, bytes: this.#bytes, cutShort };
  }

  open(): Iterable<readonly [string, Hold<T>]> {
    return this.#open;
  }

  begin(topic: string, hold: Hold<T>): void {
    this.#open.set(topic, hold);
  }

  add(hold: Hold<T>, key: string, item: T, bytes: number): void {
    hold.held.push({ key, item });
    hold.bytes += bytes;
    this.#messages += 1;
    this.#bytes += bytes;
  }

  end(topic: string, hold: Hold<T>): void {
    this.#open.delete(topic);
    this.#messages -= hold.held.length;
    this.#bytes -= hold.bytes;
  }

  count(limit: HoldLimit): void {
    this.#cutShort.set(limit, (this.#cutShort.get(limit) ?? 0) + 1);
  }

  /** Whether the hold has reached a limit of its topic: then it goes on arriving although it is held. */
  isFull({ held, bytes }: Hold<T>): boolean {
    if (held.length >= TOPIC_MESSAGES_MAX) this.count("topic_messages");
    else if (bytes >= TOPIC_BYTES_MAX) this.count("topic_bytes");
    else return false;
    return true;
  }

  /** Which hold has to end since all together are past a limit. */
  tooMuch(): { readonly topic: string; readonly hold: Hold<T>; readonly limit: HoldLimit } | null {
    const limit = this.#bytes > BYTES_MAX ? "total_bytes" : this.#messages > MESSAGES_MAX ? "total_messages" : null;
    if (limit === null) return null;
    let largest: { topic: string; hold: Hold<T>; limit: HoldLimit } | null = null;
    let most = 0;
    for (const [topic, hold] of this.#open) {
      const size = limit === "total_bytes" ? hold.bytes : hold.held.length;
      if (size <= most) continue;
      most = size;
      largest = { topic, hold, limit };
    }
    return largest;
  }
}
