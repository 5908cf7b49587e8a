import assert from "node:assert/strict";
import { test } from "node:test";
import { loaded, problemsOf, withLink } from "./loading.ts";

function topicProblems(topics: unknown): string[] {
  return problemsOf(withLink({ topics })).map((problem) => problem.replace(/^links\[0\]\.topics/, ""));
}

test("bad filters are named with their place, their text and what is wrong", () => {
  assert.deepEqual(topicProblems(["ok", "a/#/b", "a/b+", "a#", "", "a\0b", "\ud800", "x\udc00", 5, null, ["y"]]), [
    '[1]: filter "a/#/b" has # before its last level (level 2)',
    '[2]: filter "a/b+" has + beside other characters (level 2)',
    '[3]: filter "a#" has # beside other characters (level 1)',
    "[4]: filter is empty",
    '[5]: filter "a\\u0000b" has the character U+0000 (position 2)',
    '[6]: filter "\\ud800" has half a surrogate pair (position 1)',
    '[7]: filter "x\\udc00" has half a surrogate pair (position 2)',
    "[8]: must be a filter, and is the number 5",
    '[9]: must be a filter, and is nothing: "#" needs quotes',
    "[10]: must be a filter, and is a list",
  ]);
});

test("a filter of 65,535 bytes is taken, one byte more is not, and its problem stays readable", () => {
  const longest = `${"ü".repeat(32_767)}x`;
  assert.deepEqual(loaded(withLink({ topics: [longest] })).links[0]?.topics, [longest]);
  const [problem = ""] = topicProblems([`${longest}y`]);
  assert.match(problem, /is longer than 65535 bytes \(65536\)$/);
  assert.ok(problem.length < 300, `${problem.length} characters`);
});

test("a filter has at most 200 levels", () => {
  const deepest = Array(200).fill("a").join("/");
  assert.deepEqual(topicProblems([deepest]), []);
  assert.match(topicProblems([`${deepest}/a`]).join(), /has more than 200 levels \(201\)$/);
});

test("filters that begin with $ never cross a link", () => {
  assert.deepEqual(topicProblems(["$SYS/#", "$LINK/v1/#", "$foo", "$share/g/x/+", "$share/g", "$share//x"]), [
    '[0]: filter "$SYS/#" is reserved: filters that begin with "$" never cross a link',
    '[1]: filter "$LINK/v1/#" is reserved: filters that begin with "$" never cross a link',
    '[2]: filter "$foo" is reserved: filters that begin with "$" never cross a link',
    `[3]: filter "$share/g/x/+" is a shared subscription: name "x/+" alone, and clients' shared ones count too`,
    '[4]: filter "$share/g" has no filter after its group name "g"',
    '[5]: filter "$share//x" has an empty group name after $share/',
  ]);
  assert.deepEqual(problemsOf(withLink({ export: ["$SYS/#"] })), [
    'links[0].export[0]: filter "$SYS/#" is reserved: filters that begin with "$" never cross a link',
  ]);
});

test("what lies under either control prefix is reserved; what merely contains it is not", () => {
  const file = {
    cluster: "a",
    control_prefix: "own/prefix",
    local: { server: "mqtt://h", broker: "mosquitto" },
    links: [
      {
        name: "b",
        server: "mqtt://i",
        control_prefix: "their",
        topics: ["own/prefix/#", "own/+", "their", "theirs/x"],
        export: ["#", "their/x"],
      },
    ],
  };
  assert.deepEqual(problemsOf({ file }), [
    'links[0].topics: filter "own/prefix/#" is reserved: it lies under control_prefix "own/prefix"',
    'links[0].topics: filter "their" is reserved: it lies under control_prefix "their"',
  ]);
});

test("redundant topics name the filter that makes them so", () => {
  assert.deepEqual(topicProblems(["t/1", "t/#", "t/+/x", "t/1", "u", "u", "v/+", "v/w"]), [
    '[0]: filter "t/1" is redundant: "t/#" [1] covers it',
    '[2]: filter "t/+/x" is redundant: "t/#" [1] covers it',
    '[3]: filter "t/1" is redundant: "t/#" [1] covers it',
    '[5]: filter "u" is redundant: it is already [4]',
    '[7]: filter "v/w" is redundant: "v/+" [6] covers it',
  ]);
  assert.deepEqual(topicProblems(["w/1", "w/+"]), ['[0]: filter "w/1" is redundant: "w/+" [1] covers it']);
  assert.deepEqual(
    topicProblems(["w/1", "w/+", "w/#"])[0],
    '[0]: filter "w/1" is redundant: "w/+" [1] covers it',
    "the first of several",
  );
  assert.deepEqual(topicProblems(["#", "+/#"]), ['[1]: filter "+/#" is redundant: it means the same as "#", [0]']);
  assert.deepEqual(topicProblems(["t/#", "t"]), ['[1]: filter "t" is redundant: "t/#" [0] covers it']);
  assert.deepEqual(topicProblems(["t/+", "t", "u/+/x", "u/y/+"]), [], "those that only overlap are fine");
});

test("export filters may overlap, and are reduced", () => {
  assert.deepEqual(loaded(withLink({ export: ["t/1", "t/#", "u"] })).links[0]?.exportFilters, ["t/#", "u"]);
  assert.deepEqual(loaded(withLink({ export: [] })).links[0]?.exportFilters, []);
});

test("a list of topics is a list, of at most 5,000", () => {
  assert.deepEqual(topicProblems("t/#"), [': must be a list of filters, and is the text "t/#"']);
  assert.deepEqual(topicProblems({ a: 1 }), [": must be a list of filters, and is a group of keys"]);
  const many = Array.from({ length: 5_000 }, (_, index) => `t/${index}/+`);
  assert.deepEqual(topicProblems(many), []);
  assert.deepEqual(topicProblems([...many, "u"]), [": has 5,001 entries; at most 5,000 are allowed"]);
});

test("the control prefix is a topic of its own that a broker lets through", () => {
  const prefixProblem = (control_prefix: unknown): string | undefined =>
    problemsOf({ file: { cluster: "a", control_prefix, local: { server: "mqtt://h", broker: "aedes" } } })[0];
  for (const good of ["$LINK", "x", "a/b/c", "$a/ü", "a/b/c/d/e/f/g/h"])
    assert.equal(prefixProblem(good), undefined, good);
  assert.equal(prefixProblem("a/#"), 'control_prefix: "a/#" has the wildcard #');
  assert.equal(prefixProblem("+"), 'control_prefix: "+" has the wildcard +');
  assert.equal(prefixProblem(""), "control_prefix: is empty");
  assert.equal(prefixProblem("a/"), 'control_prefix: "a/" ends with "/"');
  assert.equal(prefixProblem("$SYS/x"), 'control_prefix: "$SYS/x" lies under $SYS, which brokers keep to themselves');
  assert.equal(prefixProblem("$share/g/x")?.includes("lies under $share"), true);
  assert.equal(
    prefixProblem("a/b/c/d/e/f/g/h/i"),
    'control_prefix: "a/b/c/d/e/f/g/h/i" has 9 levels; at most 8 are allowed',
  );
  assert.equal(prefixProblem("a\nb"), 'control_prefix: "a\\u000ab" has a control character');
  assert.equal(prefixProblem(7), "control_prefix: must be a topic, and is the number 7");
  assert.match(prefixProblem("x".repeat(1_025)) ?? "", /is longer than 1024 bytes$/);
});
