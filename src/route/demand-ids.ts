/**
 * The subscription identifiers of our own filters and which of them counts for a topic.
 *
 *   pending ──SUBACK──▶ live ──marker──▶ retiring ──UNSUBACK──▶ gone
 *
 * Identifiers only grow and are never reused (MQTT-3.8.2.1.2 allows 1 to 268,435,455).
 */
import { assert } from "../base/assert.ts";
import { FilterTrie } from "../topic/trie.ts";

/** A filter to subscribe with its MQTT 5 subscription identifier. */
export interface DemandFilter {
  readonly filter: string;
  readonly id: number;
}

export type DemandState = "pending" | "live" | "retiring";

const ID_MAX = 268_435_455;
/** Topics whose choice is remembered between changes. */
const CHOICES_MAX = 10_000;
const RANK: Readonly<Record<DemandState, number>> = { live: 0, pending: 1, retiring: 2 };

interface Entry {
  readonly filter: string;
  readonly id: number;
  state: DemandState;
  /** Whether it was asked for more than once: the broker may hold it whatever it answers to the last SUBSCRIBE. */
  repeated: boolean;
}

export class DemandIds {
  readonly #entries = new FilterTrie<Entry>();
  readonly #byFilter = new Map<string, Entry>();
  #lastId = 0;
  #choices = new Map<string, number | null>();

  get size(): number {
    return this.#byFilter.size;
  }

  stateOf(filter: string): DemandState | null {
    return this.#byFilter.get(filter)?.state ?? null;
  }

  /**
   * The filter is about to be subscribed; answers its identifier, a known one unless it was retiring. A live one stays so:
   * if it fell behind another for a while, of two copies of one message both could count, or neither.
   */
  pending(filter: string): number {
    const known = this.#byFilter.get(filter);
    if (known !== undefined && known.state !== "retiring") {
      known.repeated = true;
      return known.id;
    }
    this.#lastId += 1;
    assert(this.#lastId <= ID_MAX, "subscription identifiers used up");
    const entry: Entry = { filter, id: this.#lastId, state: "pending", repeated: false };
    this.#byFilter.set(filter, entry);
    this.#entries.set(filter, entry);
    this.#choices = new Map();
    return entry.id;
  }

  live(filter: string): void {
    const entry = this.#byFilter.get(filter);
    if (entry !== undefined) this.#set(entry, "live");
  }

  retire(filter: string): void {
    const entry = this.#byFilter.get(filter);
    if (entry !== undefined) this.#set(entry, "retiring");
  }

  /** Whether the broker may hold the filter even if it refuses it now. */
  mayBeHeld(filter: string): boolean {
    return this.#byFilter.get(filter)?.repeated === true;
  }

  remove(filter: string): void {
    if (!this.#byFilter.delete(filter)) return;
    this.#entries.delete(filter);
    this.#choices = new Map();
  }

  /** The broker forgot everything. */
  allPending(): void {
    for (const entry of this.#byFilter.values()) entry.state = "pending";
    this.#choices = new Map();
  }

  ascending(): string[] {
    return [...this.#byFilter.values()].sort((a, b) => a.id - b.id).map(({ filter }) => filter);
  }

  /** The identifier whose copy of a message on this topic counts, or null when no filter of ours matches. */
  chosen(topic: string): number | null {
    const known = this.#choices.get(topic);
    if (known !== undefined) return known;
    let best: Entry | null = null;
    this.#entries.match(topic, (entry) => {
      if (best === null || RANK[entry.state] < RANK[best.state] || (entry.state === best.state && entry.id < best.id))
        best = entry;
    });
    const id = best === null ? null : (best as Entry).id;
    if (this.#choices.size >= CHOICES_MAX) this.#choices = new Map();
    this.#choices.set(topic, id);
    return id;
  }

  #set(entry: Entry, state: DemandState): void {
    if (entry.state === state) return;
    entry.state = state;
    this.#choices = new Map();
  }
}
