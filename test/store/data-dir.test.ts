import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataDir } from "../../src/store/data-dir.ts";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import type { FileSystem } from "../../src/store/file-system.ts";
import { diskFileSystem } from "../../src/store/file-system.ts";
import { closeOf, message, Reports, temporaryFolder } from "./rig.ts";
import { StoreChild } from "./store-child.ts";

const report = () => {};
const modeOf = (path: string) => statSync(path).mode & 0o777;

function refusedWith(code: string, pattern: RegExp) {
  return (error: Error & { code?: string }) => {
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  };
}

test("a new directory and all in it are for the owner alone, whatever the umask", async (t) => {
  const path = join(temporaryFolder(t), "deep", "data");
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const dir = await DataDir.open(path, { report });
  const log = DiskSpoolLog.open(dir.spoolFolder("west"), { report });
  log.append(message(1), 1, 0);
  await closeOf(log);
  assert.equal(dir.spoolFolder("west"), join(path, "spool", "west"));
  for (const folder of [path, join(path, "spool"), dir.spoolFolder("west")])
    assert.equal(modeOf(folder), 0o700, folder);
  assert.equal(modeOf(join(path, "lock.1")), 0o600);
  for (const name of readdirSync(dir.spoolFolder("west"))) {
    assert.equal(modeOf(join(dir.spoolFolder("west"), name)), 0o600);
  }
  dir.close();
});

test("permissions that are too wide are closed and named once", async (t) => {
  const path = temporaryFolder(t);
  mkdirSync(join(path, "spool", "west"), { recursive: true });
  const wide = [path, join(path, "spool"), join(path, "spool", "west")];
  for (const folder of wide) chmodSync(folder, 0o755);
  const file = join(path, "spool", "west", "000000000001.log");
  writeFileSync(file, "");
  writeFileSync(join(path, "journal"), "");
  chmodSync(file, 0o644);
  chmodSync(join(path, "journal"), 0o640);
  const reports = new Reports();
  (await DataDir.open(path, { report: reports.report })).close();
  for (const folder of wide) assert.equal(modeOf(folder), 0o700);
  for (const each of [file, join(path, "journal")]) assert.equal(modeOf(each), 0o600);
  assert.equal(reports.all.length, 5);
  (await DataDir.open(path, { report: reports.report })).close();
  assert.equal(reports.all.length, 5);
});

test("what cannot be closed to others is refused; a volume shared with the agent's group is not", async (t) => {
  const path = temporaryFolder(t);
  const foreign = (mode: number): FileSystem => ({
    ...diskFileSystem,
    state: (each) => {
      const state = diskFileSystem.state(each);
      return state === null || each !== path ? state : { ...state, mode };
    },
    setMode: () => {
      throw new Error("EPERM: operation not permitted");
    },
  });
  const refused = refusedWith("DATA_DIR_UNUSABLE", /permissions 0755: others can use it.*EPERM/);
  await assert.rejects(DataDir.open(path, { report, fs: foreign(0o755) }), refused);
  (await DataDir.open(path, { report, fs: foreign(0o770) })).close();
});

test("a directory full of something else is not taken, and its permissions stay", async (t) => {
  const path = temporaryFolder(t);
  chmodSync(path, 0o755);
  writeFileSync(join(path, "letters.txt"), "dear");
  await assert.rejects(DataDir.open(path, { report }), refusedWith("DATA_DIR_UNUSABLE", /not empty.*letters\.txt/));
  assert.equal(modeOf(path), 0o755);
  const file = join(path, "letters.txt");
  await assert.rejects(DataDir.open(file, { report }), refusedWith("DATA_DIR_UNUSABLE", /is not a directory/));
  const inTheWay = /letters\.txt is not a directory/;
  await assert.rejects(DataDir.open(join(file, "x"), { report }), refusedWith("DATA_DIR_UNUSABLE", inTheWay));
});

test("a second one is refused while the first lives, in the same process too, and welcome afterwards", async (t) => {
  const path = temporaryFolder(t);
  const first = await DataDir.open(path, { report });
  const locked = refusedWith("DATA_DIR_LOCKED", new RegExp(`in use by process ${process.pid}:`));
  await assert.rejects(DataDir.open(path, { report }), locked);
  // By another name, too.
  const alias = `${path}-alias`;
  symlinkSync(path, alias);
  t.after(() => diskFileSystem.remove(alias));
  await assert.rejects(DataDir.open(alias, { report }), locked);
  first.close();
  const second = await DataDir.open(path, { report });
  assert.deepEqual(readdirSync(path), ["lock.2"], "no leftovers");
  second.close();
});

test("a process that was killed leaves a lock that holds nobody; one that is stopped keeps it", async (t) => {
  const path = temporaryFolder(t);
  const child = await StoreChild.start(t, "lock", path);
  assert.equal(await child.nextLine(), "locked");
  child.signal("SIGSTOP");
  await assert.rejects(DataDir.open(path, { report }), refusedWith("DATA_DIR_LOCKED", /in use by another process/));
  child.signal("SIGCONT");
  const named = new RegExp(`in use by process ${child.pid}:`);
  await assert.rejects(DataDir.open(path, { report }), refusedWith("DATA_DIR_LOCKED", named));
  await child.kill();
  assert.ok(existsSync(join(path, "lock.1")), "it could not clean up");
  (await DataDir.open(path, { report })).close();
});

test("of many that find a dead lock at once, one gets it", async (t) => {
  const path = temporaryFolder(t);
  for (let round = 0; round < 10; round += 1) {
    const child = await StoreChild.start(t, "lock", path);
    assert.equal(await child.nextLine(), "locked");
    await child.kill();
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => DataDir.open(path, { report })));
    const winners = tries.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    assert.equal(winners.length, 1, `round ${round}`);
    for (const each of tries) if (each.status === "rejected") assert.equal(each.reason.code, "DATA_DIR_LOCKED");
    for (const winner of winners) winner.close();
  }
});

test("a path that is too long for a socket works all the same", async (t) => {
  const path = join(temporaryFolder(t), "x".repeat(120), "y".repeat(100));
  const first = await DataDir.open(path, { report });
  await assert.rejects(DataDir.open(path, { report }), refusedWith("DATA_DIR_LOCKED", /in use by process/));
  first.close();
  (await DataDir.open(path, { report })).close();
});
