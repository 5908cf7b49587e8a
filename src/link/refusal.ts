/** What it means that a peer refused our hello: a code, and a sentence that names both sides' words. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { AckResult, ProtocolRange } from "../wire/message.ts";

export interface RefusalNames {
  /** Our own cluster's name. */
  readonly me: string;
  /** The name by which this link knows the peer. */
  readonly peer: string;
}

/** What the answering agent says of itself. */
export interface Answerer extends ProtocolRange {
  readonly name: string;
}

/** `mine`: the protocol version of this agent. */
export function refusalOf(
  result: Exclude<AckResult, "ok" | "old_incarnation">,
  { me, peer }: RefusalNames,
  { name: theirName, ...theirs }: Answerer,
  mine: number,
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
    case "protocol_mismatch":
      return { code: "PROTOCOL_MISMATCH", reason: protocolReason(theirName, theirs, mine) };
    case "unknown":
      return { code: "PROTOCOL_MISMATCH", reason: `cluster "${theirName}" refuses with a reason of a later version` };
  }
}

export function protocolReason(theirName: string, { protocolMin, protocolMax }: ProtocolRange, mine: number): string {
  const theirs = protocolMin === protocolMax ? `${protocolMin}` : `${protocolMin} to ${protocolMax}`;
  return `cluster "${theirName}" speaks protocol ${theirs}, this agent ${mine}`;
}
