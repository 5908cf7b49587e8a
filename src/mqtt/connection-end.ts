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
  /** The broker closed it without a word, after it stood. */
  | { readonly kind: "dropped"; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string }
  /** We closed it. */
  | { readonly kind: "closed" };

/**
 * How a connection that stood was lost. `lost`: the path or the broker's silence; `dropped`: the broker closed it without a
 * word; `ended`: with one; `taken_over`: for another client with our id.
 */
export type LossReason = "lost" | "dropped" | "ended" | "taken_over" | "tls";

export function lossReason(end: ConnectionEnd): LossReason {
  switch (end.kind) {
    case "dropped":
      return "dropped";
    case "tls":
      return "tls";
    case "disconnected":
      return end.reasonCode === SESSION_TAKEN_OVER ? "taken_over" : "ended";
    case "undialled":
    case "silent":
    case "refused":
    case "lost":
    case "closed":
      return "lost";
  }
}

/** Whose broker it is: the codes differ. */
export type Side = "local" | "peer";

export interface Diagnosis {
  readonly code: ErrorCode;
  readonly reason: string;
  /**
   * `slow`: trying again soon cannot help, or does harm. `calm`: it may, but what looks like a rival must not be fought at full
   * speed.
   */
  readonly retry: "soon" | "calm" | "slow";
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

/**
 * A broker that gives a session to another client with the same id tells the first one so only in MQTT 5, and Mosquitto
 * 2.0.11 not even there. What it looks like: connecting works every time, and does not last. Fewer in a row may be restarts,
 * and so may more: a link that flaps looks the same. Hence it is named, and tried again a little later than else, not much.
 */
const DROPS_MAX = 5;

/** `dropsInARow`: connections until now, this one included, that ended as `dropped` soon after they stood, with no failed attempt between. */
export function diagnose(end: ConnectionEnd, side: Side, dropsInARow: number): Diagnosis {
  const codes = CODES[side];
  switch (end.kind) {
    case "undialled": {
      const { kind, reason } = end.problem;
      return { code: codes[kind], reason, retry: kind === "refused" ? "slow" : "soon" };
    }
    case "tls":
      return { code: codes.tls, reason: `TLS failed: ${end.reason}`, retry: "soon" };
    case "dropped": {
      if (dropsInARow < DROPS_MAX) return { code: codes.unreachable, reason: end.reason, retry: "soon" };
      const reason = `${end.reason} soon after it stood, ${dropsInARow} times in a row: another client may use the same client id`;
      return { code: codes.taken, reason, retry: "calm" };
    }
    case "silent":
    case "lost":
      return { code: codes.unreachable, reason: end.reason, retry: "soon" };
    case "refused": {
      const reason = `the broker refused the connection: ${reasonText(end.reasonCode)}`;
      return { code: codes.refused, reason, retry: refusesForGood(end.reasonCode) ? "slow" : "soon" };
    }
    case "disconnected": {
      if (end.reasonCode === SESSION_TAKEN_OVER) {
        // Two that take one session from each other at full speed serve nobody.
        return { code: codes.taken, reason: "session taken over", retry: "slow" };
      }
      const reason = `the broker ended the connection: ${reasonText(end.reasonCode)}`;
      const refused = refusesForGood(end.reasonCode);
      return { code: refused ? codes.refused : codes.unreachable, reason, retry: refused ? "slow" : "soon" };
    }
    case "closed":
      return { code: codes.unreachable, reason: "closed", retry: "soon" };
  }
}
