/** Plays the broker's part for a Demand, step by step. */
import { Demand } from "../../src/route/demand.ts";
import type { DemandStep } from "../../src/route/demand-step.ts";

export function demand(filtersMaxPerPeer = 1_000): Demand {
  const made = new Demand({ filtersMaxPerPeer });
  made.connected(false, true, 0);
  return made;
}

/** What the step asks for, in one line. */
export function shown(step: DemandStep | null): string {
  if (step === null) return "nothing";
  switch (step.kind) {
    case "subscribe":
      return `subscribe ${step.filters.map(({ filter, id }) => `${filter}=${id}`).join(" ")}`;
    case "unsubscribe":
      return `unsubscribe ${step.filters.join(" ")}`;
    case "marker":
      return "marker";
  }
}

/** Asks for the next step and answers it as a broker that refuses `refused`. */
export function answer(made: Demand, nowMs: number, refused: readonly string[] = []): string {
  const step = made.next(nowMs);
  if (step?.kind === "subscribe")
    made.subscribed(
      step.batch,
      step.filters.map(({ filter }) => (refused.includes(filter) ? 0x87 : 1)),
      nowMs,
    );
  else if (step?.kind === "unsubscribe") made.unsubscribed(step.batch, [], nowMs);
  else if (step?.kind === "marker") made.markerArrived(step.marker, nowMs);
  return shown(step);
}

/** All steps until nothing is to be done. */
export function steps(made: Demand, nowMs = 0, refused: readonly string[] = []): string[] {
  const done: string[] = [];
  for (let line = answer(made, nowMs, refused); line !== "nothing"; line = answer(made, nowMs, refused))
    done.push(line);
  return done;
}

export const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `n/${from + i}`);
