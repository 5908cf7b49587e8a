/**
 * The formats of filters and of the control prefix. The rules of MQTT are topic/filter.ts's; here is what a
 * configuration may do with a valid filter.
 */
import { canonical, filterProblem, isReserved, splitShared, topicProblem, utf8Length } from "../topic/filter.ts";
import { FilterTrie } from "../topic/trie.ts";
import type { Format } from "./format.ts";
import { grouped, kindOf, listItems } from "./formats.ts";
import { quoted } from "./printable.ts";
import type { Report } from "./problem.ts";

/** Each subscription of a client is compared with each of them; people write tens. */
export const FILTERS_MAX = 5_000;
/** The prefix and two names are part of every control topic; deeper than this is a mistake. */
const PREFIX_LEVELS_MAX = 8;
const PREFIX_BYTES_MAX = 1_024;
/** First levels that brokers keep to themselves (reference/brokers.md §3): nothing could be published there. */
const BROKER_LEVELS = new Set(["$SYS", "$share", "$queue", "$exclusive", "$delayed", "$CONTROL", "$events"]);

/** What a link receives: valid, not reserved, none twice and none covered by another. Canonical. */
export const LINK_TOPICS: Format<string[]> = {
  expects: `a list of filters, at most ${grouped(FILTERS_MAX)}; none may begin with \`$\`, repeat or cover another`,
  text: "list",
  parse(value, report) {
    const filters = plainFilters(value, report);
    if (filters === undefined) return undefined;
    reportRedundant(filters, report);
    return minimal(filters);
  },
};

/** Filters that may overlap. Canonical, reduced to those that no other covers. */
export const PLAIN_FILTERS: Format<string[]> = {
  expects: `a list of filters, at most ${grouped(FILTERS_MAX)}; none may begin with \`$\``,
  text: "list",
  parse(value, report) {
    const filters = plainFilters(value, report);
    return filters === undefined ? undefined : minimal(filters);
  },
};

/** Filters as clients hold them: `$share/group/filter` too. */
export const CLIENT_FILTERS: Format<string[]> = {
  expects: `a list of filters, at most ${grouped(FILTERS_MAX)}; \`$share/group/filter\` too`,
  text: "list",
  parse(value, report) {
    const filters = validFilters(value, report, (filter) =>
      isReserved(filter) && !filter.startsWith("$share/") ? 'begins with "$": such topics never cross a link' : null,
    );
    return filters === undefined ? undefined : [...new Set(filters.flatMap((filter) => filter ?? []))];
  },
};

/** A filter to subscribe to; `$` topics are welcome. */
export const EVENTS_FILTER: Format<string> = {
  expects: "a filter",
  text: "text",
  parse(value, report) {
    if (typeof value !== "string") {
      report(`must be a filter, and is ${kindOf(value)}`);
      return undefined;
    }
    const problem = filterProblem(value);
    if (problem !== null) report(`filter ${quoted(value)} ${problem}`);
    else if (value.startsWith("$share/")) {
      report(`filter ${quoted(value)} is shared: the agent would get only a part of the events`);
    } else return value;
    return undefined;
  },
};

export const CONTROL_PREFIX: Format<string> = {
  expects: `a topic of 1 to ${PREFIX_LEVELS_MAX} levels without wildcards`,
  text: "text",
  parse(value, report) {
    if (typeof value !== "string") {
      report(`must be a topic, and is ${kindOf(value)}`);
      return undefined;
    }
    const problem = topicProblem(value) ?? prefixProblem(value);
    if (problem === null) return value;
    report(`${value === "" ? "" : `${quoted(value)} `}${problem}`);
    return undefined;
  },
};

function prefixProblem(prefix: string): string | null {
  const levels = prefix.split("/");
  if (levels.length > PREFIX_LEVELS_MAX) {
    return `has ${levels.length} levels; at most ${PREFIX_LEVELS_MAX} are allowed`;
  }
  if (levels.at(-1) === "") return 'ends with "/"';
  if (utf8Length(prefix) > PREFIX_BYTES_MAX) return `is longer than ${PREFIX_BYTES_MAX} bytes`;
  if (/\p{Cc}/u.test(prefix)) return "has a control character";
  const first = levels[0] ?? "";
  return BROKER_LEVELS.has(first) ? `lies under ${first}, which brokers keep to themselves` : null;
}

/** The valid ones at their places, null for the others. */
function plainFilters(value: unknown, report: Report): (string | null)[] | undefined {
  return validFilters(value, report, (filter) => {
    if (!isReserved(filter)) return null;
    const shared = splitShared(filter);
    if (shared.group === null) return 'is reserved: filters that begin with "$" never cross a link';
    return `is a shared subscription: name ${quoted(shared.filter)} alone, and clients' shared ones count too`;
  });
}

function validFilters(
  value: unknown,
  report: Report,
  rule: (filter: string) => string | null,
): (string | null)[] | undefined {
  return listItems(value, "filters", FILTERS_MAX, report)?.map((filter, index) => {
    if (typeof filter !== "string") {
      const hint = filter === null ? ': "#" needs quotes' : "";
      report(`must be a filter, and is ${kindOf(filter)}${hint}`, [index]);
      return null;
    }
    const problem = filterProblem(filter) ?? rule(filter);
    if (problem === null) return filter;
    report(filter === "" ? `filter ${problem}` : `filter ${quoted(filter)} ${problem}`, [index]);
    return null;
  });
}

/** The first place of each canonical filter. */
function firstPlaces(filters: readonly (string | null)[]): FilterTrie<number> {
  const places = new FilterTrie<number>();
  for (const [index, filter] of filters.entries()) {
    if (filter !== null && places.get(canonical(filter)) === undefined) places.set(canonical(filter), index);
  }
  return places;
}

/** The first of the other filters that cover `filter`, which is canonical; null: none does. */
function firstCover(places: FilterTrie<number>, filter: string): number | null {
  let first: number | null = null;
  places.covering(filter, (index, stored) => {
    if (stored !== filter && (first === null || index < first)) first = index;
  });
  return first;
}

/** The canonical filters that no other one covers, each once, in their order. */
function minimal(filters: readonly (string | null)[]): string[] {
  const places = firstPlaces(filters);
  return filters.flatMap((filter, index) => {
    const own = canonical(filter ?? "");
    return filter === null || places.get(own) !== index || firstCover(places, own) !== null ? [] : [own];
  });
}

/** Names each filter that asks for nothing new, and the one that makes it so. */
function reportRedundant(filters: readonly (string | null)[], report: Report): void {
  const places = firstPlaces(filters);
  for (const [index, filter] of filters.entries()) {
    if (filter === null) continue;
    const own = canonical(filter);
    const twin = places.get(own) ?? index;
    const cover = firstCover(places, own);
    const other = quoted(filters[cover ?? twin] ?? "");
    if (cover !== null) {
      report(`filter ${quoted(filter)} is redundant: ${other} [${cover}] covers it`, [index]);
    } else if (twin !== index) {
      const how = filters[twin] === filter ? "is already" : `means the same as ${other},`;
      report(`filter ${quoted(filter)} is redundant: it ${how} [${twin}]`, [index]);
    }
  }
}
