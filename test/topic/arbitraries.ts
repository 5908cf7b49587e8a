/** Random topics and filters over few names, so that they meet often; and the slow, obvious meaning of a match. */
import fc from "fast-check";
import { canonical } from "../../src/topic/filter.ts";

const NAMES = ["", "a", "b", "ab", "$s", "ü"] as const;
const LEVELS_MAX = 4;

const name = fc.constantFrom(...NAMES);

export const anyTopic: fc.Arbitrary<string> = fc
  .array(name, { minLength: 1, maxLength: LEVELS_MAX })
  .map((levels) => levels.join("/"))
  .filter((topic) => topic !== "");

/** Valid filters, not always canonical. */
export const anyFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(name, fc.constant("+")), { maxLength: LEVELS_MAX }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"))
  .filter((filter) => filter !== "");

export const anyCanonical: fc.Arbitrary<string> = anyFilter.map(canonical);

/** MQTT 5.0 §4.7 read aloud. */
export function naiveMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  return levelsMatch(filter.split("/"), topic.split("/"));
}

function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  const [wanted, ...filterRest] = filter;
  const [level, ...topicRest] = topic;
  if (wanted === undefined) return level === undefined;
  if (wanted === "#") return true;
  if (level === undefined) return false;
  return (
    (wanted === "+" || wanted === level) &&
    (topicRest.length === 0 && filterRest[0] === "#" ? true : levelsMatch(filterRest, topicRest))
  );
}

/** Every topic of up to four levels over the names in SHORT_FILTERS and one more that none of them knows. */
export const SHORT_TOPICS: readonly string[] = paths(["", "a", "$", "other"], 4).filter((topic) => topic !== "");

/** Every filter of up to three levels over three names: few enough to try all pairs. */
export const SHORT_FILTERS: readonly string[] = [
  "#",
  ...paths(["", "a", "$", "+"], 3),
  ...paths(["", "a", "$", "+"], 2).map((start) => `${start}/#`),
].filter((filter) => filter !== "");

function paths(names: readonly string[], depthMax: number): string[] {
  let longest: readonly string[] = names;
  const all = [...names];
  for (let depth = 2; depth <= depthMax; depth += 1) {
    longest = longest.flatMap((start) => names.map((next) => `${start}/${next}`));
    all.push(...longest);
  }
  return all;
}
