/**
 * What one peer's routes mean for our own subscriptions: each is cut to the link's export list, counted (several routes
 * may meet one exported filter in the same place), and tied to the demand revision that makes it real. Pure.
 */
import { intersect, matches } from "../topic/algebra.ts";
import { isPlainText } from "../topic/plain-text.ts";

/** Operations waiting for a SUBACK. Past it the youngest wait together: causality gets coarser, never wrong. */
const BARRIERS_MAX = 1_000;

export class PeerDemand {
  #exportFilters: readonly string[];
  #exportsAll: boolean;
  readonly #counts = new Map<string, number>();
  #barriers: { op: number; revision: number }[] = [];
  #readyOp = 0;
  #lastOp = 0;

  constructor(exportFilters: readonly string[]) {
    this.#exportFilters = exportFilters;
    this.#exportsAll = exportFilters.includes("#");
  }

  /** Whether the topic may leave to this peer. */
  exports(topic: string): boolean {
    return this.#exportsAll || this.#exportFilters.some((filter) => matches(filter, topic));
  }

  /** The exported filters that come up or go down with this route of the peer. */
  change(route: string, up: boolean): string[] {
    // A broker may close the connection for it, each time anew; the topics that it matches would not be taken there either.
    if (!isPlainText(route)) return [];
    if (this.#exportsAll) return [route];
    const changed: string[] = [];
    for (const filter of this.#exportFilters) {
      const met = intersect(filter, route);
      if (met === null) continue;
      const before = this.#counts.get(met) ?? 0;
      const after = before + (up ? 1 : -1);
      if (after <= 0) this.#counts.delete(met);
      else this.#counts.set(met, after);
      if (before === 0 || after === 0) changed.push(met);
    }
    return changed;
  }

  /** Another export list for the same routes of the peer: the exported filters that come up, and those that go down. */
  retarget(
    exportFilters: readonly string[],
    routes: Iterable<string>,
  ): { readonly up: string[]; readonly down: string[] } {
    const standing = [...routes];
    const before = new Set(this.#exportsAll ? standing.filter(isPlainText) : this.#counts.keys());
    this.#exportFilters = exportFilters;
    this.#exportsAll = exportFilters.includes("#");
    this.#counts.clear();
    const after = new Set(standing.flatMap((route) => this.change(route, true)));
    return {
      up: [...after].filter((filter) => !before.has(filter)),
      down: [...before].filter((filter) => !after.has(filter)),
    };
  }

  /** The peer's operations up to `op` are applied, and in force once the demand reaches `revision`. */
  applied(op: number, revision: number): void {
    if (op === this.#lastOp) return;
    this.#lastOp = op;
    const last = this.#barriers.at(-1);
    if (last !== undefined && (last.revision === revision || this.#barriers.length >= BARRIERS_MAX)) {
      last.op = op;
      last.revision = revision;
    } else {
      this.#barriers.push({ op, revision });
    }
  }

  /** The last operation of the peer that is applied and whose demand the local broker has answered. */
  readyOp(settledRevision: number): number {
    for (;;) {
      const [first] = this.#barriers;
      if (first === undefined || first.revision > settledRevision) return this.#readyOp;
      this.#readyOp = first.op;
      this.#barriers.shift();
    }
  }

  /** Another speaker numbers its operations anew. */
  newSpeaker(): void {
    this.#barriers = [];
    this.#readyOp = 0;
    this.#lastOp = 0;
  }
}
