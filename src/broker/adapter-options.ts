/**
 * What every broker adapter is built with. Owns the shape only; `registry.ts` picks the adapter.
 */
import type { AdapterSink } from "./adapter.ts";
import type { EmqxApiOptions } from "./emqx.ts";

export interface AdapterOptions {
  readonly cluster: string;
  readonly controlPrefix: string;
  readonly sink: AdapterSink;
  /** Uniform in [0, 1). Names the probe, so that nobody can print its answer before it was asked. */
  readonly random: () => number;
  /** For `events` only: the filter on which the broker's plugin or rule publishes. */
  readonly eventsTopic?: string | null;
  /** For `static` only: valid filters. */
  readonly filters?: readonly string[];
  /** For `emqx` only: where to read the list of subscriptions, and how often. */
  readonly api?: EmqxApiOptions | null;
  /** Clients remembered by name; `CLIENTS_MAX` unless told. */
  readonly clientsMax?: number;
}

/** At about 100 bytes each this is 20 MB: more connected clients than one sidecar's broker is likely to have. */
export const CLIENTS_MAX = 200_000;
