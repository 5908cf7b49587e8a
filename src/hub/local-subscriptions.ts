/**
 * Brings what the peers want to the local broker: each step of the demand is saved before it leaves, all of it is subscribed
 * again when events about it may have been missed, and peers are told what the broker refuses. Pure.
 */
import type { Demand } from "../route/demand.ts";
import type { DemandStep } from "../route/demand-step.ts";
import type { Outlet } from "./outlet.ts";
import { Resubscription } from "./resubscription.ts";
import { type Save, saveDemandChanges } from "./saved-state.ts";

export interface RefusalTeller {
  refuseRoute(filter: string, reasonCode: number, refused: boolean): void;
}

export class LocalSubscriptions {
  readonly #demand: Demand;
  readonly #outlet: Outlet;
  readonly #save: Save;
  readonly #peers: ReadonlyMap<string, RefusalTeller>;
  readonly #resubscription = new Resubscription();

  constructor(demand: Demand, outlet: Outlet, save: Save, peers: ReadonlyMap<string, RefusalTeller>) {
    this.#demand = demand;
    this.#outlet = outlet;
    this.#save = save;
    this.#peers = peers;
  }

  get deadlineMs(): number {
    return Math.min(this.#demand.deadlineMs, this.#resubscription.deadlineMs);
  }

  /** The broker is to announce our own subscriptions anew, soon. */
  wantAgain(nowMs: number): void {
    this.#resubscription.wanted(nowMs);
  }

  tick(nowMs: number): void {
    if (this.#resubscription.take(nowMs)) this.#demand.resubscribe();
  }

  /** `isUp`: the data session is connected. */
  flush(isUp: boolean, nowMs: number): void {
    for (let step = isUp ? this.#demand.next(nowMs) : null; step !== null; step = this.#demand.next(nowMs)) {
      saveDemandChanges(this.#save, this.#demand.memory);
      this.#take(step);
    }
    saveDemandChanges(this.#save, this.#demand.memory);
  }

  /** After the flush, in which what is refused may have changed. */
  tellRefusals(): void {
    for (const { peer, filter, reasonCode, refused, news } of this.#demand.refusals()) {
      this.#peers.get(peer)?.refuseRoute(filter, reasonCode, refused);
      if (news) this.#outlet.report({ type: "demand_refused", link: peer, filter, reasonCode, refused });
    }
  }

  #take(step: DemandStep): void {
    switch (step.kind) {
      case "subscribe":
        this.#outlet.subscribe(step.batch, step.filters);
        break;
      case "unsubscribe":
        this.#outlet.unsubscribe(step.batch, step.filters);
        break;
      case "marker":
        this.#outlet.sendMarker(step.marker);
        break;
    }
  }
}
