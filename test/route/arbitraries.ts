/** Random filters over so few names that they meet and cover each other all the time, and the topics that tell them apart. */
import fc from "fast-check";
import { matches } from "../../src/topic/algebra.ts";

const LEVELS_MAX = 3;
const NAMES = ["a", "b", ""] as const;

/** Filters as clients hold them: none begins with `$`; `+/#` occurs. */
export const clientFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.constantFrom(...NAMES, "+"), { maxLength: LEVELS_MAX }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"))
  .filter((filter) => filter !== "");

/** Every topic of up to four levels over the names above and one that no filter has. */
export const TOPICS: readonly string[] = topicsUpTo(LEVELS_MAX + 1).filter((topic) => topic !== "");

/** Those of TOPICS that at least one of the filters matches. */
export function topicsOf(filters: Iterable<string>): Set<string> {
  const all = [...filters];
  return new Set(TOPICS.filter((topic) => all.some((filter) => matches(filter, topic))));
}

export function sorted(filters: Iterable<string>): string[] {
  return [...filters].sort();
}

function topicsUpTo(levelsMax: number): string[] {
  let longest: string[] = [...NAMES, "z"];
  const all = [...longest];
  for (let levels = 2; levels <= levelsMax; levels += 1) {
    longest = longest.flatMap((start) => [...NAMES, "z"].map((next) => `${start}/${next}`));
    all.push(...longest);
  }
  return all;
}
