/** One page of EMQX's `GET /api/v5/subscriptions`. Pure: bytes in, rows out. */
import { filterProblem } from "../topic/filter.ts";
import { filterAsked } from "./client-event.ts";
import { asRecord, type OwnRecord, ownFlag, ownList, ownNumber, ownText, ownValue, parseRecord } from "./own-json.ts";

export interface ListedRow {
  readonly client: string;
  readonly filter: string;
}

export interface SubscriptionPage {
  readonly rows: readonly ListedRow[];
  /** Rows that are none, with what they hold. */
  readonly odd: readonly string[];
  /** Of the page itself, odd ones included. */
  readonly length: number;
  /** Of the whole list; null: not told (filtered lists, durable sessions). */
  readonly count: number | null;
  readonly hasNext: boolean;
}

/** Holds what subscribes inside the broker under no client id, as `explain` shows it. */
const NO_CLIENT = "(no client id)";
const CLIENT_BYTES_MAX = 65_535;
/** Ten thousand rows with filters of six kilobytes. */
export const PAGE_BYTES_MAX = 64 * 1024 * 1024;
/** Enough of an odd row to recognise it in a log. */
const ODD_LENGTH_MAX = 1_000;

/** Null: not such a page. */
export function parseSubscriptionPage(body: Uint8Array): SubscriptionPage | null {
  const record = parseRecord(body, PAGE_BYTES_MAX);
  const data = record === null ? null : ownList(record, "data");
  const meta = record === null ? null : asRecord(ownValue(record, "meta"));
  const hasNext = meta === null ? null : ownFlag(meta, "hasnext");
  if (data === null || meta === null || hasNext === null) return null;
  const rows: ListedRow[] = [];
  const odd: string[] = [];
  for (const entry of data) {
    const item = asRecord(entry);
    const row = item === null ? null : listedRow(item);
    if (row === null) odd.push((JSON.stringify(entry) ?? "").slice(0, ODD_LENGTH_MAX));
    else rows.push(row);
  }
  return { rows, odd, length: data.length, count: ownNumber(meta, "count"), hasNext };
}

function listedRow(item: OwnRecord): ListedRow | null {
  const topic = ownText(item, "topic");
  const filter = topic === null ? null : filterAsked(topic);
  if (filter === null || filterProblem(filter) !== null) return null;
  const named = ownValue(item, "clientid");
  if (named === null || named === undefined || named === "") return { client: NO_CLIENT, filter };
  if (typeof named !== "string" || named.length > CLIENT_BYTES_MAX) return null;
  return { client: named, filter };
}
