/** What became of the states of one link. */

/** Ours, why the peer did not get them. */
export type StateOutSkip = "not_own" | "not_exported" | "live" | "expired" | "no_frame_takes_it";
/** The peer's, why the local broker was not given them. */
export type StateInSkip = "not_asked_for" | "live" | "not_theirs" | "same" | "unreadable";

export class StateCounters {
  readings = 0;
  /** Given to the spool. */
  sent = 0;
  /** Published on the local broker. */
  published = 0;
  readonly out: Record<StateOutSkip, number> = {
    not_own: 0,
    not_exported: 0,
    live: 0,
    expired: 0,
    no_frame_takes_it: 0,
  };
  readonly in: Record<StateInSkip, number> = { not_asked_for: 0, live: 0, not_theirs: 0, same: 0, unreadable: 0 };
}
