import assert from "node:assert/strict";
import { test } from "node:test";
import { filesUnder } from "./repository.ts";

/** Past this a file has more than one noun in it: split by noun. */
const LINES_MAX = 350;

test("no source file has more than 350 lines", () => {
  const files = [
    ...filesUnder("src", [".ts", ".tsx"]),
    ...filesUnder("bin", [".js"]),
    ...filesUnder("scripts", [".js"]),
  ];
  assert.ok(files.length > 0);
  const large = files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  assert.deepEqual(large, []);
});
