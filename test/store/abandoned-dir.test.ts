import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AbandonedDir } from "../../src/store/abandoned-dir.ts";
import { DataDir } from "../../src/store/data-dir.ts";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { Journal } from "../../src/store/journal.ts";
import { closeOf, message, temporaryFolder } from "./rig.ts";
import { StoreChild } from "./store-child.ts";

const report = (): void => {};

/** A directory that an agent with two links used, and left. */
async function used(t: TestContext): Promise<string> {
  const path = temporaryFolder(t);
  const dir = await DataDir.open(path, { report });
  for (const link of ["west", "east-2"]) {
    const log = DiskSpoolLog.open(dir.spoolFolder(link), { report });
    log.append(message(1), 1, 0);
    await closeOf(log);
    if (link === "west") await closeOf(DiskSpoolLog.open(dir.liveFolder(link), { report }));
  }
  const { journal } = Journal.open(dir.journalPath, { report });
  journal.put("key", new Uint8Array(3));
  await new Promise<void>((resolve) => journal.close(() => resolve()));
  dir.close();
  return path;
}

async function opened(path: string, onlyLook = false): Promise<AbandonedDir> {
  const dir = await AbandonedDir.open(path, { onlyLook });
  assert.ok(dir !== null);
  return dir;
}

async function removeAll(path: string): Promise<string[]> {
  const dir = await opened(path);
  const found = dir.leftovers();
  for (const leftover of found) await dir.remove(leftover);
  dir.close();
  return found.map(({ kind, link }) => link ?? kind);
}

test("all that an agent made goes, the lock last, and the directory can be used again", async (t) => {
  const path = await used(t);
  writeFileSync(join(path, "spool", "west", "damaged"), "x");
  for (const name of ["journal.new", "journal.damaged"]) writeFileSync(join(path, name), "x");
  assert.deepEqual(await removeAll(path), ["east-2", "west", "journal", "lock"]);
  assert.deepEqual(readdirSync(path), []);
  assert.equal(await AbandonedDir.open(path, { onlyLook: false }), null);
  (await DataDir.open(path, { report })).close();
});

test("what bears another name stays, wherever it is", async (t) => {
  const path = await used(t);
  const elsewhere = temporaryFolder(t);
  writeFileSync(join(elsewhere, "000000000001.log"), "another's");
  const kept = [
    "notes.txt",
    "journal.old",
    "lock",
    "spool/readme",
    "spool/west/000000000001.log.bak",
    "spool/.hidden/000000000001.log",
  ];
  mkdirSync(join(path, "spool", ".hidden"));
  for (const name of kept) writeFileSync(join(path, name), "x");
  symlinkSync(join(elsewhere, "000000000001.log"), join(path, "spool", "west", "000000000077.log"));
  await removeAll(path);
  for (const name of kept) assert.ok(existsSync(join(path, name)), name);
  assert.deepEqual(readdirSync(join(path, "spool")).sort(), [".hidden", "readme", "west"]);
  assert.deepEqual(readdirSync(join(path, "spool", "west")), ["000000000001.log.bak"]);
  assert.deepEqual(readdirSync(elsewhere), ["000000000001.log"], "the link went, not what it names");
});

test("a directory in use is refused, and so is an agent that starts meanwhile", async (t) => {
  const path = await used(t);
  const before = (): string[] => readdirSync(path, { recursive: true }).map(String).sort();
  const child = await StoreChild.start(t, "lock", path);
  await child.nextLine();
  const files = before();
  for (const onlyLook of [true, false]) {
    await assert.rejects(AbandonedDir.open(path, { onlyLook }), {
      code: "DATA_DIR_LOCKED",
      message: `${path} is in use by process ${child.pid}: stop that agent first`,
    });
  }
  assert.deepEqual(before(), files);
  await child.kill();
  const dir = await opened(path);
  await assert.rejects(DataDir.open(path, { report }), { code: "DATA_DIR_LOCKED" });
  dir.close();
  (await DataDir.open(path, { report })).close();
});

test("looking changes nothing and counts right", async (t) => {
  const path = await used(t);
  const before = readdirSync(path, { recursive: true }).map(String).sort();
  const dir = await opened(path, true);
  const found = dir.leftovers();
  assert.deepEqual(
    found.map(({ kind, link, files }) => [kind, link, files.map((file) => file.slice(path.length + 1))]),
    [
      ["spool", "east-2", ["spool/east-2/000000000001.log"]],
      ["spool", "west", ["spool/west/000000000001.log", "spool/west/live/000000000001.log"]],
      ["journal", null, ["journal"]],
      ["lock", null, ["lock.1"]],
    ],
  );
  assert.ok(found.every(({ kind, bytes }) => bytes > 0 || kind === "lock"));
  dir.close();
  assert.deepEqual(readdirSync(path, { recursive: true }).map(String).sort(), before);
});

test("where nothing of an agent is, nothing is made", async (t) => {
  const path = temporaryFolder(t);
  writeFileSync(join(path, "notes.txt"), "x");
  for (const each of [path, join(path, "none"), join(path, "notes.txt")]) {
    assert.equal(await AbandonedDir.open(each, { onlyLook: false }), null, each);
  }
  assert.deepEqual(readdirSync(path), ["notes.txt"]);
});

test("what cannot be removed is named", async (t) => {
  const path = temporaryFolder(t);
  mkdirSync(join(path, "journal"));
  const dir = await opened(path);
  const [journal] = dir.leftovers();
  assert.ok(journal !== undefined);
  await assert.rejects(dir.remove(journal), { code: "DATA_DIR_UNUSABLE", message: /unlink .*journal/ });
  dir.close();
});
