import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AgentStore } from "../../src/agent/agent-store.ts";
import { loaded, withLink } from "../config/loading.ts";
import { FaultyDisk, message, Reports, temporaryFolder } from "../store/rig.ts";
import { until } from "../support/until.ts";

/** A store with one durable link, what it tells its owner, and its owner's turns. */
class Rig {
  readonly disk = new FaultyDisk();
  readonly reports = new Reports();
  readonly problems: (string | null)[] = [];
  readonly path: string;
  synced = 0;
  nowMs = 1_000_000;

  constructor(t: TestContext) {
    this.path = join(temporaryFolder(t), "data");
  }

  async open(): Promise<AgentStore> {
    const { links } = loaded({ file: { ...withLink({}).file, data_dir: this.path } });
    const store = await AgentStore.open(this.path, links, this.reports.report, this.disk);
    store.connect({
      synced: () => {
        this.synced += 1;
      },
      problem: (problem) => this.problems.push(problem?.code ?? null),
    });
    return store;
  }

  turn(store: AgentStore): void {
    store.flush(this.nowMs, () => []);
  }
}

test("the next life knows the incarnation and the messages of this one", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  assert.equal(store.lastIncarnation, 0);
  store.incarnation(4_711);
  store.logs("b")?.main.append(message(1), 20, rig.nowMs);
  store.logs("b")?.live.append(message(1), 20, rig.nowMs);
  store.logs("b")?.live.append(message(2), 20, rig.nowMs);
  const streams = [store.logs("b")?.main.stream, store.logs("b")?.live.stream];
  rig.turn(store);
  assert.equal(store.isKept, false);
  await until("the disk has it", () => store.isKept);
  assert.ok(rig.synced > 0);
  await store.close();
  const next = await rig.open();
  const { main, live } = next.logs("b") ?? {};
  assert.deepEqual([next.lastIncarnation, main?.lastNumber, live?.lastNumber], [4_711, 1, 2]);
  assert.deepEqual([main?.stream, live?.stream], streams);
  assert.notEqual(main?.stream, live?.stream);
  assert.deepEqual([rig.problems, rig.reports.all], [[], []]);
  await next.close();
});

test("a directory of a version without a live lane opens: its messages are there, and what passes them gets a folder", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  store.logs("b")?.main.append(message(1), 20, rig.nowMs);
  const stream = store.logs("b")?.main.stream;
  await store.close();
  const live = join(rig.path, "spool", "b", "live");
  rmSync(live, { recursive: true });
  const next = await rig.open();
  const logs = next.logs("b");
  assert.deepEqual([logs?.main.stream, logs?.main.lastNumber, logs?.live.lastNumber], [stream, 1, 0]);
  assert.ok(existsSync(live));
  assert.deepEqual([rig.problems, rig.reports.all], [[], []]);
  await next.close();
});

test("a link that comes while the agent runs has both logs, and one that goes for good leaves neither", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  assert.equal(store.logs("c"), undefined);
  const { main, live } = store.open("c");
  assert.equal(store.open("c").live, live, "the same ones, as long as it is there");
  main.append(message(1), 20, rig.nowMs);
  live.append(message(2), 20, rig.nowMs);
  live.append(message(3), 20, rig.nowMs);
  rig.turn(store);
  await until("the disk has it", () => store.isKept);
  assert.equal(await store.remove("c"), 3);
  assert.equal(store.logs("c"), undefined);
  assert.equal(existsSync(join(rig.path, "spool", "c")), false);
  assert.ok(existsSync(join(rig.path, "spool", "b", "live")));
  assert.equal(await store.remove("c"), 0);
  rig.turn(store);
  assert.deepEqual(rig.problems, []);
  await store.close();
});

test("a link of which one log cannot be opened does not come, and comes once it can", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  store.open("c").main.append(message(1), 20, rig.nowMs);
  await store.close();
  const next = await rig.open();
  const live = join(rig.path, "spool", "c", "live");
  rmSync(live, { recursive: true });
  writeFileSync(live, "somebody's");
  assert.throws(() => next.open("c"), { code: "DATA_DIR_UNUSABLE" });
  assert.equal(next.logs("c"), undefined);
  rmSync(live);
  const { main } = next.open("c");
  assert.deepEqual([main.base, main.lastNumber], [1, 1]);
  await next.close();
});

test("a sync that fails is said once and asked again a second later, not at every turn; what it was for is kept then", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  rig.disk.failing.set("sync", "EIO");
  store.logs("b")?.main.append(message(1), 20, rig.nowMs);
  rig.turn(store);
  await until("it failed", () => rig.synced === 1);
  for (let turn = 0; turn < 50; turn += 1) {
    rig.turn(store);
    await new Promise((again) => setImmediate(again));
  }
  assert.deepEqual([rig.disk.calls.get("sync"), rig.problems], [1, ["SPOOL_WRITE_FAILED"]]);
  assert.equal(store.deadlineMs, rig.nowMs + 1_000);
  assert.match(store.status.problem ?? "", /SPOOL_WRITE_FAILED/);
  rig.disk.failing.clear();
  rig.nowMs = store.deadlineMs;
  rig.turn(store);
  await until("the disk has it", () => store.isKept);
  rig.turn(store);
  assert.deepEqual([rig.problems, store.status.problem], [["SPOOL_WRITE_FAILED", null], null]);
  assert.equal(store.deadlineMs, Number.POSITIVE_INFINITY);
  await store.close();
});

test("state that the disk does not take is tried once a second, and the problem lasts until it is written", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  rig.disk.failing.set("write", "ENOSPC");
  const before = rig.disk.calls.get("write") ?? 0;
  for (let turn = 0; turn < 20; turn += 1) {
    store.save("peer/b", Uint8Array.of(turn));
    store.written();
    rig.turn(store);
  }
  assert.equal(rig.disk.calls.get("write"), before + 1);
  assert.deepEqual(rig.problems, ["JOURNAL_WRITE_FAILED"]);
  rig.disk.failing.clear();
  rig.nowMs = store.deadlineMs;
  rig.turn(store);
  assert.deepEqual(rig.problems, ["JOURNAL_WRITE_FAILED", null]);
  await store.close();
});

test("a journal that grew is written anew over many turns, with what is saved meanwhile; the end of the agent may cut that short", async (t) => {
  for (const isCutShort of [false, true]) {
    const rig = new Rig(t);
    const store = await rig.open();
    const kept = new Map<string, Uint8Array>();
    const save = (key: string, value: Uint8Array) => {
      kept.set(key, value);
      store.save(key, value);
    };
    store.incarnation(4_711);
    for (let number = 0; number < 100_000; number += 1) save(`route/b/site/device/${number}/state`, new Uint8Array(0));
    store.written();
    const grown = store.status.journalBytes;
    let asked = 0;
    const flush = () =>
      store.flush(rig.nowMs, () => {
        asked += 1;
        return kept;
      });
    flush();
    assert.equal(asked, 1);
    save("route/b/new", new Uint8Array(0));
    flush();
    // While it is under way, what is saved goes to the old file too.
    assert.ok(store.status.journalBytes > grown);
    if (!isCutShort) await until("the new file", () => store.status.journalBytes < grown + 30);
    await store.close();
    assert.deepEqual([asked, rig.problems, rig.reports.all], [1, [], []]);
    const next = await rig.open();
    assert.deepEqual([next.lastIncarnation, next.restored.links.get("b")?.routes.length], [4_711, 100_001]);
    await next.close();
  }
});

test("a second agent does not get the directory, and one that is closed gives it back", async (t) => {
  const rig = new Rig(t);
  const store = await rig.open();
  await assert.rejects(rig.open(), { code: "DATA_DIR_LOCKED" });
  await store.close();
  await (await rig.open()).close();
});
