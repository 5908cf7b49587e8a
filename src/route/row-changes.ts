/**
 * Rows of the subscription table that came or went since they were last taken. One that is as it was comes too: a walk
 * through all rows may have seen it, or missed it, in between.
 */
export interface Row {
  readonly client: string;
  /** As the client wrote it, `$share/group/filter` included. */
  readonly filter: string;
}

/** A row that is interest, for people's questions. */
export interface Holder extends Row {
  /** In canonical form, without the group. */
  readonly asked: string;
  /** `unknown`: nothing was heard of its connection. */
  readonly state: "connected" | "away" | "unknown";
  /** It was seen held since events may have been missed last. */
  readonly proven: boolean;
}

export interface RowChange extends Row {
  readonly isHeld: boolean;
}

export class RowChanges {
  #pending = new Map<string, RowChange>();

  note(client: string, filter: string, isHeld: boolean): void {
    this.#pending.set(`${client.length} ${client}${filter}`, { client, filter, isHeld });
  }

  take(): Iterable<RowChange> {
    if (this.#pending.size === 0) return [];
    const taken = this.#pending;
    this.#pending = new Map();
    return taken.values();
  }
}
