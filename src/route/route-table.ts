/**
 * Which peers want a topic: the filters of all peers, and the answers for topics seen lately. One lookup per message, so
 * that an answer given before costs one hash and no allocation. Knows nothing of why a peer holds a filter.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { canonical } from "../topic/filter.ts";
import { FilterTrie } from "../topic/trie.ts";

/** Most traffic is on few topics: these take some megabytes, and a miss costs microseconds. */
const CACHED_TOPICS_MAX = 10_000;
/** Longer topics are looked up each time: 10,000 of the longest ones would take 1.3 GB. */
const CACHED_TOPIC_UNITS_MAX = 512;
/** Different sets of peers known at a time; past it two equal ones may take memory twice, no more. */
const PEER_LISTS_MAX = 1_000;

const NOBODY: readonly string[] = Object.freeze([]);

export class RouteTable {
  /** Filters without wildcards, apart: found at once, and in less memory than the trie takes. */
  readonly #exact = new Map<string, readonly string[]>();
  readonly #wildcard = new FilterTrie<readonly string[]>();
  /** Sorted frozen lists of peers by their names: a million filters of one peer share one. */
  readonly #lists = new BoundedMap<string, readonly string[]>(PEER_LISTS_MAX);
  readonly #answers = new BoundedMap<string, readonly string[]>(CACHED_TOPICS_MAX);
  #size = 0;
  #changes = 0;

  /** How many (peer, filter) pairs there are. */
  get size(): number {
    return this.#size;
  }

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  /** How many answers are remembered. */
  get cached(): number {
    return this.#answers.size;
  }

  /** Setting a pair that is there changes nothing. */
  set(peer: string, filter: string): void {
    const own = canonical(filter);
    const peers = this.#peersOf(own);
    if (peers.includes(peer)) return;
    this.#size += 1;
    this.#put(own, this.#listOf([...peers, peer]));
  }

  /** Answers false when the pair was not there. */
  delete(peer: string, filter: string): boolean {
    const own = canonical(filter);
    const peers = this.#peersOf(own);
    if (!peers.includes(peer)) return false;
    this.#size -= 1;
    this.#put(own, this.#listOf(peers.filter((name) => name !== peer)));
    return true;
  }

  /** Takes the peer out of the whole table; costs the table's size. Answers how many filters it had. */
  dropPeer(peer: string): number {
    const filters: string[] = [];
    for (const [filter, peers] of this.#exact) if (peers.includes(peer)) filters.push(filter);
    this.#wildcard.coveredBy("#", (peers, filter) => {
      if (peers.includes(peer)) filters.push(filter);
    });
    for (const filter of filters) this.delete(peer, filter);
    return filters.length;
  }

  /** The peers that want `topic`, each once, sorted; frozen. */
  match(topic: string): readonly string[] {
    const known = this.#answers.touch(topic);
    if (known !== undefined) return known;
    const peers = this.#lookUp(topic);
    if (topic.length <= CACHED_TOPIC_UNITS_MAX) this.#answers.set(topic, peers);
    return peers;
  }

  /** Visits each filter that matches `topic` with its peers, in no set order. For an operator's question: remembers nothing. */
  visit(topic: string, visit: (filter: string, peers: readonly string[]) => void): void {
    const exact = this.#exact.get(topic);
    if (exact !== undefined) visit(topic, exact);
    this.#wildcard.match(topic, (peers, filter) => visit(filter, peers));
  }

  #peersOf(filter: string): readonly string[] {
    return (hasWildcard(filter) ? this.#wildcard.get(filter) : this.#exact.get(filter)) ?? NOBODY;
  }

  #put(filter: string, peers: readonly string[]): void {
    this.#changes += 1;
    if (hasWildcard(filter)) {
      if (peers === NOBODY) this.#wildcard.delete(filter);
      else this.#wildcard.set(filter, peers);
      if (this.#answers.size > 0) this.#answers.clear();
    } else {
      if (peers === NOBODY) this.#exact.delete(filter);
      else this.#exact.set(filter, peers);
      this.#answers.delete(filter);
    }
  }

  #lookUp(topic: string): readonly string[] {
    let first = this.#exact.get(topic) ?? NOBODY;
    const others = new Set<readonly string[]>();
    this.#wildcard.match(topic, (peers) => {
      if (first === NOBODY) first = peers;
      else if (peers !== first) others.add(peers);
    });
    if (others.size === 0) return first;
    return this.#listOf([...new Set([first, ...others].flat())]);
  }

  #listOf(peers: readonly string[]): readonly string[] {
    if (peers.length === 0) return NOBODY;
    const sorted = [...peers].sort();
    // A cluster's name has no space.
    const key = sorted.join(" ");
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    this.#lists.set(key, Object.freeze(sorted));
    return sorted;
  }
}

function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.includes("#");
}
