/** Notices that operations which heartbeats speak of do not come: the peer must believe that we have them. */

/** What was lost is sent again within seconds; after this it will not be. */
const MISSING_MS = 30_000;

export class MissingOps {
  #afterOp: number | null = null;
  #sinceMs = 0;

  /** A heartbeat speaks of more than `appliedOp`: answers whether nothing has come after it for too long. */
  behind(appliedOp: number, nowMs: number): boolean {
    if (this.#afterOp !== appliedOp) {
      this.#afterOp = appliedOp;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs >= MISSING_MS;
  }

  /** All that is known of has come. */
  none(): void {
    this.#afterOp = null;
  }
}
