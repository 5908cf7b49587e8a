/** What outlives the process of the filters that it asked of the local broker. */

export interface SavedFilter {
  readonly filter: string;
  readonly id: number;
  /** Its replacements count, and it is to be unsubscribed. */
  readonly retiring: boolean;
}

export interface SavedDemand {
  /** Highest identifier given so far, to whatever filter. */
  readonly lastId: number;
  readonly filters: readonly SavedFilter[];
}

/** A filter is about to be asked for, or to be given up, or is gone (id null). */
export interface DemandChange {
  readonly filter: string;
  readonly id: number | null;
  readonly retiring: boolean;
}
