/** What the hub reports to whoever runs it: one value per state change, for the log; numbers are in the status. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { WideReason } from "../route/interest-event.ts";

export type HubEvent =
  | {
      readonly type: "link_state";
      readonly link: string;
      readonly half: "out" | "in";
      readonly from: string;
      readonly to: string;
      readonly why: string;
    }
  | {
      readonly type: "link_status";
      readonly link: string;
      readonly from: LinkStatusWord;
      readonly to: LinkStatusWord;
      readonly why: string;
    }
  | { readonly type: "interest"; readonly from: WideReason | "exact"; readonly to: WideReason | "exact" }
  | {
      readonly type: "problem";
      readonly link: string | null;
      readonly code: ErrorCode;
      readonly reason: string;
    }
  | { readonly type: "routes_expired"; readonly link: string; readonly count: number }
  /** Our route that the peer cannot serve (or can again). */
  | {
      readonly type: "route_refused";
      readonly link: string;
      readonly filter: string;
      readonly reasonCode: number;
      readonly refused: boolean;
    }
  /** A demand of ours that the local broker refuses (or takes again). */
  | {
      readonly type: "demand_refused";
      readonly link: string;
      readonly filter: string;
      readonly reasonCode: number;
      readonly refused: boolean;
    }
  /** A message that never came through to the peer was given up, so that the others can. */
  | { readonly type: "message_refused"; readonly link: string; readonly topic: string; readonly number: number }
  | { readonly type: "foreign_loop"; readonly link: string; readonly topic: string };

/** EMQX's words for a link, here true for both halves. */
export type LinkStatusWord = "connected" | "connecting" | "disconnected" | "inconsistent";
