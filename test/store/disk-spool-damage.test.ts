import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { closeOf, contentOf, hastyDisk, message, Reports, syncOf, temporaryFolder } from "./rig.ts";

const SEGMENT_BYTES = 1_200;
const MESSAGES = 24;

/** A log of several small segments, as a kill leaves it, by file name. */
async function smallLog(root: string, clean: boolean): Promise<Map<string, Buffer>> {
  const folder = join(root, `template-${clean}`);
  const log = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: SEGMENT_BYTES });
  for (let number = 1; number <= MESSAGES; number += 1) log.append(message(number, 60), 60, number);
  log.write();
  await syncOf(log);
  log.free(3);
  log.write();
  if (clean) await closeOf(log);
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
}

function put(root: string, name: string, files: ReadonlyMap<string, Buffer>): string {
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  return folder;
}

function reopened(folder: string): { log: DiskSpoolLog; numbers: number[]; reports: Reports } {
  const reports = new Reports();
  const log = DiskSpoolLog.open(folder, { report: reports.report, segmentBytes: SEGMENT_BYTES, fs: hastyDisk });
  for (const [number, topic] of contentOf(log)) assert.equal(topic, `t/${number}`);
  return { log, numbers: contentOf(log).map(([number]) => number), reports };
}

/** What a closed log has, and a killed one: that two were freed was not worth a note of its own. */
const CLOSED = Array.from({ length: MESSAGES - 2 }, (_, index) => index + 3);
const KILLED = [1, 2, ...CLOSED];

test("cut at any byte of the last file: what is whole is kept, what is not is cut off, no number comes twice", async (t) => {
  const root = temporaryFolder(t);
  const files = await smallLog(root, false);
  const [name, bytes] = [...files].at(-1) ?? ["", Buffer.alloc(0)];
  assert.ok(files.size >= 3 && bytes.length > 300);
  let kept = 0;
  for (let length = 0; length < bytes.length; length += 1) {
    const folder = put(root, "cut", new Map([...files, [name, bytes.subarray(0, length)]]));
    const { log, numbers, reports } = reopened(folder);
    assert.deepEqual(numbers, KILLED.slice(0, numbers.length), `cut at ${length}: ${reports.text}`);
    assert.ok(numbers.length >= kept, "a longer file never holds less");
    kept = numbers.length;
    const next = log.append(message(log.lastNumber + 1), 1, 0);
    assert.ok(next > MESSAGES, `cut at ${length}: a number was given again`);
    assert.equal(log.counters.lost, 0, "what was never whole is no loss");
    log.write();
    // And the cut is healed: the next opening finds nothing to say.
    assert.deepEqual(reopened(folder).reports.all, []);
  }
  assert.equal(kept, KILLED.length - 1, "without its last byte the last message is none");
});

test("a flipped bit at any byte of any file costs one message at most, is counted and named", async (t) => {
  const root = temporaryFolder(t);
  for (const clean of [true, false]) {
    const files = await smallLog(root, clean);
    const last = [...files.keys()].at(-1);
    for (const [name, bytes] of files) {
      for (let at = 0; at < bytes.length; at += 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        const folder = put(root, "flip", new Map([...files, [name, flipped]]));
        const { log, numbers, reports } = reopened(folder);
        const missing = (clean ? CLOSED : KILLED).filter((number) => !numbers.includes(number));
        const where = `${clean ? "closed" : "killed"}, ${name}, byte ${at}: ${reports.text}`;
        // Of the notes of what was freed one may be gone: then messages come back, which the peer knows.
        assert.ok(
          numbers.every((number) => number >= 1 && number <= MESSAGES),
          where,
        );
        assert.ok(missing.length <= 1, where);
        assert.ok(log.append(message(99), 1, 0) > MESSAGES, where);
        const isCounted = log.counters.lost === missing.length;
        // The very last record of a killed log may as well be one that was not written to its end.
        const isTorn = name === last && missing[0] === MESSAGES;
        assert.ok(isCounted || isTorn, `${log.counters.lost} lost, ${where}`);
        if (missing.length > 0) assert.match(reports.text, new RegExp(`SPOOL_DAMAGED .*${name}`), where);
        // The two heads alone may be damaged without a word: each stands for the other.
        if (at >= 128) assert.ok(reports.all.length > 0, where);
      }
    }
  }
});

test("a file that is missing is counted and named, the rest is kept", async (t) => {
  const root = temporaryFolder(t);
  const files = await smallLog(root, true);
  const names = [...files.keys()];
  for (const name of names.slice(0, -1)) {
    const folder = put(root, "missing", files);
    rmSync(join(folder, name));
    const { log, numbers, reports } = reopened(folder);
    assert.ok(numbers.length < CLOSED.length, name);
    assert.equal(log.counters.lost, CLOSED.length - numbers.length, reports.text);
    assert.match(reports.text, /messages before .* are missing, numbers \d+ to \d+/);
    assert.equal(log.append(message(99), 1, 0), MESSAGES + 1);
  }
  // Of the last file nobody knows how many it held; its numbers are not used again all the same.
  const folder = put(root, "missing-last", files);
  rmSync(join(folder, names.at(-1) ?? ""));
  const { log, numbers } = reopened(folder);
  assert.deepEqual(numbers, KILLED.slice(0, numbers.length), "the note of what was freed was in it");
  assert.ok(log.append(message(99), 1, 0) > MESSAGES);
});

test("a file of no bytes, or without a readable beginning, is named, kept aside, and costs no other", async (t) => {
  const root = temporaryFolder(t);
  const files = await smallLog(root, false);
  const names = [...files.keys()];
  for (const name of names) {
    for (const what of ["empty", "rubbish"]) {
      const folder = put(root, "headless", files);
      if (what === "empty") truncateSync(join(folder, name), 0);
      else writeFileSync(join(folder, name), Buffer.alloc(4_096, 0xa5));
      const { log, numbers, reports } = reopened(folder);
      assert.ok(numbers.length > 0 && numbers.length < KILLED.length);
      if (name !== names.at(-1)) assert.equal(log.counters.lost, KILLED.length - numbers.length, reports.text);
      assert.match(
        reports.text,
        new RegExp(what === "empty" ? `${name} is empty` : `${name} has no readable beginning`),
      );
      assert.equal(readdirSync(folder).includes("damaged"), what === "rubbish");
      assert.ok(log.append(message(99), 1, 0) > MESSAGES);
      assert.deepEqual(reopened(folder).numbers, numbers, "the next opening finds the same");
    }
  }
});

test("a spool of another version is refused, and nothing of it is touched", async (t) => {
  const root = temporaryFolder(t);
  const files = await smallLog(root, true);
  const foreign = new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes)]));
  for (const bytes of foreign.values()) for (const at of [0, 64]) bytes.writeUInt16BE(2, at + 4);
  const folder = put(root, "foreign", foreign);
  assert.throws(
    () => DiskSpoolLog.open(folder, { report: () => {} }),
    (error: Error & { code?: string }) => error.code === "DATA_DIR_UNUSABLE" && /version 2/.test(error.message),
  );
  for (const [name, bytes] of foreign) assert.deepEqual(readFileSync(join(folder, name)), bytes);
});

test("a file of another stream is left out and named", async (t) => {
  const root = temporaryFolder(t);
  const files = await smallLog(root, true);
  const other = await smallLog(temporaryFolder(t), true);
  const [stranger] = [...other.values()];
  const folder = put(root, "other", new Map([["000000000000.log", stranger ?? Buffer.alloc(0)], ...files]));
  const { numbers, reports } = reopened(folder);
  assert.deepEqual(numbers, CLOSED);
  assert.match(reports.text, /000000000000.log belongs to another stream/);
});

test("a record inside a payload is not taken for one when the message around it is damaged", async (t) => {
  const root = temporaryFolder(t);
  const inner = [...(await smallLog(root, false)).values()].at(-2) ?? Buffer.alloc(0);
  const folder = join(root, "nested");
  const log = DiskSpoolLog.open(folder, { report: () => {} });
  log.append({ ...message(1), payload: inner }, inner.length, 0);
  log.append(message(2), 1, 0);
  log.write();
  const name = readdirSync(folder)[0] ?? "";
  const bytes = readFileSync(join(folder, name));
  bytes[150] = (bytes[150] ?? 0) ^ 1;
  writeFileSync(join(folder, name), bytes);
  const { numbers, log: again } = reopened(folder);
  assert.deepEqual([numbers, again.counters.lost], [[2], 1]);
});

test("what is damaged while the log is open is counted when it is read", async (t) => {
  const folder = temporaryFolder(t);
  const reports = new Reports();
  const log = DiskSpoolLog.open(folder, { report: reports.report, segmentBytes: SEGMENT_BYTES });
  for (let number = 1; number <= 200; number += 1) {
    log.append(message(number, 60), 60, number);
    log.write();
  }
  await syncOf(log);
  const name = readdirSync(folder).sort()[3] ?? "";
  const bytes = readFileSync(join(folder, name));
  bytes[300] = (bytes[300] ?? 0) ^ 0x10;
  writeFileSync(join(folder, name), bytes);
  const gone = readdirSync(folder).sort()[5] ?? "";
  rmSync(join(folder, gone));
  const numbers = contentOf(log).map(([number]) => number);
  assert.ok(numbers.length < 200 && numbers.length > 180);
  assert.equal(log.counters.lost, 200 - numbers.length);
  assert.equal(log.bytes, 60 * numbers.length);
  assert.match(reports.text, new RegExp(`1 messages of .*${name} cannot be read: damaged`));
  assert.match(reports.text, new RegExp(`messages of .*${gone} cannot be read: ENOENT`));
  log.free(201);
  assert.equal(log.bytes, 0);
});
