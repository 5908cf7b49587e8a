import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "../../src/store/replace-file.ts";

test("the text is another, mode and name stay, and nothing is left beside it", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-replace-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "config.yaml");
  writeFileSync(file, "old");
  chmodSync(file, 0o640);
  const before = statSync(file).ino;
  replaceFile(file, "néw");
  assert.equal(readFileSync(file, "utf8"), "néw");
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.notEqual(statSync(file).ino, before, "a new file in its place, not the old one written over");
  assert.deepEqual(readdirSync(dir), ["config.yaml"]);
});

test("a link stays one: what it leads to is replaced", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-replace-"));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "real"));
  writeFileSync(join(dir, "real", "config.yaml"), "old");
  symlinkSync("real/config.yaml", join(dir, "config.yaml"));
  replaceFile(join(dir, "config.yaml"), "new");
  assert.equal(readFileSync(join(dir, "real", "config.yaml"), "utf8"), "new");
  assert.deepEqual(readdirSync(dir).sort(), ["config.yaml", "real"]);
});

test("when it does not work nothing has changed, and nothing is left over", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-replace-"));
  t.after(() => rmSync(dir, { recursive: true }));
  assert.throws(() => replaceFile(join(dir, "none"), "new"), /ENOENT/);
  mkdirSync(join(dir, "folder"));
  // A folder that has something in it is not replaced by a file.
  writeFileSync(join(dir, "folder", "x"), "");
  assert.throws(() => replaceFile(join(dir, "folder"), "new"), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(readdirSync(dir), ["folder"]);
});
