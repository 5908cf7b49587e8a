import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Outcome, runHere } from "./fake-terminal.ts";

/** No broker is at that address, and none is asked. */
const AGENT = ["--cluster", "a", "--local", "mqtt://h.invalid", "--broker", "mosquitto"];

/** A folder with the files of an agent, which nobody has locked. */
function folderOf(t: TestContext, names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-forget-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "spool", "b"), { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), "12345");
  return folder;
}

function forget(...more: readonly string[]): Promise<Outcome> {
  return runHere(["forget", ...AGENT, ...more]);
}

test("a dry run asks no broker and names what would go, one thing a line", async (t) => {
  const names = ["spool/b/000000000001.log", "spool/b/000000000002.log", "journal", "notes.txt"];
  const folder = folderOf(t, names);
  const { code, out, error } = await forget("--dry-run", "--data-dir", folder);
  assert.equal(code, 0);
  assert.equal(error, "");
  assert.deepEqual(out.split("\n"), [
    ...["events", "link", "data", "retained"].map(
      (name) => `would remove session "brokerlink-a-${name}" at mqtt://h.invalid:1883`,
    ),
    `would remove the spool of link b (2 files, 10 bytes) in "${folder}"`,
    `would remove the journal (1 file, 5 bytes) in "${folder}"`,
    "",
  ]);
  assert.equal(readdirSync(folder).length, 3, "no lock was made");
});

test("the sessions are those of local.clientid", async () => {
  const env = { BROKERLINK_LOCAL__CLIENTID: "my-agent" };
  const { out } = await runHere(["forget", ...AGENT, "--dry-run"], { env });
  assert.match(out, /^would remove session "my-agent-events" at /);
  assert.equal(out.trimEnd().split("\n").length, 4, "without data_dir nothing is said of a disk");
});

test("--disk-only removes files and asks no broker", async (t) => {
  const folder = folderOf(t, ["journal", "spool/b/damaged"]);
  const { code, out, error } = await forget("--disk-only", "--data-dir", folder);
  assert.equal(code, 0);
  assert.equal(error, "");
  assert.deepEqual(out.split("\n"), [
    `removed the spool of link b (1 file, 5 bytes) in "${folder}"`,
    `removed the journal (1 file, 5 bytes) in "${folder}"`,
    `removed the lock in "${folder}"`,
    "",
  ]);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal((await forget("--disk-only", "--data-dir", folder)).out, `nothing of an agent is in "${folder}"\n`);
});

test("a bad configuration, and --disk-only where there is no disk, are 78", async () => {
  const bad = await runHere(["forget"]);
  assert.equal(bad.code, 78);
  assert.match(bad.error, /^CONFIG_INVALID: 3 problems\n/);
  const { code, out, error } = await forget("--disk-only");
  assert.equal(code, 78);
  assert.equal(out, "");
  assert.match(error, /^CONFIG_INVALID: --disk-only, and there is no data_dir/);
});
