/** EMQX's reasons for refusing our greeting, in the words of our own protocol and for an operator. */
import type { ErrorCode } from "../base/error-codes.ts";
import type { AckResult } from "../wire/message.ts";

export interface EmqxRefusal {
  /** What the hub's greeting is answered with; null: it has no word for it. */
  readonly result: AckResult | null;
  /** Null: the hub's own words say it all. */
  readonly problem: { readonly code: ErrorCode; readonly reason: string } | null;
}

export function emqxRefusal(reason: string, me: string, peer: string): EmqxRefusal {
  switch (reason) {
    case "unknown_cluster":
      return { result: "unknown_link", problem: null };
    case "cluster_link_disabled":
      return { result: "link_disabled", problem: null };
    case "bad_remote_cluster_link_name": {
      const text = `the EMQX cluster there is not named "${peer}": its cluster.name is another`;
      return { result: "wrong_name", problem: { code: "WRONG_NAME", reason: text } };
    }
    default: {
      const text = `EMQX cluster "${peer}" refuses the link of cluster "${me}": ${reason}`;
      return { result: null, problem: { code: "CONTROL_DENIED", reason: text } };
    }
  }
}
