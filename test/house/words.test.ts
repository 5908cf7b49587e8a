import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODES } from "../../src/base/error-codes.ts";
import { filesUnder, PURE_FOLDERS, readText, withoutComments } from "./repository.ts";

/** What the pure core must not touch: clocks, chance, timers, the process, Node's types. In code; prose may say it. */
const IMPURE = [
  /\bDate\.now\b/,
  /\bnew Date\b/,
  /\bperformance\./,
  /\bMath\.random\b/,
  /\bcrypto\./,
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bqueueMicrotask\b/,
  /\bprocess\./,
  /\bconsole\./,
  /\bBuffer\b/,
  /\bnode:/,
];

/** What no file of ours says, in comments either. */
const UNFINISHED = [/\bTODO\b/, /\bFIXME\b/, /@ts-ignore\b/, /@ts-nocheck\b/, /\bbiome-ignore\b/];

function mentions(text: string, patterns: readonly RegExp[], path: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    return patterns
      .filter((pattern) => pattern.test(line))
      .map((pattern) => `${path}:${index + 1} says ${pattern.source}`);
  });
}

test("comments are no code, and text in quotes is", () => {
  const code = 'const url = "mqtt://host"; // Buffer\n/* process.\n exit */ const b = `// no`;';
  assert.equal(withoutComments(code), 'const url = "mqtt://host"; \n\n const b = `// no`;');
  assert.deepEqual(mentions('x("node:fs")', IMPURE, "f"), ["f:1 says \\bnode:"]);
  assert.deepEqual(mentions("new ArrayBuffer(view.buffer)", IMPURE, "f"), []);
});

test("the pure folders mention no clock, no chance, no timer and nothing of Node", () => {
  const pure = filesUnder("src", [".ts", ".tsx"]).filter(({ folder }) => PURE_FOLDERS.has(folder));
  assert.ok(pure.length > 0);
  assert.deepEqual(
    pure.flatMap(({ path, text }) => mentions(withoutComments(text), IMPURE, path)),
    [],
  );
});

test("nothing is left unfinished or silenced", () => {
  const files = [
    ...filesUnder("src", [".ts", ".tsx"]),
    ...filesUnder("test", [".ts"]),
    ...filesUnder("scripts", [".js"]),
  ];
  const others = files.filter(({ path }) => path !== "test/house/words.test.ts");
  assert.deepEqual(
    others.flatMap(({ path, text }) => mentions(text, UNFINISHED, path)),
    [],
  );
});

test("every error code is documented in docs/OPERATING.md", () => {
  const operating = readText("docs/OPERATING.md");
  assert.notEqual(operating, null, "docs/OPERATING.md is missing");
  const missing = Object.keys(ERROR_CODES).filter((code) => !operating?.includes(`\`${code}\``));
  assert.deepEqual(missing, []);
});
