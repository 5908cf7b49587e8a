/**
 * What a connection of the events session means for a broker whose events are not queued: whatever happened meanwhile was
 * missed. Decides the reason only.
 */
import type { GapReason } from "../route/interest-event.ts";
import type { EventsUp } from "./adapter.ts";

/** Past this the reason given is the length of the absence. */
const AWAY_MS = 15_000;

/** Null: the first connection ever; the table starts from nothing and knows it. */
export function reconnectGap(first: boolean, how: EventsUp): GapReason | null {
  if (first && !how.sessionPresent) return null;
  // A session found by the first connection of a process follows an earlier life, whose events nobody kept.
  if (first || !how.sessionPresent) return "session_lost";
  return how.awayMs !== null && how.awayMs > AWAY_MS ? "away_too_long" : "events_dropped";
}
