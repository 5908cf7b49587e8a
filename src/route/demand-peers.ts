/** Which peer wants which filters, each peer's kept within its budget. Decides nothing about subscriptions. */
import { type BudgetChange, FilterBudget } from "./budget.ts";
import type { DemandOptions } from "./demand-step.ts";

interface PeerWants {
  readonly wanted: Set<string>;
  readonly budget: FilterBudget;
}

export class DemandPeers {
  readonly #limits: DemandOptions;
  readonly #peers = new Map<string, PeerWants>();

  constructor(limits: DemandOptions) {
    this.#limits = limits;
  }

  /** How many peers want so much that their filters were widened. */
  get widened(): number {
    let widened = 0;
    for (const { budget } of this.#peers.values()) if (budget.widened) widened += 1;
    return widened;
  }

  wants(peer: string, filter: string): boolean {
    return this.#peers.get(peer)?.wanted.has(filter) ?? false;
  }

  /** Null: it was wanted already. */
  add(peer: string, filter: string): BudgetChange | null {
    let wants = this.#peers.get(peer);
    if (wants === undefined) {
      const { filtersMaxPerPeer, filtersMaxOf } = this.#limits;
      wants = { wanted: new Set(), budget: new FilterBudget(filtersMaxOf?.get(peer) ?? filtersMaxPerPeer) };
      this.#peers.set(peer, wants);
    }
    if (wants.wanted.has(filter)) return null;
    wants.wanted.add(filter);
    return wants.budget.add(filter);
  }

  /** Null: it was not wanted. */
  remove(peer: string, filter: string): BudgetChange | null {
    const wants = this.#peers.get(peer);
    if (wants === undefined || !wants.wanted.delete(filter)) return null;
    if (wants.wanted.size === 0) this.#peers.delete(peer);
    return wants.budget.remove(filter);
  }

  /** The peers that `filter` is subscribed for, or may be. */
  *wanting(filter: string): Generator<string> {
    for (const [peer, { wanted, budget }] of this.#peers) if (wanted.has(filter) || budget.widened) yield peer;
  }
}
