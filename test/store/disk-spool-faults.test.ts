import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { closeOf, contentOf, FaultyDisk, message, Reports, syncOf, temporaryFolder } from "./rig.ts";

function numbersOf(log: DiskSpoolLog): number[] {
  return contentOf(log).map(([number]) => number);
}

/** What a kill at this moment leaves. */
function copyOf(folder: string, t: TestContext): string {
  const copy = temporaryFolder(t);
  for (const name of readdirSync(folder)) writeFileSync(join(copy, name), readFileSync(join(folder, name)));
  return copy;
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("a full disk: nothing is durable, nothing is lost, and once there is room it goes on", async (t) => {
  const folder = temporaryFolder(t);
  const fs = new FaultyDisk();
  const reports = new Reports();
  const log = DiskSpoolLog.open(folder, { report: reports.report, fs, segmentBytes: 2_000 });
  log.append(message(1), 1, 0);
  log.write();
  await syncOf(log);
  for (const room of [0, 1, 7, 100, 1_999, 3_000]) {
    fs.roomBytes = room;
    const before = log.durableNumber;
    for (let count = 0; count < 40; count += 1) log.append(message(log.lastNumber + 1, 80), 1, 0);
    const answer = log.write();
    assert.ok(!answer.ok && answer.code === "SPOOL_WRITE_FAILED" && /ENOSPC/.test(answer.reason));
    await syncOf(log);
    assert.equal(log.durableNumber, before);
    assert.deepEqual(numbersOf(log), upTo(log.lastNumber), "all of it can be read and sent meanwhile");
    // A kill at this moment would leave all that was durable, and no torn record that hides anything.
    const killed = DiskSpoolLog.open(copyOf(folder, t), { report: () => {}, segmentBytes: 2_000 });
    assert.ok(numbersOf(killed).length >= before);
    assert.ok(killed.append(message(1), 1, 0) > log.lastNumber);
    fs.roomBytes = Number.POSITIVE_INFINITY;
    assert.ok(log.write().ok);
    assert.ok((await syncOf(log)).ok);
    assert.equal(log.durableNumber, log.lastNumber);
  }
  assert.equal(log.counters.writeFailures, 6);
  await closeOf(log);
  const again = DiskSpoolLog.open(folder, { report: reports.report });
  assert.deepEqual(numbersOf(again), upTo(log.lastNumber));
  assert.deepEqual(reports.all, [], "no trace of the trouble is left");
  await closeOf(again);
});

test("what was written in part is taken back; where even that fails, it is written over", async (t) => {
  for (const truncateFails of [false, true]) {
    const folder = temporaryFolder(t);
    const fs = new FaultyDisk();
    const log = DiskSpoolLog.open(folder, { report: () => {}, fs });
    const path = join(folder, readdirSync(folder)[0] ?? "");
    const sizeBefore = readFileSync(path).length;
    fs.roomBytes = 50;
    if (truncateFails) fs.failing.set("truncate", "EIO");
    log.append(message(1, 200), 1, 0);
    assert.equal(log.write().ok, false);
    assert.equal(readFileSync(path).length, sizeBefore + (truncateFails ? 50 : 0));
    fs.roomBytes = Number.POSITIVE_INFINITY;
    fs.failing.clear();
    assert.equal(log.write().ok, true);
    await closeOf(log);
    const reports = new Reports();
    assert.deepEqual(numbersOf(DiskSpoolLog.open(folder, { report: reports.report })), [1]);
    assert.deepEqual(reports.all, []);
  }
});

test("a disk that becomes read-only or broken answers with its own words", (t) => {
  for (const code of ["EROFS", "EIO", "EDQUOT"]) {
    const fs = new FaultyDisk();
    const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {}, fs });
    log.append(message(1), 1, 0);
    fs.failing.set("write", code);
    const answer = log.write();
    assert.ok(!answer.ok && answer.code === "SPOOL_WRITE_FAILED" && answer.reason.startsWith(code));
    fs.failing.clear();
    assert.ok(log.write().ok);
  }
});

test("a spool cannot be opened on a disk that takes nothing: said with its code and path", (t) => {
  const calls = ["makeFolder", "list", "create", "write", "syncNow", "syncFolderNow"] as const;
  for (const call of calls) {
    const fs = new FaultyDisk();
    fs.failing.set(call, "EROFS");
    const folder = join(temporaryFolder(t), "x");
    assert.throws(
      () => DiskSpoolLog.open(folder, { report: () => {}, fs }),
      (error: Error & { code?: string }) =>
        error.code === "DATA_DIR_UNUSABLE" && error.message.includes(folder) && /EROFS/.test(error.message),
      call,
    );
  }
});

test("after a failed sync all of it is written again, to another file, and only that makes it durable", async (t) => {
  for (const failing of ["sync", "syncFolder"] as const) {
    const folder = temporaryFolder(t);
    const fs = new FaultyDisk();
    const log = DiskSpoolLog.open(folder, { report: () => {}, fs, segmentBytes: 2_000 });
    for (let number = 1; number <= 5; number += 1) log.append(message(number), 1, 0);
    log.write();
    await syncOf(log);
    fs.failing.set(failing, "EIO");
    for (let number = 6; number <= 60; number += 1) log.append(message(number, 100), 1, 0);
    log.write();
    const answer = await syncOf(log);
    assert.ok(!answer.ok && answer.code === "SPOOL_WRITE_FAILED" && /EIO/.test(answer.reason));
    fs.failing.clear();
    // Linux forgets the error: asking again would be answered with success. So what was asked for must be new.
    assert.ok((await syncOf(log)).ok);
    assert.equal(log.durableNumber, 5, `${failing}: a sync alone proves nothing`);
    assert.ok(log.write().ok);
    assert.ok((await syncOf(log)).ok);
    assert.equal(log.durableNumber, 60);
    assert.equal(log.counters.syncFailures, 1);
    assert.deepEqual(numbersOf(log), upTo(60));
    assert.equal(log.bytes, 60);
    await closeOf(log);
    const reports = new Reports();
    assert.deepEqual(numbersOf(DiskSpoolLog.open(folder, { report: reports.report })), upTo(60));
    assert.deepEqual(reports.all, []);
  }
});

test("memory that waits for a disk has a limit: past it a message is not kept, and counted", async (t) => {
  const fs = new FaultyDisk();
  const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {}, fs, pendingBytesMax: 20_000 });
  fs.failing.set("write", "ENOSPC");
  assert.equal(log.isFull, false);
  for (let number = 1; number <= 100; number += 1) {
    log.append(message(number, 1_000), 1, 0);
    log.write();
    if (number === 12) assert.equal(log.isFull, true, "told in good time");
  }
  assert.ok(log.pendingBytes <= 20_000);
  const kept = numbersOf(log);
  assert.equal(kept.length + log.counters.refused, 100);
  assert.ok(kept.length >= 15);
  fs.failing.clear();
  log.write();
  await syncOf(log);
  assert.equal(log.append(message(101), 1, 0), 101, "it goes on");
  log.write();
  await syncOf(log);
  assert.equal(log.durableNumber, 101);
  assert.deepEqual(numbersOf(log), [...kept, 101]);
});

test("numbers on a disk that takes nothing are not called durable past what a later life would skip", async (t) => {
  const folder = temporaryFolder(t);
  const fs = new FaultyDisk();
  const log = DiskSpoolLog.open(folder, { report: () => {}, fs });
  fs.failing.set("write", "EIO");
  let given = 0;
  // The peer takes all of it meanwhile, so that nothing waits: only the numbers go on, as long as acknowledgements do.
  while (log.durableNumber === given && given < 200_000) {
    given = log.append(message(1, 0), 1, 0);
    log.free(given + 1);
  }
  assert.ok(given > 10_000 && given < 20_000, `stopped at ${given}`);
  // The most that a broker may still have under way.
  for (let more = 0; more < 16_000; more += 1) given = log.append(message(1, 0), 1, 0);
  const next = DiskSpoolLog.open(copyOf(folder, t), { report: () => {} }).append(message(1), 1, 0);
  assert.ok(next > given, `${next} was given before`);
  // With a disk again, all is well.
  fs.failing.clear();
  log.write();
  await syncOf(log);
  assert.equal(log.durableNumber, given);
});

test("a segment freed while the disk is at work on it is closed afterwards, not before", async (t) => {
  const fs = new FaultyDisk();
  const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {}, fs, segmentBytes: 1_000 });
  for (let number = 1; number <= 40; number += 1) log.append(message(number, 100), 1, 0);
  log.write();
  fs.held = [];
  const first = syncOf(log);
  log.free(35);
  const held = fs.held;
  fs.held = null;
  for (const act of held) act();
  assert.ok((await first).ok);
  log.free(41);
  assert.ok((await closeOf(log)).ok);
});

test("numbers that were never given are not missed, even if the first file of a life has to be written again", async (t) => {
  const folder = temporaryFolder(t);
  const fs = new FaultyDisk();
  const reports = new Reports();
  const open = () => DiskSpoolLog.open(folder, { report: reports.report, fs });
  const first = open();
  first.append(message(1), 7, 0);
  assert.deepEqual(await closeOf(first), { ok: true });
  // Its end is not clean: the next life goes on far behind it.
  open();
  let log = open();
  const number = log.append(message(2), 7, 0);
  assert.ok(number > 2);
  for (let time = 1; time <= 2; time += 1) {
    fs.failing.set("sync", "EIO");
    log.write();
    assert.equal((await syncOf(log)).ok, false);
    fs.failing.clear();
  }
  for (let life = 1; life <= 2; life += 1) {
    assert.deepEqual(await closeOf(log), { ok: true });
    log = open();
    assert.deepEqual([numbersOf(log), log.counters.lost], [[1, number], 0]);
  }
  assert.deepEqual(reports.all, []);
});
