/** What it means that a peer refused our hello: a code, and a sentence that names both sides' words. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { AckResult } from "../wire/message.ts";

export interface RefusalNames {
  /** Our own cluster's name. */
  readonly me: string;
  /** The name by which this link knows the peer. */
  readonly peer: string;
}

/** `theirName`: what the answering cluster calls itself. */
export function refusalOf(
  result: Exclude<AckResult, "ok" | "old_incarnation">,
  { me, peer }: RefusalNames,
  theirName: string,
): { readonly code: ErrorCode; readonly reason: string } {
  switch (result) {
    case "unknown_link":
      return { code: "PEER_UNKNOWN_LINK", reason: `cluster "${theirName}" has no link named "${me}"` };
    case "wrong_name":
      return { code: "WRONG_NAME", reason: `the cluster there is named "${theirName}", this link is named "${peer}"` };
    case "link_disabled":
      return { code: "PEER_LINK_DISABLED", reason: `cluster "${theirName}" has its link "${me}" disabled` };
    case "duplicate_agent":
      return { code: "DUPLICATE_AGENT", reason: `another agent speaks to "${theirName}" as cluster "${me}"` };
  }
}
