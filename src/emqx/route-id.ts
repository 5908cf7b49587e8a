/**
 * Route identifiers as EMQX makes them: the subscription that a route comes of.
 *
 *   t/#                     a plain subscription        $p/SESSION/t/#         of a durable session
 *   $s/GROUP/t/#            a shared one                $sp/GROUP/SESSION/t/#  a shared one of a durable session
 */
const SHARED = "$s/";
const SHARED_PERSISTENT = "$sp/";

/** The identifiers of a route of ours: one for each group, or the plain one. */
export function routeIds(filter: string, groups: readonly string[]): string[] {
  return groups.length === 0 ? [filter] : groups.map((group) => `${SHARED}${group}/${filter}`);
}

/** The group of a shared subscription; null: it is a plain one. */
export function groupOfId(id: string): string | null {
  const prefix = [SHARED, SHARED_PERSISTENT].find((each) => id.startsWith(each));
  if (prefix === undefined) return null;
  const end = id.indexOf("/", prefix.length);
  return end <= prefix.length ? null : id.slice(prefix.length, end);
}
