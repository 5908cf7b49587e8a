/**
 * Our routes that the peer's broker refuses, as the peer told us. Its word may be lost like any other, so it is repeated
 * while it holds, and believed only as long as it is repeated. Pure.
 */

/** How often a refusal is repeated to the peer whose route it is. */
export const REFUSAL_REPEAT_MS = 20_000;
/** Two repetitions in a row may be lost. */
const BELIEVED_MS = 3 * REFUSAL_REPEAT_MS;
/** Remembered of one link: an operator mends the access list after the first. */
const REFUSED_ROUTES_MAX = 100;

export class RefusedRoutes {
  readonly #routes = new Map<string, { readonly reasonCode: number; readonly untilMs: number }>();

  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#routes.values()) deadlineMs = Math.min(deadlineMs, untilMs);
    return deadlineMs;
  }

  /** Null: the route is served, as far as the peer says. */
  reasonCode(filter: string): number | null {
    return this.#routes.get(filter)?.reasonCode ?? null;
  }

  list(): { readonly filter: string; readonly reasonCode: number }[] {
    return [...this.#routes].map(([filter, { reasonCode }]) => ({ filter, reasonCode }));
  }

  /** The peer refuses the route, or serves it again. `full`: not remembered. */
  told(filter: string, reasonCode: number, refused: boolean, nowMs: number): "news" | "known" | "full" {
    if (!refused) return this.#routes.delete(filter) ? "news" : "known";
    const known = this.#routes.get(filter);
    if (known === undefined && this.#routes.size >= REFUSED_ROUTES_MAX) return "full";
    this.#routes.set(filter, { reasonCode, untilMs: nowMs + BELIEVED_MS });
    return known?.reasonCode === reasonCode ? "known" : "news";
  }

  /** The peer lives anew: what its earlier life could not serve, this one says again. */
  clear(): void {
    this.#routes.clear();
  }

  /** Takes out what the peer has not repeated for a while. */
  expired(nowMs: number): { readonly filter: string; readonly reasonCode: number }[] {
    const gone: { filter: string; reasonCode: number }[] = [];
    for (const [filter, { reasonCode, untilMs }] of this.#routes) {
      if (nowMs < untilMs) continue;
      this.#routes.delete(filter);
      gone.push({ filter, reasonCode });
    }
    return gone;
  }
}
