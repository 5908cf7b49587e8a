/** What a broker's answer to a published control message means for the link: the mistakes an operator can mend, named. */
import type { ErrorCode } from "../base/error-codes.ts";

/** MQTT 5, 3.4.2.1: nobody is subscribed. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
const NOT_AUTHORIZED = 0x87;

export interface ControlProblem {
  readonly code: ErrorCode;
  readonly reason: string;
}

export function controlProblem(link: string, reasonCode: number): ControlProblem | null {
  if (reasonCode === NO_MATCHING_SUBSCRIBERS) {
    return { code: "PEER_SILENT", reason: `no agent of cluster "${link}" listens on its broker` };
  }
  return deniedBy(link, reasonCode);
}

/** Null: the broker takes our control messages. */
export function deniedBy(link: string, reasonCode: number): ControlProblem | null {
  if (reasonCode === NOT_AUTHORIZED) {
    return {
      code: "CONTROL_DENIED",
      reason: `the broker denies publishing on the control topics of link "${link}" (0x87, not authorized)`,
    };
  }
  if (reasonCode >= 0x80) {
    return {
      code: "CONTROL_DENIED",
      reason: `the broker refuses control messages of link "${link}" with 0x${reasonCode.toString(16)}`,
    };
  }
  return null;
}
