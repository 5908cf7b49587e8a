/**
 * The subscription table as it outlives the process: `row/<length of the client id>/<client id>/<filter>`, without a value.
 * Client ids may hold anything, slashes too; their length in UTF-16 units says where the filter begins.
 */
import type { Row, RowChange } from "../route/row-changes.ts";

/** Longer ones are not kept, since a key has 65,535 bytes at most; UTF-8 needs up to three for a unit. */
const ROW_UNITS_MAX = 16_384;
const NOTHING = new Uint8Array(0);
const CLIENT_LENGTH = /^(0|[1-9][0-9]{0,4})\//;

type Save = (key: string, value: Uint8Array | null) => void;

export function saveRowChanges(save: Save, changes: Iterable<RowChange>): void {
  for (const change of changes) {
    if (isKept(change)) save(keyOf(change), change.isHeld ? NOTHING : null);
  }
}

export function* savedRows(rows: Iterable<Row | null>): Generator<readonly [string, Uint8Array] | null> {
  for (const row of rows) yield row !== null && isKept(row) ? [keyOf(row), NOTHING] : null;
}

/** `rest`: the key without `row/`. Null: it is none. */
export function decodeRow(rest: string): Row | null {
  const [head = "", length = ""] = CLIENT_LENGTH.exec(rest) ?? [];
  const clientEnd = head.length + Number(length);
  if (head === "" || rest[clientEnd] !== "/" || rest.length === clientEnd + 1) return null;
  return { client: rest.slice(head.length, clientEnd), filter: rest.slice(clientEnd + 1) };
}

function keyOf({ client, filter }: Row): string {
  return `row/${client.length}/${client}/${filter}`;
}

function isKept({ client, filter }: Row): boolean {
  return client.length + filter.length <= ROW_UNITS_MAX;
}
