/** How often the configuration was read again, and how that went: for the metrics. */

export const RELOAD_RESULTS = ["applied", "unchanged", "invalid", "refused"] as const;
/** `invalid`: it has mistakes. `refused`: it is right, and cannot be taken while the agent runs. */
export type ReloadResult = (typeof RELOAD_RESULTS)[number];

export interface ReloadStatus {
  readonly counts: Readonly<Record<ReloadResult, number>>;
  /** Whether what was read last is in force. */
  readonly lastSucceeded: boolean;
  readonly succeededAtMs: number;
}

export class Reloads {
  readonly #counts: Record<ReloadResult, number> = { applied: 0, unchanged: 0, invalid: 0, refused: 0 };
  #lastSucceeded = true;
  #succeededAtMs: number;

  /** `nowMs`: the agent starts, with a configuration that is right. */
  constructor(nowMs: number) {
    this.#succeededAtMs = nowMs;
  }

  get status(): ReloadStatus {
    return { counts: { ...this.#counts }, lastSucceeded: this.#lastSucceeded, succeededAtMs: this.#succeededAtMs };
  }

  ended(result: ReloadResult, nowMs: number): void {
    this.#counts[result] += 1;
    this.#lastSucceeded = result === "applied" || result === "unchanged";
    if (this.#lastSucceeded) this.#succeededAtMs = nowMs;
  }
}
