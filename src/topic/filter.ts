/**
 * What makes a text a topic or a filter, and the few forms a filter is brought into. Knows MQTT 5.0 §4.7 and §4.8.2 and
 * nothing of brokers. Says what is wrong as a fragment that fits behind the text itself: `filter "a/#/b" has # before its
 * last level (level 2)`.
 */

/** MQTT-4.7.3-3: the length of an MQTT string is two bytes. */
export const TOPIC_BYTES_MAX = 65_535;
/** Mosquitto refuses subscriptions of more than 200 levels (its TOPIC_HIERARCHY_LIMIT), so a peer could not serve them. */
export const LEVELS_MAX = 200;

const SHARE_PREFIX = "$share/";
const SLASH = 0x2f;

/** What is wrong with a plain or `$share/group/filter` filter; null: nothing. */
export function filterProblem(filter: string): string | null {
  const problem = textProblem(filter);
  if (problem !== null) return problem;
  if (!filter.startsWith(SHARE_PREFIX)) return wildcardProblem(filter);
  const groupEnd = filter.indexOf("/", SHARE_PREFIX.length);
  const group = groupEnd < 0 ? filter.slice(SHARE_PREFIX.length) : filter.slice(SHARE_PREFIX.length, groupEnd);
  // MQTT-4.8.2-1, MQTT-4.8.2-2.
  if (group === "") return "has an empty group name after $share/";
  if (group.includes("+") || group.includes("#")) return `has a wildcard in its group name "${group}"`;
  if (groupEnd < 0) return `has no filter after its group name "${group}"`;
  const shared = filter.slice(groupEnd + 1);
  if (shared === "") return `has an empty filter after its group name "${group}"`;
  return wildcardProblem(shared);
}

/** What is wrong with a topic; null: nothing. */
export function topicProblem(topic: string): string | null {
  const problem = textProblem(topic);
  if (problem !== null) return problem;
  // MQTT-4.7.0-1, MQTT-3.3.2-2.
  if (topic.includes("#")) return "has the wildcard #";
  if (topic.includes("+")) return "has the wildcard +";
  return null;
}

/**
 * Takes `$share/group/filter` apart; `group` null: a plain filter. A text that begins with `$share/` and is not a valid
 * shared filter comes back whole, as a reserved plain one.
 */
export function splitShared(raw: string): { readonly group: string | null; readonly filter: string } {
  if (raw.startsWith(SHARE_PREFIX)) {
    const groupEnd = raw.indexOf("/", SHARE_PREFIX.length);
    if (groupEnd > SHARE_PREFIX.length && groupEnd + 1 < raw.length) {
      return { group: raw.slice(SHARE_PREFIX.length, groupEnd), filter: raw.slice(groupEnd + 1) };
    }
  }
  return { group: null, filter: raw };
}

/** True for what begins with `$`: the broker's own, never an application's (MQTT-4.7.2). */
export function isReserved(filterOrTopic: string): boolean {
  return filterOrTopic.startsWith("$");
}

/**
 * One spelling for filters that match the same topics: `#` for `+/#`, and `/#` for `/+/#`, as whole filters and nowhere
 * else. `a/#` matches its parent `a`, which `a/+/#` does not; but the parents of `#` and `/#` are no topics (MQTT-4.7.3-1).
 */
export function canonical(filter: string): string {
  if (filter === "+/#") return "#";
  return filter === "/+/#" ? "/#" : filter;
}

/** The other spelling of `#` and `/#`, in which the last `#` adds its parent to the topics, as in every other filter. */
export function withParent(filter: string): string {
  if (filter === "#") return "+/#";
  return filter === "/#" ? "/+/#" : filter;
}

/** A plain filter of more than LEVELS_MAX levels, cut to one that covers it: its first LEVELS_MAX-1 levels and `#`. */
export function widenDeep(filter: string): string {
  if (levelCount(filter) <= LEVELS_MAX) return filter;
  return `${filter.split("/", LEVELS_MAX - 1).join("/")}/#`;
}

/** Bytes of `text` in UTF-8. A lone surrogate counts as its replacement, three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is two units and four bytes: its second half adds nothing to what the first did.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
  }
  return bytes;
}

function textProblem(text: string): string | null {
  // MQTT-4.7.3-1.
  if (text === "") return "is empty";
  // Before anything that looks at each character: a text may be megabytes of rubbish.
  if (text.length > TOPIC_BYTES_MAX) return `is longer than ${TOPIC_BYTES_MAX} bytes`;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // MQTT-1.5.4-2, MQTT-4.7.3-2.
    if (unit === 0) return `has the character U+0000 (position ${i + 1})`;
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
    // MQTT-1.5.4-1.
    else if (unit >= 0xd800 && unit <= 0xdfff) return `has half a surrogate pair (position ${i + 1})`;
  }
  const bytes = utf8Length(text);
  return bytes > TOPIC_BYTES_MAX ? `is longer than ${TOPIC_BYTES_MAX} bytes (${bytes})` : null;
}

function wildcardProblem(filter: string): string | null {
  const count = levelCount(filter);
  if (count > LEVELS_MAX) return `has more than ${LEVELS_MAX} levels (${count})`;
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    // MQTT-4.7.1-1.
    if (level === "#") {
      if (index < levels.length - 1) return `has # before its last level (level ${index + 1})`;
    } else if (level.includes("#")) return `has # beside other characters (level ${index + 1})`;
    // MQTT-4.7.1-2.
    else if (level !== "+" && level.includes("+")) return `has + beside other characters (level ${index + 1})`;
  }
  return null;
}

function levelCount(text: string): number {
  let count = 1;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) === SLASH) count += 1;
  return count;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
