/** What the two halves of a conversation ask of their owner. Values, so that a simulator can compare, reorder and replay them. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { ControlBody, StatesWord, Trouble } from "../wire/message.ts";

export type LinkOutput =
  | { readonly type: "send"; readonly body: ControlBody }
  /** A change of what the peer wants: filters that came into or went out of force. */
  | { readonly type: "peer_route"; readonly filter: string; readonly up: boolean }
  /** The peer confirmed messages of a stream. */
  | {
      readonly type: "settled";
      readonly stream: string;
      readonly upTo: number;
      readonly ranges: readonly (readonly [number, number])[];
    }
  /** The peer cannot serve one of our routes, or can again. */
  | {
      readonly type: "refused";
      readonly filter: string;
      readonly reasonCode: number;
      readonly refused: boolean;
    }
  /** What does not work, by the peer's word; it holds until the next. */
  | { readonly type: "trouble"; readonly trouble: Trouble }
  /** What the peer makes of states; null: it knows nothing of them. */
  | { readonly type: "states"; readonly word: StatesWord | null }
  | {
      readonly type: "state";
      readonly half: "out" | "in";
      readonly from: string;
      readonly to: string;
      readonly why: string;
    }
  | { readonly type: "problem"; readonly code: ErrorCode; readonly reason: string }
  /** The peer's agent said hello to us, in this life or a new one. */
  | { readonly type: "peer_greeted" }
  /** This agent took another incarnation: its other conversations have to begin again too. */
  | { readonly type: "identity_changed" }
  /** The peer starts from nothing or from another life: what it had not confirmed goes again. */
  | { readonly type: "peer_restarted" }
  /** Routes that were in force ended without a word of the peer. */
  | { readonly type: "routes_expired"; readonly count: number }
  /** Something to count: `conversation_<what>`. */
  | { readonly type: "count"; readonly what: CountedWhat };

export type CountedWhat =
  | "hello_sent"
  | "ack_stale"
  | "bootstrap_sent"
  | "bootstrap_done"
  | "bootstrap_received"
  | "digest_mismatch"
  | "resend"
  | "late_message"
  | "old_incarnation"
  | "bad_message"
  | "optional_skipped"
  | "again_received"
  | "heartbeat_missed"
  | "routes_overflow";
