/**
 * Named pairs of filters and what the algebra says of them. `topics`: concrete names with whether `a` matches them.
 * The cases marked with a section come from the notes on EMQX's behaviour (§1.4) and its own test scenarios (§6).
 */
export interface FilterCase {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  /** Whether `a` matches `b`, read as a topic; null: `b` is no topic. */
  readonly matches: boolean | null;
  /** Whether `a` covers `b`. */
  readonly covers: boolean;
  readonly intersection: string | null;
}

type Row = readonly [
  name: string,
  a: string,
  b: string,
  matches: boolean | null,
  covers: boolean,
  intersection: string | null,
];

const ROWS: readonly Row[] = [
  ["a name and itself", "a/b", "a/b", true, true, "a/b"],
  ["a name and its beginning", "a/b", "a", false, false, null],
  ["a name and a longer one", "a", "a/b", false, false, null],
  ["a name that another begins with", "ab", "abc", false, false, null],
  ["a longer name", "abc", "ab", false, false, null],
  ["names differ in case", "a/B", "a/b", false, false, null],

  ["one level for one level", "+", "a", true, true, "a"],
  ["one level is not two", "+", "a/b", false, false, null],
  ["one level in the middle", "a/+/c", "a/b/c", true, true, "a/b/c"],
  ["one level in the middle is not none", "a/+/c", "a/c", false, false, null],
  ["a name is narrower than one level", "a", "+", null, false, "a"],
  ["one level each", "a/+", "+/b", null, false, "a/b"],
  ["one level at the same place", "+/b", "+/b", null, true, "+/b"],
  ["one level behind different names", "a/+", "b/+", null, false, null],

  ["everything", "#", "a/b/c", true, true, "a/b/c"],
  ["everything and everything", "#", "#", null, true, "#"],
  ["everything and one level", "#", "+", null, true, "+"],
  ["one level and everything", "+", "#", null, false, "+"],
  ["a tree has its parent", "sport/#", "sport", true, true, "sport"],
  ["the parent is narrower than its tree", "sport", "sport/#", null, false, "sport"],
  ["a tree has what lies in it", "sport/#", "sport/tennis/player1", true, true, "sport/tennis/player1"],
  ["a tree has not what begins alike", "sport/#", "sports", false, false, null],
  ["a tree in a tree", "a/#", "a/b/#", null, true, "a/b/#"],
  ["a tree around a tree", "a/b/#", "a/#", null, false, "a/b/#"],
  ["a tree and one level under it", "a/#", "a/+", null, true, "a/+"],
  ["one level under a tree's root is not the root", "a/+/#", "a", false, false, null],
  ["one level under a tree's root leaves the root out", "a/+/#", "a/#", null, false, "a/+/#"],
  ["a tree meets one level at its root", "a/#", "+", null, false, "a"],
  ["a tree of one-level parents meets a tree", "+/b/#", "a/#", null, false, "a/b/#"],
  ["a tree and a name of other length", "a/b/#", "a", false, false, null],

  ["+/# is #", "+/#", "#", null, true, "#"],
  ["# is +/#", "#", "+/#", null, true, "#"],
  ["+/# has names of one level", "+/#", "a", true, true, "a"],
  ["+/# has names of three levels", "+/#", "a/b/c", true, true, "a/b/c"],
  ["+/# covers a tree", "+/#", "a/#", null, true, "a/#"],
  ["+/+/# is not #", "+/+/#", "a", false, false, null],
  ["+/+/# within #", "+/+/#", "#", null, false, "+/+/#"],

  ["the empty level is a level", "/", "/", true, true, "/"],
  ["one slash is two empty levels", "+/+", "/", true, true, "/"],
  ["one level is not a slash", "+", "/", false, false, null],
  ["one level behind the empty one", "/+", "/finance", true, true, "/finance"],
  ["one level is not two with the first empty", "+", "/finance", false, false, null],
  ["an empty level in the middle", "a//b", "a//b", true, true, "a//b"],
  ["one level may be empty", "a/+/b", "a//b", true, true, "a//b"],
  ["an empty level is not left out", "a/b", "a//b", false, false, null],
  ["an empty last level", "a/", "a/", true, true, "a/"],
  ["an empty last level is a level", "a", "a/", false, false, null],
  ["one level may be the empty last one", "a/+", "a/", true, true, "a/"],
  ["a tree under an empty root", "/#", "/", true, true, "/"],
  ["a tree under an empty root has no other", "/#", "a", false, false, null],
  ["a tree of empty levels", "a//#", "a/", true, true, "a/"],
  ["/+/# is /#, for the empty level alone is no topic", "/+/#", "/#", null, true, "/#"],
  ["/# is /+/#", "/#", "/+/#", null, true, "/#"],
  ["+/+/# covers /#", "+/+/#", "/#", null, true, "/#"],
  ["+/+/# does not cover a/#", "+/+/#", "a/#", null, false, "a/+/#"],
  ["/+ is not /#", "/+", "/#", null, false, "/+"],
  ["one level and a tree under the empty level share no topic", "+", "/#", null, false, null],
  ["everything has a slash", "#", "/", true, true, "/"],

  ["# never reaches $", "#", "$SYS/broker/uptime", false, false, null],
  ["# never reaches a lone $", "#", "$", false, false, null],
  ["+ never reaches $", "+/broker/uptime", "$SYS/broker/uptime", false, false, null],
  ["+/# never reaches $", "+/#", "$SYS/broker", false, false, null],
  ["# never reaches a tree of $", "#", "$SYS/#", null, false, null],
  ["a tree of $ and #", "$SYS/#", "#", null, false, null],
  ["a tree of $ has what lies in it", "$SYS/#", "$SYS/broker/uptime", true, true, "$SYS/broker/uptime"],
  ["a tree of $ has its parent", "$SYS/#", "$SYS", true, true, "$SYS"],
  ["wildcards behind $ are ordinary", "$SYS/+/uptime", "$SYS/broker/uptime", true, true, "$SYS/broker/uptime"],
  ["$ in a later level is ordinary", "a/+", "a/$b", true, true, "a/$b"],
  ["$ in a later level is in every tree", "#", "a/$b", true, true, "a/$b"],
  ["$ behind an empty level is ordinary", "+/+", "/$b", true, true, "/$b"],

  ["names beyond ASCII", "größe/+", "größe/Ø", true, true, "größe/Ø"],
  ["composed and decomposed names differ", "\u00e9", "e\u0301", false, false, null],
  ["names beyond the first plane", "😀/#", "😀/🚀", true, true, "😀/🚀"],
  ["a name with spaces and quotes", 'a b/"c"', 'a b/"c"', true, true, 'a b/"c"'],
  ["the byte order mark is a character", "\ufeffa", "a", false, false, null],

  ["emqx §1.4: a filter across a tree", "t/global/#", "t/+/1/+", null, false, "t/global/1/+"],
  ["emqx §1.4: two levels and a tree", "t/+/+", "t/+/1/#", null, false, "t/+/1"],
  ["emqx §1.4: two levels and one named", "t/+/+", "t/1/+", null, true, "t/1/+"],
  ["emqx §1.4: two levels and a shorter name", "t/+/+", "t/z", false, false, null],
  ["emqx §1.4: a deep tree and a tree", "t/+/2/3/#", "t/1/+/3/#", null, false, "t/1/2/3/#"],
  ["emqx §1.4: a deep tree and three levels", "t/+/2/3/#", "t/1/2/+", null, false, "t/1/2/3"],
  ["emqx §1.4: # leaves $LINK alone", "#", "$LINK/cluster/msg/b", false, false, null],
  [
    "emqx §6.44: a special topic and its filter",
    "$LINK/cluster/+/name",
    "$LINK/cluster/a/name",
    true,
    true,
    "$LINK/cluster/a/name",
  ],
];

export const FILTER_CASES: readonly FilterCase[] = ROWS.map(([name, a, b, matches, covers, intersection]) => ({
  name,
  a,
  b,
  matches,
  covers,
  intersection,
}));

/** What one local filter and a link's `topics` have in common: the routes announced, in the order of `topics`. */
export interface RouteCase {
  readonly name: string;
  readonly filter: string;
  readonly topics: readonly string[];
  readonly routes: readonly string[];
}

const SEVEN = ["t/1", "t/2", "t/3", "t/+", "t/#", "t/+/+", "t/+/+/+"];

export const ROUTE_CASES: readonly RouteCase[] = [
  {
    name: "emqx §6.34: one route for a name under many topics",
    filter: "t/6",
    topics: SEVEN,
    routes: ["t/6"],
  },
  {
    name: "emqx §6.34: one route for a name that is a topic too",
    filter: "t/1",
    topics: SEVEN,
    routes: ["t/1"],
  },
  {
    name: "emqx §6.35: two intersections that overlap stay two",
    filter: "t/+/+",
    topics: ["t/+/1/#", "t/z", "t/1/+"],
    routes: ["t/+/1", "t/1/+"],
  },
  {
    name: "emqx §6.35: a filter across one tree",
    filter: "t/+/1/+",
    topics: ["t/global/#"],
    routes: ["t/global/1/+"],
  },
  {
    name: "emqx §6.36: a tree meets three names",
    filter: "t/+/#",
    topics: ["t/1", "t/2", "t/3"],
    routes: ["t/1", "t/2", "t/3"],
  },
  {
    name: "emqx §6.36: a tree meets three names and the level that has them",
    filter: "t/+/#",
    topics: ["t/1", "t/2", "t/3", "t/+"],
    routes: ["t/+"],
  },
  {
    name: "emqx §6.37: an intersection within another is left out",
    filter: "t/+/2/3/#",
    topics: ["t/1/+/3/#", "t/1/2/+"],
    routes: ["t/1/2/3/#"],
  },
  { name: "nothing in common", filter: "a/#", topics: ["b/#", "$SYS/#"], routes: [] },
  {
    name: "a $ topic that is named explicitly",
    filter: "$SYS/broker/+",
    topics: ["#", "$SYS/#"],
    routes: ["$SYS/broker/+"],
  },
];

/** A link's `topics` and what is left of them when none may be within another. */
export interface CoverCase {
  readonly name: string;
  readonly filters: readonly string[];
  readonly cover: readonly string[];
}

export const COVER_CASES: readonly CoverCase[] = [
  { name: "nothing", filters: [], cover: [] },
  {
    name: "emqx §6.43: a tree takes what lies in it, and nothing else",
    filters: ["t/+", "t/1", "t", "t/+/#", "g/2"],
    cover: ["t", "t/+/#", "g/2"],
  },
  { name: "the root of a tree is in the tree", filters: ["t", "t/#"], cover: ["t/#"] },
  { name: "the same filter twice", filters: ["a", "b", "a"], cover: ["a", "b"] },
  { name: "/+/# and /# are one", filters: ["/+/#", "/#"], cover: ["/#"] },
  { name: "+/# and # are one", filters: ["+/#", "#"], cover: ["#"] },
  { name: "everything takes all but $", filters: ["a/b", "$LINK/x", "#", "+/+"], cover: ["$LINK/x", "#"] },
  { name: "filters that overlap stay", filters: ["a/+", "+/b"], cover: ["a/+", "+/b"] },
  { name: "emqx §6.34: one tree is left of seven", filters: SEVEN, cover: ["t/#"] },
];

/** Filters and what is wrong with them (part of the sentence), or null. Long ones are made in the test. */
export const PROBLEM_CASES: readonly (readonly [filter: string, problem: string | null])[] = [
  ["a", null],
  ["/", null],
  ["a//b", null],
  ["+", null],
  ["#", null],
  ["+/#", null],
  ["a/+/b/#", null],
  ["$SYS/#", null],
  ["$", null],
  ["$share", null],
  ["$shared/a", null],
  ["$share/g/t", null],
  ["$share/g//", null],
  ["$share/g/#", null],
  ["$share/g/+/t", null],
  ["$share/g/$SYS/#", null],
  ["a b/\u0001/\ufeff/😀", null],
  ["", "is empty"],
  ["a/#/b", "# before its last level (level 2)"],
  ["#/b", "# before its last level (level 1)"],
  ["a#", "# beside other characters (level 1)"],
  ["a/b#", "# beside other characters (level 2)"],
  ["a/#b", "# beside other characters (level 2)"],
  ["##", "# beside other characters (level 1)"],
  ["+#", "# beside other characters (level 1)"],
  ["a+", "+ beside other characters (level 1)"],
  ["a/+b/c", "+ beside other characters (level 2)"],
  ["++", "+ beside other characters (level 1)"],
  ["$SYS/#/+", "# before its last level (level 2)"],
  ["a\0b", "U+0000 (position 2)"],
  ["\ud83d", "half a surrogate pair (position 1)"],
  ["a/\ude00", "half a surrogate pair (position 3)"],
  ["😀\ud83d\ud83d\ude00", "half a surrogate pair (position 3)"],
  ["$share/", "empty group name"],
  ["$share//t", "empty group name"],
  ["$share/g", 'no filter after its group name "g"'],
  ["$share/g/", 'empty filter after its group name "g"'],
  ["$share/+/t", 'wildcard in its group name "+"'],
  ["$share/g#/t", 'wildcard in its group name "g#"'],
  ["$share/g/a/#/b", "# before its last level (level 2)"],
];
