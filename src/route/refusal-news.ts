/** What peers have to be told of filters that the local broker refuses, or does not refuse any more. */
import type { DemandPeers } from "./demand-peers.ts";
import type { DemandRefusal } from "./demand-step.ts";
import type { RefusedFilters } from "./refused-filters.ts";

/** With more refusals than a peer keeps they are not repeated at each retry, only so many when it listens anew. */
const REPEATED_MAX = 100;

export class RefusalNews {
  readonly #peers: DemandPeers;
  readonly #refused: RefusedFilters;
  #news: DemandRefusal[] = [];

  constructor(peers: DemandPeers, refused: RefusedFilters) {
    this.#peers = peers;
    this.#refused = refused;
  }

  /** What was not told yet. */
  take(): DemandRefusal[] {
    return this.#news.splice(0);
  }

  /** One peer wants a refused filter, or does not want it any more. */
  tellPeer(peer: string, filter: string, refused: boolean): void {
    const reasonCode = this.#refused.reasonCode(filter);
    if (reasonCode !== undefined) this.#news.push({ peer, filter, reasonCode, refused, news: true });
  }

  /** The broker refuses the filter. `news`: it did not before. */
  refuses(filter: string, reasonCode: number, news: boolean): void {
    if (news || this.#refused.size <= REPEATED_MAX) this.#tell(filter, reasonCode, true, news);
  }

  serves(filter: string, reasonCode: number): void {
    this.#tell(filter, reasonCode, false, true);
  }

  /** The peer may not know what was said before: it is said again. */
  repeat(peer: string): void {
    let repeated = 0;
    for (const [filter, reasonCode] of this.#refused) {
      if (repeated === REPEATED_MAX) return;
      if (!this.#peers.wants(peer, filter)) continue;
      repeated += 1;
      this.#news.push({ peer, filter, reasonCode, refused: true, news: false });
    }
  }

  #tell(filter: string, reasonCode: number, refused: boolean, news: boolean): void {
    for (const peer of this.#peers.wanting(filter)) this.#news.push({ peer, filter, reasonCode, refused, news });
  }
}
