import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FILE_LENGTH_MAX, parseConfigFile } from "../../src/config/file.ts";
import { BASE, load, loaded, problemsOf } from "./loading.ts";

/** Messages of a file of which nothing could be read. */
function refusals(text: string): string[] {
  const { tree, problems } = parseConfigFile(text);
  assert.equal(tree, null, text.slice(0, 80));
  return problems.map(({ message, line }) => `${line ?? "-"}: ${message}`);
}

test("YAML and JSON of the same values are the same configuration", () => {
  const yaml = `
cluster: a
local:
  server: mqtt://h
  broker: static
  filters:
    - "+/x"
    - 'y z'
links:
  - {name: b, topics: ["t/#"]}
`;
  const json = {
    cluster: "a",
    local: { server: "mqtt://h", broker: "static", filters: ["+/x", "y z"] },
    links: [{ name: "b", topics: ["t/#"] }],
  };
  assert.deepEqual(loaded({ file: yaml }), loaded({ file: json }));
  assert.deepEqual(loaded({ file: JSON.stringify(json, null, "\t") }), loaded({ file: json }), "with tabs");
  assert.deepEqual(loaded({ file: yaml.replaceAll("\n", "\r\n") }), loaded({ file: json }), "with CRLF");
});

test("every JSON object is read as JSON.parse reads it, whatever its texts and spaces", () => {
  const keys = fc.string({ unit: "grapheme", maxLength: 20 });
  const value = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(
      fc.dictionary(keys, value, { noNullPrototype: true }),
      fc.constantFrom("", " ", "\t"),
      (object, space) => {
        const text = JSON.stringify(object, null, space);
        const { tree, problems } = parseConfigFile(text);
        assert.deepEqual(problems, []);
        assert.equal(JSON.stringify(tree), JSON.stringify(JSON.parse(text)));
      },
    ),
    { numRuns: 300 },
  );
});

test("a key that is given twice is a problem with both lines, in YAML and in JSON, beside all others", () => {
  const yaml =
    "cluster: a\nlocal:\n  server: mqtt://h\n  broker: aedes\n  server: mqtt://i\nlinks:\n  - name: b\n    name: c\nnonsense: 1\ncluster: b\n";
  const result = load({ file: yaml });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ path, message, from }) => `${path}: ${message} (${from})`),
    [
      "local.server: is given twice: first on line 3 (line 5)",
      "links[0].name: is given twice: first on line 7 (line 8)",
      "cluster: is given twice: first on line 1 (line 10)",
      "nonsense: is not a known key (line 9)",
    ],
  );
  assert.deepEqual(
    problemsOf({ file: '{"cluster":"a",\n\t"local":{"server":"mqtt://h","broker":"aedes"},\n"cluster":"b"}' }),
    ["cluster: is given twice: first on line 1"],
  );
});

test("what is no group of keys is refused, and said to be what it is", () => {
  assert.deepEqual(refusals("hello"), ['-: must be a group of keys, such as "cluster: a", and is a single value']);
  assert.deepEqual(refusals("- a\n- b"), ['-: must be a group of keys, such as "cluster: a", and is a list']);
  assert.deepEqual(refusals("[]"), ['-: must be a group of keys, such as "cluster: a", and is a list']);
  assert.deepEqual(refusals("42"), ['-: must be a group of keys, such as "cluster: a", and is a single value']);
});

test("a file that cannot be read names the line, and nothing is said of the keys it seems to lack", () => {
  const result = load({ file: "cluster: a\nlocal:\n\tserver: x\n", env: { BROKERLINK_NONSENSEXYZABC: "1" } });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ path, message, from }) => [path, message, from]),
    [
      ["", "is neither YAML nor JSON: a tab indents the line: YAML takes only spaces", "line 3"],
      ["BROKERLINK_NONSENSEXYZABC", "is no variable of brokerlink", null],
    ],
  );
});

test("a password that YAML stumbles over is never repeated", () => {
  const bad = [
    "!hunter2 x",
    "*hunter2",
    "&hunter2 &x y",
    ">hunter2",
    "|hunter2",
    "@hunter2",
    "`hunter2",
    "%hunter2",
    "}hunter2",
    "]hunter2",
    "[hunter2",
    "{hunter2",
    '"hunter2',
    "'hunter2",
    '"\\hunter2"',
    "hunter2: hunter2: x",
    "!!hunter2 x",
    "? hunter2 : hunter2",
    "hunter2\n hunter2: x\nhunter2",
  ];
  for (const password of bad) {
    const result = load({ file: `cluster: a\nlocal:\n  password: ${password}\n` });
    assert.ok(!result.ok, password);
    assert.ok(!JSON.stringify(result).includes("hunter2"), `${password}: ${JSON.stringify(result)}`);
    assert.ok(result.problems[0]?.message.length, password);
  }
});

test("__proto__, constructor and their like are unknown keys like all others, in every source", () => {
  const json =
    '{"cluster":"a","local":{"server":"mqtt://h","broker":"aedes","constructor":{"prototype":{"x":1}}},"__proto__":{"polluted":1},"links":[{"name":"b","__proto__":{"polluted":2},"toString":1}]}';
  const expected = [
    "local.constructor: is not a known key",
    "__proto__: is not a known key",
    "links[0].__proto__: is not a known key",
    "links[0].toString: is not a known key",
  ];
  assert.deepEqual(problemsOf({ file: json }).sort(), expected.sort());
  const yaml =
    "cluster: a\nlocal: {server: 'mqtt://h', broker: aedes, constructor: {prototype: {x: 1}}}\n__proto__: {polluted: 1}\nlinks: [{name: b, __proto__: {polluted: 2}, toString: 1}]\n";
  assert.deepEqual(problemsOf({ file: yaml }).sort(), expected.sort());
  const env = {
    BROKERLINK___PROTO__: "1",
    BROKERLINK_LOCAL____PROTO____POLLUTED: "1",
    BROKERLINK_CONSTRUCTOR__PROTOTYPE__POLLUTED: "1",
    BROKERLINK_LINKS: '[{"name":"b","__proto__":{"polluted":3}}]',
  };
  assert.deepEqual(
    problemsOf({ file: BASE, env }).map((problem) => problem.replace(/;.*/, "")),
    [
      "BROKERLINK___PROTO__: is no variable of brokerlink",
      "BROKERLINK_LOCAL____PROTO____POLLUTED: is no variable of brokerlink",
      "BROKERLINK_CONSTRUCTOR__PROTOTYPE__POLLUTED: is no variable of brokerlink",
      "links[0].__proto__: is not a known key",
    ],
  );
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("a value behind __proto__ is never taken for one of ours", () => {
  const text = '{"cluster":"a","local":{"__proto__":{"server":"mqtt://evil","broker":"aedes"}}}';
  assert.deepEqual(
    problemsOf({ file: text }).map((problem) => problem.split(":")[0]),
    ["local.__proto__", "local.server", "local.broker"],
  );
});

test("aliases may save some writing, but not make a few lines into gigabytes", () => {
  const saved =
    "cluster: a\nlocal: {server: 'mqtt://h', broker: aedes}\nlinks:\n  - {name: b, topics: &t [x, y]}\n  - {name: c, topics: *t}\n";
  assert.deepEqual(loaded({ file: saved }).links[1]?.topics, ["x", "y"]);
  const levels = Array.from(
    { length: 20 },
    (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : Array(10).fill(`*a${i - 1}`)}]`,
  );
  assert.match(refusals(levels.join("\n")).join(), /uses too many aliases/);
  const wide = `a: &a [${"x,".repeat(40_000)}]\nb: [${Array(90).fill("*a")}]\n`;
  assert.deepEqual(refusals(wide), ["-: uses aliases (*) to make more values than a configuration has"]);
  assert.match(refusals("a: &a [*a]").join(), /nested too deeply|too many aliases/);
  assert.match(refusals("a: *b").join(), /one that is not defined/);
});

test("what is nested too deeply is refused, whether the parser or the stack gives up first", () => {
  for (const depth of [17, 500, 5_000, 100_000]) {
    const lists = `a: ${"[".repeat(depth)}${"]".repeat(depth)}`;
    assert.match(refusals(lists).join(), /nested too deeply/, `${depth} lists`);
    const groups = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    assert.match(refusals(groups).join(), /nested too deeply/, `${depth} groups`);
  }
});

test("a file past its limit is refused before it is parsed", () => {
  assert.deepEqual(refusals("#".repeat(FILE_LENGTH_MAX + 1)), ["-: is longer than 4,194,304 characters"]);
  assert.deepEqual(parseConfigFile("#".repeat(FILE_LENGTH_MAX)).problems, []);
});

test("a hundred thousand unknown keys are counted in seconds, and a thousand of them named", () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`);
  const result = load({ file: keys.join("\n") });
  assert.ok(!result.ok);
  assert.equal(result.problems.length, 1_001);
  assert.equal(result.problems.at(-1)?.message, "and 99003 more problems");
  assert.equal(result.problems[999]?.from, "line 1000");
});

test("no text at all breaks the parser", () => {
  const token = fc.constantFrom(
    "a",
    ":",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    " ",
    "\t",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    '"',
    "#",
    "?",
    "%",
    "@",
    "\\",
    "\r",
    "\u0000",
    "\ud800",
    "1",
    "~",
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
      const { tree, problems } = parseConfigFile(tokens.join(""));
      assert.equal(tree === null, tree === null && problems.length > 0);
    }),
    { numRuns: 2_000 },
  );
});

test("one document, no directives, no tags", () => {
  assert.deepEqual(refusals("cluster: a\n---\ncluster: b\n"), [
    "2: is neither YAML nor JSON: there is more than one document: only one is taken",
  ]);
  for (const tagged of ["!!binary aGVsbG8=", "!!timestamp 2026-01-01", "!!set {a, b}", "!!omap [a: 1]", "!own x"]) {
    assert.match(refusals(`cluster: ${tagged}`).join(), /1: .* a tag \(!\) is unknown/, tagged);
  }
  assert.match(refusals("%NEW x\n---\ncluster: a").join(), /a directive \(%\) is bad or unknown/);
});
