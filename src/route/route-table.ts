/** Which peers want a topic. Answers are cached per topic; a change of an exact filter touches one entry, of a wildcard all. */
import { FilterTrie } from "../topic/trie.ts";

/** Topics remembered: recurring telemetry fits, a flood of fresh topics only costs its own lookups. */
const CACHED_TOPICS_MAX = 10_000;
const NOBODY: readonly string[] = [];

export class RouteTable {
  readonly #peers = new FilterTrie<Set<string>>();
  #cache = new Map<string, readonly string[]>();
  #size = 0;

  /** (peer, filter) pairs. */
  get size(): number {
    return this.#size;
  }

  set(peer: string, filter: string): void {
    let peers = this.#peers.get(filter);
    if (peers === undefined) {
      peers = new Set();
      this.#peers.set(filter, peers);
    }
    if (peers.has(peer)) return;
    peers.add(peer);
    this.#size += 1;
    this.#forget(filter);
  }

  delete(peer: string, filter: string): void {
    const peers = this.#peers.get(filter);
    if (peers === undefined || !peers.delete(peer)) return;
    if (peers.size === 0) this.#peers.delete(filter);
    this.#size -= 1;
    this.#forget(filter);
  }

  /** The peers that want this topic, each once. The array is shared: not to be changed. */
  match(topic: string): readonly string[] {
    const known = this.#cache.get(topic);
    if (known !== undefined) return known;
    const found = new Set<string>();
    this.#peers.match(topic, (peers) => {
      for (const peer of peers) found.add(peer);
    });
    const answer = found.size === 0 ? NOBODY : Object.freeze([...found]);
    if (this.#cache.size >= CACHED_TOPICS_MAX) this.#cache = new Map();
    this.#cache.set(topic, answer);
    return answer;
  }

  #forget(filter: string): void {
    if (filter.includes("+") || filter.includes("#")) this.#cache = new Map();
    else this.#cache.delete(filter);
  }
}
