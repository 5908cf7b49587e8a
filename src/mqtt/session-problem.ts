/** Why a session is not connected, for its owner and for the operator. */
import type { ErrorCode } from "../base/error-codes.ts";

export interface SessionProblem {
  readonly code: ErrorCode;
  /** A sentence fragment; no secrets. */
  readonly reason: string;
  readonly willRetryInMs: number;
  /** A connection that stood has ended; false: an attempt failed. */
  readonly wasConnected: boolean;
}
