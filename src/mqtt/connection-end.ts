/** How a connection ended, and what a session says and does about it. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { DialProblem } from "./dial-problem.ts";
import { reasonText, refusesForGood, SESSION_TAKEN_OVER } from "./reason-code.ts";

export type ConnectionEnd =
  /** It was never open. */
  | { readonly kind: "undialled"; readonly problem: DialProblem }
  | { readonly kind: "tls"; readonly reason: string }
  /** Closed, or 10 s of nothing, before a CONNACK. */
  | { readonly kind: "silent"; readonly reason: string }
  /** CONNACK with a reason code. */
  | { readonly kind: "refused"; readonly reasonCode: number }
  /** DISCONNECT from the broker. */
  | { readonly kind: "disconnected"; readonly reasonCode: number }
  | { readonly kind: "lost"; readonly reason: string }
  /** We closed it. */
  | { readonly kind: "closed" };

/** Whose broker it is: the codes differ. */
export type Side = "local" | "peer";

export interface Diagnosis {
  readonly code: ErrorCode;
  readonly reason: string;
  /** Trying again soon cannot help, or does harm. */
  readonly slow: boolean;
}

interface SideCodes {
  readonly unreachable: ErrorCode;
  readonly refused: ErrorCode;
  readonly tls: ErrorCode;
  readonly taken: ErrorCode;
}

const CODES: Readonly<Record<Side, SideCodes>> = {
  local: {
    unreachable: "LOCAL_UNREACHABLE",
    refused: "LOCAL_REFUSED",
    tls: "LOCAL_TLS",
    taken: "LOCAL_SESSION_TAKEN",
  },
  peer: {
    unreachable: "PEER_UNREACHABLE",
    refused: "PEER_LOGIN_REFUSED",
    tls: "PEER_TLS",
    taken: "PEER_SESSION_TAKEN",
  },
};

export function diagnose(end: ConnectionEnd, side: Side): Diagnosis {
  const codes = CODES[side];
  switch (end.kind) {
    case "undialled": {
      const { kind, reason } = end.problem;
      return { code: codes[kind], reason, slow: kind === "refused" };
    }
    case "tls":
      return { code: codes.tls, reason: `TLS failed: ${end.reason}`, slow: false };
    case "silent":
    case "lost":
      return { code: codes.unreachable, reason: end.reason, slow: false };
    case "refused": {
      const reason = `the broker refused the connection: ${reasonText(end.reasonCode)}`;
      return { code: codes.refused, reason, slow: refusesForGood(end.reasonCode) };
    }
    case "disconnected": {
      if (end.reasonCode === SESSION_TAKEN_OVER) {
        // Two that take one session from each other at full speed serve nobody.
        return { code: codes.taken, reason: "session taken over", slow: true };
      }
      const reason = `the broker ended the connection: ${reasonText(end.reasonCode)}`;
      const refused = refusesForGood(end.reasonCode);
      return { code: refused ? codes.refused : codes.unreachable, reason, slow: refused };
    }
    case "closed":
      return { code: codes.unreachable, reason: "closed", slow: false };
  }
}
