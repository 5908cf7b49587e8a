import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Journal } from "../../src/store/journal.ts";
import type { DiskAnswer } from "../../src/store/store-problem.ts";
import { until } from "../support/until.ts";
import { FaultyDisk, hastyDisk, Reports, temporaryFolder } from "./rig.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const plain = (values: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...values].map(([key, value]) => [key, new TextDecoder().decode(value)]));

const closeOf = (journal: Journal) => new Promise<DiskAnswer>((resolve) => journal.close(resolve));
const syncOf = (journal: Journal) => new Promise<DiskAnswer>((resolve) => journal.sync(resolve));

function snapshotOf(journal: Journal, values: Record<string, string>): Promise<DiskAnswer> {
  return new Promise((resolve) => {
    journal.compact(
      Object.entries(values).map(([key, value]) => [key, bytes(value)] as const),
      resolve,
    );
  });
}

test("the last value of each key is there after an opening, and what was taken away is not", async (t) => {
  const path = join(temporaryFolder(t), "journal");
  const reports = new Reports();
  const { journal, values } = Journal.open(path, { report: reports.report });
  assert.deepEqual(plain(values), {});
  journal.put("a", bytes("1"));
  journal.put("ü/€", bytes(""));
  journal.put("gone", bytes("x"));
  assert.deepEqual(journal.write(), { ok: true });
  journal.put("a", bytes("2"));
  journal.put("gone", null);
  journal.write();
  // A kill: nobody closes anything.
  assert.deepEqual(plain(Journal.open(path, { report: reports.report }).values), { a: "2", "ü/€": "" });
  journal.put("late", bytes("y"));
  assert.deepEqual(plain(Journal.open(path, { report: reports.report }).values), { a: "2", "ü/€": "" });
  assert.ok((await closeOf(journal)).ok);
  assert.deepEqual(plain(Journal.open(path, { report: reports.report }).values), { a: "2", "ü/€": "", late: "y" });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(reports.all, []);
});

test("each write is one call to the disk; a sync follows by itself, once for all of them", async (t) => {
  const fs = new FaultyDisk();
  const { journal } = Journal.open(join(temporaryFolder(t), "journal"), { report: () => {}, fs, syncAfterMs: 10 });
  const before = fs.calls.get("write") ?? 0;
  for (let turn = 0; turn < 5; turn += 1) {
    for (let key = 0; key < 100; key += 1) journal.put(String(key), bytes(String(turn)));
    journal.write();
  }
  journal.write();
  assert.equal((fs.calls.get("write") ?? 0) - before, 5);
  await until("the sync", () => (fs.calls.get("sync") ?? 0) > 0);
  await closeOf(journal);
  assert.equal(fs.calls.get("sync"), 2, "one by itself, one at the end");
});

test("a journal that grew asks for a snapshot, and is small afterwards; what is put meanwhile is in both", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "journal");
  const fs = new FaultyDisk();
  const { journal } = Journal.open(path, { report: () => {}, fs });
  while (!journal.wantsSnapshot) {
    journal.put("k", new Uint8Array(50_000));
    journal.write();
  }
  const grown = journal.bytes;
  assert.ok(grown > 1024 * 1024 && grown < 1_300_000);
  fs.held = [];
  const done = snapshotOf(journal, { a: "1", b: "2" });
  assert.equal(journal.wantsSnapshot, false, "one at a time");
  journal.put("c", bytes("3"));
  journal.put("b", null);
  journal.write();
  const held = fs.held;
  assert.equal(
    plain(Journal.open(path, { report: () => {} }).values)["c"],
    "3",
    "killed now: the old file is complete",
  );
  fs.held = null;
  for (const act of held) act();
  assert.deepEqual(await done, { ok: true });
  assert.ok(journal.bytes < 1_000);
  assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), { a: "1", c: "3" });
  journal.put("d", bytes("4"));
  await closeOf(journal);
  assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), { a: "1", c: "3", d: "4" });
  assert.equal(existsSync(`${path}.new`), false);
});

test("a snapshot that fails leaves the journal as it was, and can be had later", async (t) => {
  const path = join(temporaryFolder(t), "journal");
  for (const failing of ["create", "write", "sync", "rename"] as const) {
    const fs = new FaultyDisk();
    const reports = new Reports();
    const { journal } = Journal.open(path, { report: reports.report, fs });
    journal.put("a", bytes(failing));
    journal.write();
    fs.failing.set(failing, "ENOSPC");
    const answer = await snapshotOf(journal, { a: "wrong" });
    assert.ok(!answer.ok && answer.code === "JOURNAL_WRITE_FAILED", failing);
    fs.failing.clear();
    journal.put("b", bytes(failing));
    assert.ok(journal.write().ok);
    assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), { a: failing, b: failing });
    assert.ok((await snapshotOf(journal, { a: "new" })).ok);
    assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), { a: "new" });
    await closeOf(journal);
  }
});

test("a disk that takes nothing: what was put stays, and goes out with the next write", async (t) => {
  const path = join(temporaryFolder(t), "journal");
  const fs = new FaultyDisk();
  const { journal } = Journal.open(path, { report: () => {}, fs });
  for (const room of [0, 1, 20, 60]) {
    fs.roomBytes = room;
    journal.put("k", bytes(`room for ${room} bytes, and for no more`));
    journal.put(`k${room}`, bytes("x".repeat(40)));
    const answer = journal.write();
    assert.ok(!answer.ok && answer.code === "JOURNAL_WRITE_FAILED" && /ENOSPC/.test(answer.reason));
    fs.roomBytes = Number.POSITIVE_INFINITY;
    const reports = new Reports();
    Journal.open(path, { report: reports.report });
    assert.deepEqual(reports.all, [], "no torn end is left");
    assert.ok(journal.write().ok);
    const { values } = Journal.open(path, { report: reports.report });
    assert.equal(plain(values)["k"], `room for ${room} bytes, and for no more`);
  }
  await closeOf(journal);
});

test("after a failed sync a new file is asked for: what the old one has on the disk nobody knows", async (t) => {
  const fs = new FaultyDisk();
  const { journal } = Journal.open(join(temporaryFolder(t), "journal"), { report: () => {}, fs });
  journal.put("a", bytes("1"));
  journal.write();
  fs.failing.set("sync", "EIO");
  assert.equal((await syncOf(journal)).ok, false);
  fs.failing.clear();
  assert.equal(journal.wantsSnapshot, true);
  assert.ok((await snapshotOf(journal, { a: "1" })).ok);
  assert.equal(journal.wantsSnapshot, false);
  await closeOf(journal);
});

async function sample(path: string): Promise<Buffer> {
  const { journal } = Journal.open(path, { report: () => {} });
  for (let number = 0; number < 12; number += 1) {
    journal.put(`key ${number % 5}`, bytes(`value ${number}`));
    journal.write();
  }
  await closeOf(journal);
  return readFileSync(path);
}

test("cut at any byte: what was whole is there; flipped at any byte: what was written before it is, and it is said", async (t) => {
  const path = join(temporaryFolder(t), "journal");
  const whole = await sample(path);
  /** The states that the journal went through. */
  const states: Record<string, string>[] = [{}];
  for (let number = 0; number < 12; number += 1) {
    states.push({ ...states.at(-1), [`key ${number % 5}`]: `value ${number}` });
  }
  const open = (content: Buffer) => {
    writeFileSync(path, content);
    const reports = new Reports();
    const { values } = Journal.open(path, { report: reports.report, fs: hastyDisk });
    const state = states.findIndex((each) => JSON.stringify(each) === JSON.stringify(plain(values)));
    assert.ok(state >= 0, `a state that never was: ${JSON.stringify(plain(values))}`);
    const again = new Reports();
    assert.deepEqual(plain(Journal.open(path, { report: again.report, fs: hastyDisk }).values), states[state]);
    assert.deepEqual(again.all, [], "the second opening finds it in order");
    return { state, reports };
  };
  let before = 0;
  let quiet = 0;
  for (let length = 0; length < whole.length; length += 1) {
    const { state, reports } = open(whole.subarray(0, length));
    assert.ok(state >= before && state < 12);
    before = state;
    if (reports.all.length === 0) quiet += 1;
  }
  assert.equal(quiet, 12, "only a cut between two records cannot be seen");
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    const { state, reports } = open(flipped);
    if (at < 128) assert.equal(state, 12, "one of the two heads is enough");
    else assert.match(reports.text, /JOURNAL_DAMAGED .*journal/);
    if (state < 11) assert.deepEqual(readFileSync(`${path}.damaged`), flipped, "kept for whoever wants to look");
  }
});

test("an emptied journal is reported, and one of another version refused and not touched", async (t) => {
  const path = join(temporaryFolder(t), "journal");
  const whole = await sample(path);
  writeFileSync(path, Buffer.alloc(0));
  const reports = new Reports();
  assert.deepEqual(plain(Journal.open(path, { report: reports.report }).values), {});
  assert.match(reports.text, /JOURNAL_DAMAGED .*no readable beginning \(0 bytes\)/);
  for (const at of [4, 68]) whole.writeUInt16BE(7, at);
  writeFileSync(path, whole);
  assert.throws(
    () => Journal.open(path, { report: () => {} }),
    (error: Error & { code?: string }) => error.code === "DATA_DIR_UNUSABLE" && /version 7/.test(error.message),
  );
  assert.deepEqual(readFileSync(path), whole);
});

test("any history of puts, writes, failures, snapshots and kills ends in the values written last", async (t) => {
  const root = temporaryFolder(t);
  let runs = 0;
  const key = fc.constantFrom("a", "b", "c/ü", "");
  const step = fc.oneof(
    fc.record({ what: fc.constant("put" as const), key, value: fc.option(fc.string({ maxLength: 30 })) }),
    fc.record({ what: fc.constant("write" as const), room: fc.option(fc.nat(80)) }),
    fc.record({ what: fc.constant("snapshot" as const) }),
    fc.record({ what: fc.constant("kill" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      runs += 1;
      const path = join(root, `journal-${runs}`);
      const fs = new FaultyDisk();
      let { journal } = Journal.open(path, { report: () => {}, fs });
      const written = new Map<string, string>();
      let put = new Map<string, string | null>();
      const now = () => {
        const all = new Map<string, string | null>([...written, ...put]);
        return Object.fromEntries([...all].filter((entry): entry is [string, string] => entry[1] !== null));
      };
      for (const each of steps) {
        if (each.what === "put") {
          journal.put(each.key, each.value === null ? null : bytes(each.value));
          put.set(each.key, each.value);
        } else if (each.what === "write") {
          fs.roomBytes = each.room ?? Number.POSITIVE_INFINITY;
          if (journal.write().ok) {
            for (const [name, value] of put) {
              if (value === null) written.delete(name);
              else written.set(name, value);
            }
            put = new Map();
          }
          fs.roomBytes = Number.POSITIVE_INFINITY;
        } else if (each.what === "snapshot") {
          const state = now();
          assert.ok((await snapshotOf(journal, state)).ok);
          written.clear();
          for (const [name, value] of Object.entries(state)) written.set(name, value);
        } else {
          const opened = Journal.open(path, { report: () => {}, fs });
          assert.deepEqual(plain(opened.values), Object.fromEntries(written));
          journal = opened.journal;
          put = new Map();
        }
      }
      assert.ok((await closeOf(journal)).ok);
      assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), now());
    }),
    { numRuns: 100 },
  );
});
