/**
 * What a broker adapter can say about the subscriptions of local clients.
 *
 * Adapters translate their broker's own lines into these values and decide nothing; `Interest` draws the conclusions.
 * Events are in the order in which the broker produced them.
 */
export type InterestEvent =
  | {
      readonly type: "connected";
      readonly client: string;
      /** True: every earlier subscription of this id is gone (clean start). Null: the broker does not say. */
      readonly cleanStart: boolean | null;
      /** What becomes of the session when the connection ends. */
      readonly session: SessionEnd;
      /** The broker hands over what an earlier connection of the id still holds, whatever was to become of that. */
      readonly takesOver?: boolean;
    }
  /** The connection ended; what that means for the rows depends on `session` of the last "connected". */
  | { readonly type: "disconnected"; readonly client: string }
  /** The session itself ended: all its rows are gone for certain. */
  | { readonly type: "session_ended"; readonly client: string }
  | {
      readonly type: "subscribed";
      readonly client: string;
      /** As the client wrote it, `$share/group/filter` included. */
      readonly filter: string;
      /** False: the line could mean something else too (cut, or ambiguous): it may widen interest but proves nothing. */
      readonly certain: boolean;
      /** It comes from a list of what is held, not from a subscribe. */
      readonly listed?: boolean;
    }
  | {
      readonly type: "unsubscribed";
      readonly client: string;
      readonly filter: string;
      /** False: the line could mean something else too; never taken as an unsubscribe. */
      readonly certain: boolean;
    }
  /** A live counter of the broker at its place among the events: rows held now. Null: not part of this report. */
  | { readonly type: "count"; readonly plain: number | null; readonly shared: number | null }
  /** From here on the adapter goes through the broker's own list of subscriptions; each row on it comes as "subscribed". */
  | { readonly type: "snapshot_begin" }
  /**
   * The list is through. `calm`: nothing moved while it was read, so it holds every row. Else the list was read page by page
   * under changes, and a row that is held all along may have slipped from one page to another between two readings.
   */
  | { readonly type: "snapshot_end"; readonly calm: boolean }
  /** The list could not be read: nothing is known that was not known before. */
  | { readonly type: "snapshot_failed" }
  /** Events may have been missed. */
  | { readonly type: "gap"; readonly reason: GapReason }
  /** The broker restarted: clients that were connected are not any more, sessions without persistence are gone. */
  | { readonly type: "broker_restarted" }
  /** Own probe subscription answered (or did not): the broker announces subscriptions at all (or does not). */
  | { readonly type: "events_enabled"; readonly enabled: boolean };

export type SessionEnd = "with_connection" | "outlives_connection" | "unknown";

export type GapReason =
  | "session_lost"
  | "away_too_long"
  | "events_dropped"
  | "events_unparsable"
  | "broker_restarted"
  /** The events session is away while clients may subscribe. */
  | "adapter_disconnected"
  /** The broker's list of subscriptions, which mends lost events, could not be read for long. */
  | "api_unavailable";

/** Why the agent announces its links' `topics` instead of the exact interest. */
export type WideReason =
  | "starting"
  | "events_disabled"
  | "no_counter"
  | "count_mismatch"
  | "table_full"
  | "ghosts_given_up"
  | GapReason;

/** A (filter, group) pair that the first client holds now, or that the last one let go. `group` null: a plain subscription. */
export interface InterestEdge {
  readonly filter: string;
  readonly group: string | null;
  readonly up: boolean;
}
