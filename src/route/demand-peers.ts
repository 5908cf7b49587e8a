/** Which peer wants which filters, each peer's kept within its budget. Decides nothing about subscriptions. */
import { type BudgetChange, FilterBudget } from "./budget.ts";
import type { DemandOptions } from "./demand-step.ts";

interface PeerWants {
  readonly wanted: Set<string>;
  budget: FilterBudget;
}

export class DemandPeers {
  readonly #limits: DemandOptions;
  readonly #limitOf: Map<string, number>;
  readonly #peers = new Map<string, PeerWants>();

  constructor(limits: DemandOptions) {
    this.#limits = limits;
    this.#limitOf = new Map(limits.filtersMaxOf);
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
      const filtersMax = this.#limitOf.get(peer) ?? this.#limits.filtersMaxPerPeer;
      wants = { wanted: new Set(), budget: new FilterBudget(filtersMax) };
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

  /** Another limit for this peer, from now on: what it makes of the filters it has. Null limit: as for all. */
  limit(peer: string, filtersMax: number | null): BudgetChange {
    if (filtersMax === null) this.#limitOf.delete(peer);
    else this.#limitOf.set(peer, filtersMax);
    const wants = this.#peers.get(peer);
    if (wants === undefined) return { up: [], down: [] };
    const before = new Set(wants.budget.projected());
    wants.budget = new FilterBudget(filtersMax ?? this.#limits.filtersMaxPerPeer);
    for (const filter of wants.wanted) wants.budget.add(filter);
    const after = new Set(wants.budget.projected());
    return {
      up: [...after].filter((filter) => !before.has(filter)),
      down: [...before].filter((filter) => !after.has(filter)),
    };
  }

  /** The peers that `filter` is subscribed for, or may be. */
  *wanting(filter: string): Generator<string> {
    for (const [peer, { wanted, budget }] of this.#peers) if (wanted.has(filter) || budget.widened) yield peer;
  }
}
