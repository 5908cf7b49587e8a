/** What goes wrong with one link: the last problem is kept, each is reported, and losses of one turn are one problem. Pure. */
import { MendableLosses } from "./mendable-losses.ts";
import type { Outlet } from "./outlet.ts";
import type { ProblemStatus } from "./status.ts";

export class LinkProblems {
  readonly #link: string;
  readonly #outlet: Outlet;
  readonly #losses = new MendableLosses();
  #last: ProblemStatus | null = null;

  constructor(link: string, outlet: Outlet) {
    this.#link = link;
    this.#outlet = outlet;
  }

  get last(): ProblemStatus | null {
    return this.#last;
  }

  found(code: ProblemStatus["code"], reason: string, nowMs: number): void {
    this.#last = { code, reason, atMs: nowMs };
    this.#outlet.report({ type: "problem", link: this.#link, code, reason });
  }

  /** Messages were dropped, for a reason that somebody may be able to mend: told at the end of the turn. */
  lost(direction: "out" | "in", reason: string): void {
    // What never came through to the peer's broker is a problem of its own, with the topic.
    if (direction === "in" || reason !== "refused_by_broker") this.#losses.lost(reason);
  }

  flush(nowMs: number): void {
    for (const reason of this.#losses.take()) this.found("MESSAGE_REFUSED", reason, nowMs);
  }
}
