/** Why links announce all of their topics, in words an operator can act on, and the code of the problem behind it. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { WideReason } from "../route/interest-event.ts";

export interface WideText {
  /** Null: no problem, or one that has its own line. */
  readonly code: ErrorCode | null;
  readonly why: string;
}

export function wideText(reason: WideReason): WideText {
  switch (reason) {
    case "starting":
      return { code: null, why: "who subscribed before this agent came is not known yet" };
    case "events_disabled":
      return { code: null, why: "the local broker does not announce subscriptions" };
    case "no_counter":
      return {
        code: null,
        why: "the local broker gives no count of its subscriptions, so nothing proves them complete",
      };
    case "adapter_disconnected":
      return { code: null, why: "the events session is down" };
    case "count_mismatch":
      return { code: "EVENTS_LOST", why: "the local broker counts other subscriptions than are known" };
    case "table_full":
      return { code: "TABLE_FULL", why: "more subscriptions than the table takes" };
    case "ghosts_given_up":
      return {
        code: "TABLE_FULL",
        why: "subscriptions of clients that left long ago, and that may still be held, were given up for new ones",
      };
    case "session_lost":
      return { code: "LOCAL_SESSION_LOST", why: "the local broker forgot the events session" };
    case "away_too_long":
      return { code: "EVENTS_LOST", why: "the events session was away for longer than the local broker keeps events" };
    case "events_dropped":
      return { code: "EVENTS_LOST", why: "the local broker dropped events" };
    case "events_unparsable":
      return { code: "EVENTS_LOST", why: "an event could not be understood" };
    case "broker_restarted":
      return { code: "EVENTS_LOST", why: "the local broker restarted" };
    case "api_unavailable":
      return { code: null, why: "the local broker's API, which proves the subscriptions complete, does not answer" };
  }
}
