/** Which local clients ask for a filter, as rows for people. */
import type { Holder } from "../route/row-changes.ts";
import { canonical, splitShared } from "../topic/filter.ts";

export interface ClientRow {
  readonly clientid: string;
  /** As the client wrote it, `$share/group/filter` included. */
  readonly filter: string;
  /** `away`: its session is kept for its return, or has expired. `unknown`: nothing was heard of its connection. */
  readonly state: Holder["state"];
  /** It was seen held since events may have been missed last. */
  readonly certain: boolean;
}

/** `filter` as a client writes it: a shared one means that group alone, a plain one everybody who asks for its messages. */
export function asksFor(holder: Holder, filter: string): boolean {
  return splitShared(filter).group === null ? holder.asked === canonical(filter) : holder.filter === filter;
}

export function clientRow({ client, filter, state, proven }: Holder): ClientRow {
  return { clientid: client, filter, state, certain: proven };
}
