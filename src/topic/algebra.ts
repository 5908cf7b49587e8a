/**
 * The algebra of filters: what matches, what covers, what two filters share. Filters and topics are valid ones (filter.ts)
 * and plain: `$share/group/` is taken off before. Two MQTT filters share the topics of exactly one filter, or none.
 */
import { canonical, isReserved, TOPIC_BYTES_MAX, utf8Length, withParent } from "./filter.ts";

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
/** UTF-8 needs at most three bytes for one UTF-16 code unit: shorter texts cannot be too long. */
const SURELY_FITS_UNITS = Math.floor(TOPIC_BYTES_MAX / 3);

/** Whether `topic` is one of those that `filter` asks for. */
export function matches(filter: string, topic: string): boolean {
  return !isOutOfReach(filter, topic) && includes(filter, topic);
}

/** Whether `a` matches every topic that `b` matches. */
export function covers(a: string, b: string): boolean {
  return !isOutOfReach(a, b) && includes(a, withParent(b));
}

/**
 * The filter that matches exactly the topics that both match, canonical; null: there are none. A filter past
 * TOPIC_BYTES_MAX, which no broker takes, comes back cut to whole levels and `#`: it matches more, never less.
 */
export function intersect(a: string, b: string): string | null {
  if (isOutOfReach(a, b) || isOutOfReach(b, a)) return null;
  const left = canonical(a).split("/");
  const right = canonical(b).split("/");
  const common: string[] = [];
  for (let depth = 0; ; depth += 1) {
    const x = left[depth];
    const y = right[depth];
    // `#` stands for the other side's rest, an empty one too: `sport/#` matches `sport`.
    if (x === "#") return fitted([...common, ...right.slice(depth)]);
    if (y === "#") return fitted([...common, ...left.slice(depth)]);
    if (x === undefined && y === undefined) return fitted(common);
    if (x === undefined || y === undefined) return null;
    if (x !== y && x !== "+" && y !== "+") return null;
    common.push(x === "+" ? y : x);
  }
}

/**
 * The canonical filters that no other one covers, each once, in the order given. Costs filters × wildcard filters: meant
 * for lists that people write; route/cover-set.ts keeps large sets.
 */
export function minimalCover(filters: readonly string[]): string[] {
  const distinct = [...new Set(filters.map(canonical))];
  const wide = distinct.filter(hasWildcard);
  return distinct.filter((filter) => !wide.some((other) => other !== filter && covers(other, filter)));
}

/** MQTT-4.7.2-1: a filter that begins with a wildcard does not meet what begins with `$`. */
function isOutOfReach(filter: string, other: string): boolean {
  const first = filter.charCodeAt(0);
  return (first === PLUS || first === HASH) && isReserved(other);
}

/**
 * Walks both texts level by level without taking them apart. `inner` is a topic, or a filter whose `+` and `#` are met
 * only by a wildcard at least as wide.
 */
function includes(outer: string, inner: string): boolean {
  let i = 0;
  let j = 0;
  for (;;) {
    const wanted = outer.charCodeAt(i);
    if (wanted === HASH) return true;
    if (inner.charCodeAt(j) === HASH) return false;
    if (wanted === PLUS) {
      i += 1;
      j = levelEnd(inner, j);
    } else {
      const end = levelEnd(inner, j);
      while (j < end && outer.charCodeAt(i) === inner.charCodeAt(j)) {
        i += 1;
        j += 1;
      }
      if (j < end) return false;
    }
    if (i < outer.length && outer.charCodeAt(i) !== SLASH) return false;
    if (j === inner.length) {
      // The parent of `x/#` is `x` itself (MQTT 5.0 §4.7.1.2).
      return i === outer.length || outer.charCodeAt(i + 1) === HASH;
    }
    if (i === outer.length) return false;
    i += 1;
    j += 1;
  }
}

function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.endsWith("#");
}

function levelEnd(text: string, from: number): number {
  const slash = text.indexOf("/", from);
  return slash < 0 ? text.length : slash;
}

function fitted(levels: readonly string[]): string | null {
  const whole = canonical(levels.join("/"));
  // `+` and `/#` share the empty level alone, and that is no topic.
  if (whole === "") return null;
  if (whole.length <= SURELY_FITS_UNITS || utf8Length(whole) <= TOPIC_BYTES_MAX) return whole;
  // Both filters fit, so both have a wildcard behind their first level, and that level with `/#` fits as well.
  let bytes = utf8Length(levels[0] ?? "") + "/#".length;
  let kept = 1;
  for (const level of levels.slice(1)) {
    bytes += "/".length + utf8Length(level);
    if (bytes > TOPIC_BYTES_MAX) break;
    kept += 1;
  }
  return canonical(`${levels.slice(0, kept).join("/")}/#`);
}
