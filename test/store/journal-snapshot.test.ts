import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { Journal, type JournalOptions } from "../../src/store/journal.ts";
import type { DiskAnswer } from "../../src/store/store-problem.ts";
import { until } from "../support/until.ts";
import { FaultyDisk, hastyDisk, Reports, temporaryFolder } from "./rig.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const plain = (values: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...values].map(([key, value]) => [key, new TextDecoder().decode(value)]).sort());
const round = () => new Promise<void>((done) => setImmediate(done));
const closeOf = (journal: Journal) => new Promise<DiskAnswer>((resolve) => journal.close(resolve));

/** One entry for each slice: the clock is looked at once in 64 entries, and with `sliceMs: 0` it is always time. */
function* oneBySlice(entries: Iterable<readonly [string, string]>): Generator<readonly [string, Uint8Array] | null> {
  for (const [key, value] of entries) {
    yield [key, bytes(value)];
    for (let nothing = 0; nothing < 63; nothing += 1) yield null;
  }
}

/** A journal whose snapshots take one round for each entry, and its owner's state. */
class Rig {
  readonly path: string;
  readonly fs = new FaultyDisk();
  readonly reports = new Reports();
  readonly owned = new Map<string, string>();
  readonly journal: Journal;
  answer: DiskAnswer | null = null;

  constructor(t: TestContext, keys = 0, options: Partial<JournalOptions> = {}) {
    this.path = join(temporaryFolder(t), "journal");
    this.journal = Journal.open(this.path, {
      report: this.reports.report,
      fs: this.fs,
      sliceMs: 0,
      ...options,
    }).journal;
    for (let key = 0; key < keys; key += 1) this.set(`key ${key}`, "old");
    this.journal.write();
  }

  set(key: string, value: string | null): void {
    this.journal.put(key, value === null ? null : bytes(value));
    if (value === null) this.owned.delete(key);
    else this.owned.set(key, value);
  }

  /** `entries`: what the owner hands out; its state as it is now, unless given. */
  compact(entries: Iterable<readonly [string, string]> = [...this.owned]): void {
    this.answer = null;
    this.journal.compact(oneBySlice(entries), (answer) => {
      this.answer = answer;
    });
  }

  async ended(): Promise<void> {
    await until("the end of the snapshot", () => this.answer !== null);
  }

  /** What an agent finds that starts now, without touching the files. */
  found(): Record<string, string> {
    const copy = `${this.path}-copy`;
    writeFileSync(copy, readFileSync(this.path));
    const reports = new Reports();
    const { values } = Journal.open(copy, { report: reports.report, fs: hastyDisk });
    assert.deepEqual(reports.all, []);
    return plain(values);
  }

  get state(): Record<string, string> {
    return Object.fromEntries([...this.owned].sort());
  }
}

test("a large state is written over many rounds of the event loop, a small part in each", async (t) => {
  const rig = new Rig(t);
  const total = 200_000;
  let taken = 0;
  const journal = Journal.open(`${rig.path}-large`, { report: rig.reports.report }).journal;
  function* entries(): Generator<readonly [string, Uint8Array]> {
    for (; taken < total; taken += 1) yield [`row/8/client ${taken}/site/device/${taken}/state`, bytes("")];
  }
  let answer: DiskAnswer | null = null;
  journal.compact(entries(), (given) => {
    answer = given;
  });
  let most = taken;
  while (answer === null && taken < total) {
    const before = taken;
    await round();
    most = Math.max(most, taken - before);
  }
  assert.ok(taken === total && most < total / 4, `${most} of ${total} in one round`);
  await until("the end of the snapshot", () => answer !== null);
  assert.deepEqual(answer, { ok: true });
  await closeOf(journal);
  assert.equal(Journal.open(`${rig.path}-large`, { report: rig.reports.report }).values.size, total);
  await closeOf(rig.journal);
});

test("what is put while slices are written counts, wherever the owner's walk is, and whatever that hands out", async (t) => {
  const rig = new Rig(t, 6);
  rig.compact();
  await round();
  rig.set("key 0", "after its slice");
  rig.set("key 4", "before its slice, which still has the old one");
  rig.set("key 5", null);
  rig.set("new", "1");
  rig.journal.write();
  assert.equal(rig.answer, null, "it is under way");
  rig.set("key 3", "put, and written later");
  await round();
  rig.journal.write();
  await rig.ended();
  assert.deepEqual(rig.answer, { ok: true });
  assert.deepEqual(rig.found(), rig.state);
  rig.set("key 0", "in the new file");
  await closeOf(rig.journal);
  assert.deepEqual(rig.found(), rig.state);
});

test("a crash behind any call to the disk leaves what was written by then", async (t) => {
  const rig = new Rig(t, 12);
  const before = { ...rig.state };
  let [calls, renames] = [0, 0];
  /** While one write goes to both files, either state may be found. */
  let allowed: Record<string, string>[] = [before];
  const look = () => {
    calls += 1;
    const found = rig.found();
    assert.ok(
      allowed.some((state) => JSON.stringify(state) === JSON.stringify(found)),
      `call ${calls}: ${JSON.stringify(found)}`,
    );
  };
  for (const name of ["create", "write", "truncate", "rename", "remove"] as const) {
    const act = rig.fs[name].bind(rig.fs) as (...args: unknown[]) => unknown;
    const watched = (...args: unknown[]) => {
      const answer = act(...args);
      if (name === "rename") renames += 1;
      look();
      return answer;
    };
    Object.assign(rig.fs, { [name]: watched });
  }
  rig.compact();
  for (let turn = 0; rig.answer === null; turn += 1) {
    const earlier = { ...rig.state };
    rig.set(`key ${(turn * 5) % 12}`, turn % 3 === 0 ? null : `turn ${turn}`);
    allowed = [earlier, { ...rig.state }];
    rig.journal.write();
    allowed = [{ ...rig.state }];
    look();
    await round();
  }
  assert.deepEqual([rig.answer, renames, calls > 40], [{ ok: true }, 1, true], `${calls} calls`);
  await closeOf(rig.journal);
});

test("a disk that fails in the middle leaves the journal as it was; a later snapshot begins from the beginning", async (t) => {
  for (const failing of ["slice", "put"] as const) {
    const rig = new Rig(t, 8);
    rig.compact();
    await round();
    rig.set("key 0", "new");
    if (failing === "slice") {
      rig.journal.write();
      rig.fs.failing.set("write", "ENOSPC");
      await rig.ended();
    } else {
      // The old file takes it, the new one does not.
      const write = rig.fs.write.bind(rig.fs);
      let calls = 0;
      rig.fs.write = (...args) => {
        calls += 1;
        if (calls === 2) throw new Error("ENOSPC: simulated");
        return write(...args);
      };
      assert.ok(rig.journal.write().ok);
      await rig.ended();
    }
    rig.fs.failing.clear();
    assert.match(JSON.stringify(rig.answer), /"ok":false,"code":"JOURNAL_WRITE_FAILED"/);
    assert.match(rig.reports.text, /the snapshot .*ENOSPC/);
    assert.equal(existsSync(`${rig.path}.new`), false);
    assert.deepEqual(rig.found(), rig.state);
    rig.compact();
    await rig.ended();
    assert.deepEqual(rig.answer, { ok: true });
    assert.deepEqual(rig.found(), rig.state);
    await closeOf(rig.journal);
  }
});

test("a journal that is closed between two slices is the old one, whole", async (t) => {
  const rig = new Rig(t, 8);
  rig.compact();
  await round();
  rig.set("key 1", "last");
  assert.deepEqual(await closeOf(rig.journal), { ok: true });
  await rig.ended();
  assert.equal(rig.answer?.ok, false);
  assert.equal(existsSync(`${rig.path}.new`), false);
  assert.deepEqual(rig.found(), rig.state);
});

test("what was put while the disk took the new file is synced there too", async (t) => {
  const rig = new Rig(t, 1, { syncAfterMs: 10 });
  await until("the first sync", () => rig.fs.calls.get("sync") === 1);
  rig.fs.held = [];
  rig.compact();
  await until("the sync of the new file", () => rig.fs.held?.length === 1);
  rig.set("key 0", "new");
  rig.journal.write();
  await until("the sync of the old file", () => rig.fs.held?.length === 2);
  const held = rig.fs.held;
  rig.fs.held = null;
  for (const act of held) act();
  await rig.ended();
  await until("a sync of the new file that has it", () => rig.fs.calls.get("sync") === 4);
  await closeOf(rig.journal);
  assert.deepEqual(rig.found(), rig.state);
});

test("any history with snapshots in slices ends, at a kill at any point, in the values written last", async (t) => {
  const root = temporaryFolder(t);
  let [runs, takeovers, cut] = [0, 0, 0];
  const step = fc.oneof(
    fc.record({
      what: fc.constant("put" as const),
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      value: fc.option(fc.string({ maxLength: 10 })),
    }),
    fc.record({ what: fc.constant("write" as const), room: fc.option(fc.nat(80)) }),
    fc.record({ what: fc.constantFrom("snapshot", "snapshot", "round", "end", "kill") }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      runs += 1;
      const path = join(root, `journal-${runs}`);
      let fs = new FaultyDisk();
      let { journal } = Journal.open(path, { report: () => {}, fs, sliceMs: 0 });
      let snapshot: Promise<unknown> | null = null;
      const written = new Map<string, string>();
      let put = new Map<string, string | null>();
      const write = (room: number | null) => {
        fs.roomBytes = room ?? Number.POSITIVE_INFINITY;
        const isWritten = journal.write().ok;
        fs.roomBytes = Number.POSITIVE_INFINITY;
        if (!isWritten) return;
        for (const [key, value] of put) {
          if (value === null) written.delete(key);
          else written.set(key, value);
        }
        put = new Map();
      };
      for (const each of steps) {
        if ("key" in each) {
          journal.put(each.key, each.value === null ? null : bytes(each.value));
          put.set(each.key, each.value);
        } else if ("room" in each) write(each.room);
        else if (each.what === "snapshot" && snapshot === null) {
          write(null);
          snapshot = new Promise<void>((done) =>
            journal.compact(oneBySlice([...written]), (answer) => {
              if (answer.ok) takeovers += 1;
              snapshot = null;
              done();
            }),
          );
        } else if (each.what === "round") await round();
        else if (each.what === "end") await snapshot;
        else if (each.what === "kill") {
          if (snapshot !== null) cut += 1;
          for (const name of ["write", "truncate", "rename", "remove", "sync"] as const) fs.failing.set(name, "EIO");
          await snapshot;
          fs = new FaultyDisk();
          const opened = Journal.open(path, { report: () => {}, fs, sliceMs: 0 });
          assert.deepEqual(plain(opened.values), Object.fromEntries([...written].sort()));
          journal = opened.journal;
          put = new Map();
        }
      }
      await snapshot;
      write(null);
      assert.ok((await closeOf(journal)).ok);
      assert.deepEqual(plain(Journal.open(path, { report: () => {} }).values), Object.fromEntries([...written].sort()));
    }),
    { numRuns: 200 },
  );
  assert.ok(takeovers > 20 && cut > 5, `${takeovers} snapshots came to their end, ${cut} were cut by a kill`);
});
