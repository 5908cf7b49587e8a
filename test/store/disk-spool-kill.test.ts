import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { until } from "../support/until.ts";
import { closeOf, contentOf, message, Reports, syncOf, temporaryFolder } from "./rig.ts";
import { StoreChild } from "./store-child.ts";

const KILLS = Number(process.env["STORE_KILLS"] ?? 12);

/** The last of the lines that begin with `word`, as numbers. */
function last(lines: readonly string[], word: string): number[] {
  const line = lines.findLast((each) => each.startsWith(`${word} `)) ?? word;
  return line.split(" ").slice(1).map(Number);
}

test("killed at any moment: all that was called durable is there, whole, and no number is given again", async (t) => {
  const folder = join(temporaryFolder(t), "log");
  let stream: string | undefined;
  let given = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = await StoreChild.start(t, "spool", folder);
    const lines = 3 + Math.floor(Math.random() * 300);
    await until(`${lines} lines`, () => child.lines.length >= lines, 60_000);
    await child.kill();
    const first = child.lines[0] ?? "";
    stream ??= first;
    assert.equal(first, stream, "one stream as long as there is a log");
    const [durable = 0] = last(child.lines, "durable");
    const [freed = 0] = last(child.lines, "freed");
    const firstGiven = last(child.lines.slice(0, 3), "given")[0] ?? 0;
    assert.ok(firstGiven - 19 > given, `${firstGiven - 19} was given before, the last was ${given}`);
    given = last(child.lines, "given")[0] ?? given;
    const reports = new Reports();
    const log = DiskSpoolLog.open(folder, { report: reports.report, segmentBytes: 64 * 1024 });
    const content = contentOf(log);
    const kept = new Set(content.map(([number]) => number));
    for (const [number, topic] of content) {
      assert.equal(topic, `t/${number}`);
      const { payload } = log.get(number)?.message ?? message(0);
      assert.ok(Buffer.from(payload).equals(message(number, (number * 37) % 900).payload), `payload of ${number}`);
    }
    // Nothing durable is below the base: it is what was freed, or the first of this life if all before the gap was freed.
    const from = Math.max(freed, firstGiven - 19);
    assert.ok(log.base <= from || durable < from, `${log.base}, but only what is below ${freed} was freed`);
    for (let number = Math.max(log.base, firstGiven - 19); number <= durable; number += 1) {
      assert.ok(kept.has(number), `${number} of ${durable} is gone after kill ${kill}: ${reports.text}`);
    }
    assert.equal(log.counters.lost, 0, reports.text);
    given = Math.max(given, log.lastNumber);
    await closeOf(log);
  }
});

test("a limit on the size of files, and a kill: what a real disk refuses is taken back, the durable is there", {
  skip: existsSync("/usr/bin/prlimit") ? false : "prlimit is not installed",
}, async (t) => {
  const folder = join(temporaryFolder(t), "log");
  const child = await StoreChild.start(t, "spool", folder, ["/usr/bin/prlimit", "--fsize=40000"]);
  await until("a refusal", () => child.lines.some((line) => line.startsWith("failed EFBIG")), 30_000);
  await child.kill();
  const [durable = 0] = last(child.lines, "durable");
  const reports = new Reports();
  const log = DiskSpoolLog.open(folder, { report: reports.report, segmentBytes: 64 * 1024 });
  const kept = new Set(contentOf(log).map(([number]) => number));
  assert.ok(durable > 0);
  for (let number = log.base; number <= durable; number += 1) assert.ok(kept.has(number), `${number} of ${durable}`);
  // The kill may come between a write that was cut short and its being taken back.
  assert.equal(log.counters.lost, 0, JSON.stringify(reports.all));
  for (const name of readdirSync(folder)) assert.ok(statSync(join(folder, name)).size <= 40_000);
  await closeOf(log);
});

/** A disk of one megabyte, where this machine lets us have one. */
function smallDisk(folder: string): boolean {
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "brokerlink-test", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("a disk that is really full, and then has room; one that is really read-only", async (t) => {
  const folder = join(temporaryFolder(t), "disk");
  if (!smallDisk(folder)) return t.skip("this user may not mount a tmpfs");
  try {
    const log = DiskSpoolLog.open(join(folder, "log"), { report: () => {}, segmentBytes: 100_000 });
    let answer = log.write();
    while (answer.ok) {
      for (let count = 0; count < 10; count += 1) log.append(message(log.lastNumber + 1, 1_000), 1, 0);
      answer = log.write();
      if (answer.ok) await syncOf(log);
    }
    assert.match(answer.reason, /ENOSPC/);
    const durable = log.durableNumber;
    assert.ok(durable > 500 && durable < log.lastNumber);
    assert.equal(log.write().ok, false);
    assert.equal(contentOf(log).length, log.lastNumber, "what waits is there, and what is on the disk");
    // The peer confirms some, and there is room.
    log.free(500);
    assert.ok(log.write().ok);
    assert.ok((await syncOf(log)).ok);
    assert.equal(log.durableNumber, log.lastNumber);
    assert.ok((await closeOf(log)).ok);
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const refused = (error: Error & { code?: string }) =>
      error.code === "DATA_DIR_UNUSABLE" && /EROFS/.test(error.message);
    assert.throws(() => DiskSpoolLog.open(join(folder, "log"), { report: () => {} }), refused);
    execFileSync("mount", ["-o", "remount,rw", folder]);
    const reports = new Reports();
    const again = DiskSpoolLog.open(join(folder, "log"), { report: reports.report });
    assert.equal(again.lastNumber, log.lastNumber);
    assert.equal(contentOf(again).length, again.lastNumber + 1 - again.base);
    assert.deepEqual(reports.all, []);
    await closeOf(again);
  } finally {
    execFileSync("umount", ["-l", folder]);
  }
});

test("200 MB in and out again in order: memory stays where it was", async (t) => {
  const log = DiskSpoolLog.open(join(temporaryFolder(t), "log"), { report: () => {} });
  const collect = globalThis.gc ?? (() => {});
  const used = () => {
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return { heapUsed, external: Math.max(external, arrayBuffers), logBytes: log.memoryBytes };
  };
  const before = used();
  let logBytesMax = 0;
  const payload = new Uint8Array(1_000);
  const body = { ...message(1), payload };
  for (let turn = 0; turn < 2_000; turn += 1) {
    for (let count = 0; count < 100; count += 1) log.append(body, 1_040, turn);
    log.write();
    if (turn % 20 === 0) await syncOf(log);
    logBytesMax = Math.max(logBytesMax, log.memoryBytes);
  }
  await syncOf(log);
  assert.equal(log.bytes, 200_000 * 1_040);
  const full = used();
  let externalMax = 0;
  for (let number = 1; number <= 200_000; number += 1) {
    const entry = log.get(number);
    assert.ok(entry !== undefined && entry.message.payload.length === 1_000);
    if (number % 100 === 0) log.free(number + 1);
    if (number % 2_000 === 0) {
      logBytesMax = Math.max(logBytesMax, log.memoryBytes);
      // The loop of an agent turns; buffers that nobody holds any more are collected only then.
      await new Promise((resolve) => setImmediate(resolve));
      externalMax = Math.max(externalMax, process.memoryUsage().external);
    }
  }
  const after = used();
  t.diagnostic(JSON.stringify({ before, full, after, logBytesMax, externalMax }));
  const mega = 1024 * 1024;
  assert.ok(logBytesMax < 8 * mega, `${logBytesMax} bytes of segments in memory`);
  assert.ok(full.heapUsed - before.heapUsed < 20 * mega, "the heap does not grow with the backlog");
  assert.ok(externalMax - before.external < 64 * mega, `${externalMax} bytes outside the heap`);
  assert.equal(log.bytes, 0);
  await closeOf(log);
});
