/** What the demand asks of the local broker, step by step, and what it tells of itself. */
import type { DemandFilter } from "./demand-ids.ts";

export interface DemandOptions {
  /** Past it a peer's filters are widened, never refused. */
  readonly filtersMaxPerPeer: number;
  /** Peers with a limit of their own. */
  readonly filtersMaxOf?: ReadonlyMap<string, number>;
}

export type DemandStep =
  | { readonly kind: "subscribe"; readonly batch: number; readonly filters: readonly DemandFilter[] }
  | { readonly kind: "marker"; readonly marker: number }
  | { readonly kind: "unsubscribe"; readonly batch: number; readonly filters: readonly string[] };

/** A peer's filter that the local broker refuses, or does not refuse any more. */
export interface DemandRefusal {
  readonly peer: string;
  readonly filter: string;
  readonly reasonCode: number;
  readonly refused: boolean;
  /** False: said before, and said again in case it got lost. */
  readonly news: boolean;
}

export interface DemandStats {
  readonly filters: number;
  readonly pending: number;
  readonly refused: number;
  readonly markerTimeouts: number;
  readonly widened: number;
}
