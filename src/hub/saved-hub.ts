/**
 * Everything that has to outlive the process, as it was told piece by piece. Large tables are walked when the entries are
 * asked for, over many turns perhaps: an entry may come twice, and one that was told anew meanwhile may come as it was.
 */
import type { DemandIds } from "../route/demand-ids.ts";
import type { Row } from "../route/row-changes.ts";
import type { HubLink } from "./hub-link.ts";
import type { LinkChanges } from "./link-changes.ts";
import { saveLink } from "./saved-link.ts";
import { savedRows } from "./saved-rows.ts";
import { type Save, type SavedEntry, savedDemand, savedRoutes } from "./saved-state.ts";

export interface SavedParts {
  readonly links: ReadonlyMap<string, HubLink>;
  readonly changes: LinkChanges;
  readonly memory: DemandIds;
  readonly rows: Iterable<Row | null>;
}

export function savedHub(parts: SavedParts): Iterable<SavedEntry> {
  // At once: what links that come and go hand to each other would be missed by a walk that is beside it.
  const small: SavedEntry[] = [];
  const put: Save = (key, value) => {
    if (value !== null) small.push([key, value]);
  };
  for (const link of parts.links.values()) saveLink(put, link);
  parts.changes.saveAll(put);
  return walk(small, parts);
}

function* walk(small: readonly SavedEntry[], { links, memory, rows }: SavedParts): Generator<SavedEntry> {
  yield* small;
  yield* savedDemand(memory);
  yield* savedRows(rows);
  for (const { name, conversation } of links.values()) yield* savedRoutes(name, conversation.acceptor.routes.walk());
}
