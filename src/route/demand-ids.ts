/**
 * The subscription identifiers of our own filters and which of them counts for a topic.
 *
 *   pending ──SUBACK──▶ live ──marker──▶ retiring ──UNSUBACK──▶ gone
 *
 * A filter that is subscribed again while it is live stays live: which copy counts may change at a marker only.
 * Identifiers only grow and are never reused (MQTT-3.8.2.1.2 allows 1 to 268,435,455).
 */
import { assert } from "../base/assert.ts";
import { FilterTrie } from "../topic/trie.ts";
import type { DemandChange, SavedDemand, SavedFilter } from "./saved-demand.ts";

/** A filter to subscribe with its MQTT 5 subscription identifier. */
export interface DemandFilter {
  readonly filter: string;
  readonly id: number;
}

export type DemandState = "pending" | "live" | "retiring";

export const ID_MAX = 268_435_455;
/** Topics whose choice is remembered between changes. */
const CHOICES_MAX = 10_000;
/** Longer topics are looked up each time: 10,000 of the longest ones would take 1.3 GB. */
const CHOICE_TOPIC_UNITS_MAX = 512;
const NO_CHANGES: readonly DemandChange[] = [];
const RANK: Readonly<Record<DemandState, number>> = { live: 0, pending: 1, retiring: 2 };

interface Entry {
  readonly filter: string;
  readonly id: number;
  state: DemandState;
  /** How often it was asked for in this session: after the first time the broker may hold it, whatever it answers. */
  asked: number;
  /** The broker refused it last: that it is held is only possible. */
  refused: boolean;
}

export class DemandIds {
  readonly #entries = new FilterTrie<Entry>();
  readonly #byFilter = new Map<string, Entry>();
  #lastId = 0;
  #choices = new Map<string, number | null>();
  /** Identifiers of retiring filters whose marker did not come: their copies count beside the chosen ones. */
  readonly #doubtful = new Set<number>();

  /** Identifiers that an earlier life had retired: their last copies may not have been taken before it ended. */
  #inherited: ReadonlySet<number> = new Set();
  #changes: DemandChange[] = [];

  get size(): number {
    return this.#byFilter.size;
  }

  /** Highest identifier given so far. */
  get lastId(): number {
    return this.#lastId;
  }

  /** What has to outlive the process. It may change between two steps. */
  *saved(): Generator<SavedFilter> {
    for (const { filter, id, state } of this.#byFilter.values()) yield { filter, id, retiring: state === "retiring" };
  }

  /** What changed since the last call, in order. */
  changes(): readonly DemandChange[] {
    if (this.#changes.length === 0) return NO_CHANGES;
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** What an earlier life asked for: the broker may hold it. */
  restore({ lastId, filters }: SavedDemand): void {
    assert(this.#byFilter.size === 0, "identifiers are restored first");
    this.#lastId = lastId;
    for (const { filter, id, retiring } of filters) {
      const entry: Entry = { filter, id, state: retiring ? "retiring" : "pending", asked: 1, refused: false };
      this.#byFilter.set(filter, entry);
      this.#entries.set(filter, entry);
    }
    this.#inherited = new Set(filters.filter(({ retiring }) => retiring).map(({ id }) => id));
  }

  stateOf(filter: string): DemandState | null {
    return this.#byFilter.get(filter)?.state ?? null;
  }

  /** The filter is about to be subscribed; answers its identifier, a known one unless it was retiring. */
  pending(filter: string): number {
    const known = this.#byFilter.get(filter);
    if (known !== undefined && known.state !== "retiring") {
      known.asked += 1;
      return known.id;
    }
    if (known !== undefined) this.#doubtful.delete(known.id);
    this.#lastId += 1;
    assert(this.#lastId <= ID_MAX, "subscription identifiers used up");
    const entry: Entry = { filter, id: this.#lastId, state: "pending", asked: 1, refused: false };
    this.#byFilter.set(filter, entry);
    this.#entries.set(filter, entry);
    this.#choices = new Map();
    this.#changes.push({ filter, id: entry.id, retiring: false });
    return entry.id;
  }

  live(filter: string): void {
    const entry = this.#byFilter.get(filter);
    if (entry === undefined) return;
    entry.refused = false;
    this.#set(entry, "live");
  }

  /** `proven`: its marker came back, so that every message whose copy it had to give was received before. */
  retire(filter: string, proven: boolean): void {
    const entry = this.#byFilter.get(filter);
    if (entry === undefined) return;
    this.#set(entry, "retiring");
    this.#changes.push({ filter, id: entry.id, retiring: true });
    if (!proven) this.#doubtful.add(entry.id);
  }

  /** Whether the broker holds the filter, or is asked to: nothing more has to be sent for it. */
  isAskedFor(filter: string): boolean {
    const entry = this.#byFilter.get(filter);
    return entry !== undefined && entry.state !== "retiring" && !entry.refused;
  }

  /** The broker refuses the filter: it is gone, unless the broker may hold it from an earlier SUBSCRIBE. Answers whether it may. */
  refuse(filter: string): boolean {
    const entry = this.#byFilter.get(filter);
    if (entry === undefined) return false;
    entry.refused = true;
    if (entry.asked > 1) return true;
    this.remove(filter);
    return false;
  }

  remove(filter: string): void {
    const entry = this.#byFilter.get(filter);
    if (entry === undefined) return;
    this.#byFilter.delete(filter);
    this.#entries.delete(filter);
    this.#doubtful.delete(entry.id);
    this.#choices = new Map();
    this.#changes.push({ filter, id: null, retiring: false });
  }

  /** The broker forgot everything. */
  allPending(): void {
    for (const entry of this.#byFilter.values()) {
      entry.state = "pending";
      entry.asked = 0;
      entry.refused = false;
    }
    this.#doubtful.clear();
    this.#inherited = new Set();
    this.#choices = new Map();
  }

  ascending(): string[] {
    return [...this.#byFilter.values()].sort((a, b) => a.id - b.id).map(({ filter }) => filter);
  }

  /** Whether a copy with these identifiers counts. */
  accepts(topic: string, ids: readonly number[]): boolean {
    const chosen = this.chosen(topic);
    // None matches: a copy of a filter that is gone. Whoever wants the topic again has a filter of its own on its way.
    if (chosen !== null && ids.includes(chosen)) return true;
    if (this.#doubtful.size > 0 && ids.some((id) => this.#doubtful.has(id))) return true;
    return this.#inherited.size > 0 && ids.some((id) => this.#inherited.has(id));
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
    if (topic.length > CHOICE_TOPIC_UNITS_MAX) return id;
    if (this.#choices.size >= CHOICES_MAX) this.#choices = new Map();
    this.#choices.set(topic, id);
    return id;
  }

  /** Whether the broker brings us what is published on `topic`, as far as it has said so. */
  heldFor(topic: string): "held" | "pending" | "refused" | "none" {
    let held: "held" | "pending" | "refused" | "none" = "none";
    this.#entries.match(topic, ({ state, refused }) => {
      if (state !== "pending") held = "held";
      else if (held !== "held" && held !== "pending") held = refused ? "refused" : "pending";
    });
    return held;
  }

  #set(entry: Entry, state: DemandState): void {
    if (entry.state === state) return;
    entry.state = state;
    this.#choices = new Map();
  }
}
