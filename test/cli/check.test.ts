import assert from "node:assert/strict";
import { test } from "node:test";
import { runHere } from "./fake-terminal.ts";

const GOOD = 'cluster: a\nlocal: {server: "mqtt://h", broker: mosquitto}\nlinks: [{name: b, topics: ["t/#"]}]\n';
const BAD = 'cluster: a b\nlocal: {server: "mqtt://h", broker: mosquitto}\nlinks: [{name: b, topics: ["t/#", t/1]}]\n';

test("check says what a good configuration means, its warnings last", async () => {
  const { code, out, error } = await runHere(["check", "f"], { files: { f: GOOD } });
  assert.equal(code, 0);
  assert.equal(error, "");
  assert.match(out, /^Cluster a\n {2}broker {4}mosquitto at mqtt:\/\/h:1883\n/);
  assert.match(out, /\nLink b\n {2}path {6}b dials in/);
  assert.match(out, /\n\nwarning: durability: memory, .*\n$/);
});

test("check names the variables of the environment that count too, and not their values", async () => {
  const env = { BROKERLINK_LOG__LEVEL: "debug", BROKERLINK_HTTP__PORT: "", PATH: "/bin" };
  const { out } = await runHere(["check", "f"], { files: { f: GOOD }, env });
  assert.match(out, /log {7}from level debug/);
  assert.match(out, /\nVariables of the environment count too: BROKERLINK_LOG__LEVEL\n/);
});

test("check lists all problems of a bad one on stderr, each with its line", async () => {
  const { code, out, error } = await runHere(["check", "f"], { files: { f: BAD } });
  assert.equal(code, 78);
  assert.equal(out, "");
  assert.deepEqual(error.trimEnd().split("\n"), [
    'CONFIG_INVALID: 2 problems in "f"',
    '  cluster: "a b" is no cluster name: it must be a name of 1 to 64 letters, digits, - and _, beginning with a letter or digit (line 1)',
    '  links[0].topics[1]: filter "t/1" is redundant: "t/#" [0] covers it (line 3)',
  ]);
});

test("check --json is one JSON value on stdout, good or bad", async () => {
  const good = await runHere(["check", "--json", "f"], { files: { f: GOOD } });
  const answer = JSON.parse(good.out) as { ok: boolean; file: string; warnings: string[]; config: { cluster: string } };
  assert.deepEqual(
    [good.code, answer.ok, answer.file, answer.warnings.length, answer.config.cluster],
    [0, true, "f", 1, "a"],
  );
  const bad = await runHere(["check", "f", "--json"], { files: { f: BAD } });
  const problems = (JSON.parse(bad.out) as { ok: boolean; problems: { path: string; from: string }[] }).problems;
  assert.equal(bad.code, 78);
  assert.deepEqual(
    problems.map(({ path, from }) => [path, from]),
    [
      ["cluster", "line 1"],
      ["links[0].topics[1]", "line 3"],
    ],
  );
});

test("a file that is not there is bad configuration, and named", async () => {
  for (const command of [
    ["check", "f"],
    ["run", "--config", "f"],
  ]) {
    const { code, error } = await runHere(command);
    assert.equal(code, 78);
    assert.equal(error, 'CONFIG_INVALID: 1 problem in "f"\n  cannot read "f": ENOENT: no such file or directory\n');
  }
});

test("run without a file and without enough flags says where the rest may come from", async () => {
  const { code, error } = await runHere(["run", "--cluster", "a", "--link", "b", "--topics", "c=t"]);
  assert.equal(code, 78);
  assert.deepEqual(
    error
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/: .*/, "")),
    ["CONFIG_INVALID", "  --topics", "  local.server", "  local.broker", "No file was given"],
  );
});

test("file names that end a line or colour a terminal come out escaped", async () => {
  const { error } = await runHere(["check", "a\u001b[31m\nb"]);
  assert.match(error, /"a\\u001b\[31m\\u000ab"/);
});
