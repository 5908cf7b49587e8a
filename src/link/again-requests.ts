/** What we ask the peer to say again, not too often: its answer takes a round trip, and a difference that stays must not become a storm. */
import type { AgainReason, Speaker } from "../wire/message.ts";
import type { LinkOutput } from "./output.ts";

/** A digest that does not fit is repaired by a bootstrap; one that never fits must not become a storm of them. */
const REPAIR_MS = 30_000;
/** The same request to one speaker is not repeated sooner: its answer takes a round trip. */
const AGAIN_MS = 1_000;

export class AgainRequests {
  #lastRepairMs = Number.NEGATIVE_INFINITY;
  #lastAgainMs = Number.NEGATIVE_INFINITY;

  ask(of: Speaker, what: "hello" | "bootstrap", reason: AgainReason, nowMs: number, outputs: LinkOutput[]): void {
    if (nowMs - this.#lastAgainMs < AGAIN_MS) return;
    this.#lastAgainMs = nowMs;
    outputs.push({ type: "send", body: { type: "again", of, what, reason } });
  }

  /** The peer's set and ours differ: the whole set again. */
  repair(of: Speaker, reason: AgainReason, nowMs: number, outputs: LinkOutput[]): void {
    if (nowMs - this.#lastRepairMs < REPAIR_MS) return;
    this.#lastRepairMs = nowMs;
    outputs.push({ type: "send", body: { type: "again", of, what: "bootstrap", reason } });
  }
}
