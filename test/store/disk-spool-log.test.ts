import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import type { Message } from "../../src/wire/message.ts";
import { closeOf, contentOf, FaultyDisk, message, Reports, syncOf, temporaryFolder } from "./rig.ts";

test("what was written and synced is there after an opening, with all that belongs to it", async (t) => {
  const folder = temporaryFolder(t);
  const { report, all } = new Reports();
  const whole: Message = {
    topic: "a/ü/€",
    payload: Uint8Array.of(0, 1, 255),
    qos: 1,
    retain: true,
    properties: {
      payloadFormatIndicator: false,
      contentType: "text/plain",
      responseTopic: "re/ply",
      correlationData: Uint8Array.of(9, 8),
      userProperties: [
        ["k", "1"],
        ["k", "2"],
      ],
    },
    expiryMs: 86_400_000,
  };
  const log = DiskSpoolLog.open(folder, { report });
  assert.equal(log.append(whole, 321, 1_764_000_000_123), 1);
  assert.equal(log.append(message(2), 50, 1_764_000_000_124), 2);
  assert.equal(log.durableNumber, 0);
  assert.deepEqual(log.write(), { ok: true });
  assert.equal(log.durableNumber, 0, "written is not yet durable");
  assert.deepEqual(await syncOf(log), { ok: true });
  assert.equal(log.durableNumber, 2);
  assert.deepEqual(await closeOf(log), { ok: true });

  const again = DiskSpoolLog.open(folder, { report });
  assert.equal(again.stream, log.stream);
  assert.deepEqual([again.base, again.lastNumber, again.durableNumber, again.bytes], [1, 2, 2, 371]);
  const entry = again.get(1);
  assert.ok(entry !== undefined);
  const { payload, properties, ...rest } = entry.message;
  assert.deepEqual({ ...rest, payload: [...payload] }, { ...rest, payload: [0, 1, 255] });
  assert.deepEqual(rest, { topic: "a/ü/€", qos: 1, retain: true, expiryMs: 86_400_000 });
  assert.deepEqual([...(properties?.correlationData ?? [])], [9, 8]);
  assert.deepEqual({ ...properties, correlationData: null }, { ...whole.properties, correlationData: null });
  assert.deepEqual([entry.number, entry.bytes, entry.storedAtMs], [1, 321, 1_764_000_000_123]);
  assert.equal(again.append(message(3), 1, 1), 3, "after a clean end numbers go on without a gap");
  assert.deepEqual(all, []);
  await closeOf(again);
});

test("a burst costs one sync, and those who ask while it is under way share the next", async (t) => {
  const fs = new FaultyDisk();
  const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {}, fs });
  fs.held = [];
  const answers: number[] = [];
  const ask = () => log.sync(() => answers.push(log.durableNumber));
  log.append(message(1), 1, 0);
  log.write();
  ask();
  log.append(message(2), 1, 0);
  log.write();
  ask();
  ask();
  assert.equal(fs.held.length, 1, "one at a time");
  const held = fs.held;
  fs.held = null;
  held[0]?.();
  await syncOf(log);
  assert.deepEqual(answers, [1, 2, 2], "what was written after the sync began is not promised by it");
  assert.ok((fs.calls.get("sync") ?? 0) <= 3);
  await closeOf(log);
});

test("each write is one call to the disk, however many messages", (t) => {
  const fs = new FaultyDisk();
  const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {}, fs });
  const before = fs.calls.get("write") ?? 0;
  for (let number = 1; number <= 500; number += 1) log.append(message(number), 1, 0);
  log.write();
  assert.equal((fs.calls.get("write") ?? 0) - before, 1);
  log.write();
  assert.equal((fs.calls.get("write") ?? 0) - before, 1, "nothing new, no call");
});

test("freed segments go from the disk, and what is freed in part is not there after an opening", async (t) => {
  const folder = temporaryFolder(t);
  const log = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: 4_096 });
  for (let number = 1; number <= 400; number += 1) {
    log.append(message(number, 100), 100, 0);
    log.write();
  }
  await syncOf(log);
  const filesBefore = readdirSync(folder).length;
  assert.ok(filesBefore > 10, `${filesBefore} files`);
  log.free(395);
  assert.equal(log.bytes, 600);
  assert.equal(log.get(394), undefined);
  assert.equal(readdirSync(folder).length, filesBefore, "a kill at this moment must not look like a loss");
  log.write();
  assert.equal(log.wantsSync, true);
  await syncOf(log);
  assert.equal(log.wantsSync, false);
  assert.ok(readdirSync(folder).length < 4, "removed as whole files");
  log.append(message(401, 100), 100, 0);
  await closeOf(log);
  const again = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: 4_096 });
  assert.deepEqual([again.base, again.lastNumber, again.bytes], [395, 401, 700]);
  again.free(1_000);
  assert.deepEqual([again.base, again.lastNumber, again.bytes, contentOf(again)], [402, 401, 0, []]);
  await closeOf(again);
});

test("a message larger than a segment has one of its own", async (t) => {
  const folder = temporaryFolder(t);
  const log = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: 4_096 });
  for (const [number, bytes] of [10, 100_000, 10, 4_096, 4_000, 10].entries()) {
    log.append(message(number + 1, bytes), bytes, 0);
  }
  log.write();
  await syncOf(log);
  const sizes = [1, 2, 3, 4, 5, 6].map((number) => log.get(number)?.message.payload.length);
  assert.deepEqual(sizes, [10, 100_000, 10, 4_096, 4_000, 10]);
  await closeOf(log);
  const again = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: 4_096 });
  assert.equal(again.get(2)?.message.payload.length, 100_000);
  await closeOf(again);
});

test("settled before it was durable needs no disk any more", (t) => {
  const log = DiskSpoolLog.open(temporaryFolder(t), { report: () => {} });
  log.append(message(1), 1, 0);
  log.append(message(2), 1, 0);
  log.free(2);
  assert.equal(log.durableNumber, 1);
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("append" as const), bytes: fc.nat(600) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("write" as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("sync" as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("free" as const), share: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("reopen" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("kill" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("full" as const), room: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("sync_fails" as const) }) },
);

test("any history: the log equals an array, numbers are never given twice, the durable survive a kill", async (t) => {
  const root = temporaryFolder(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      runs += 1;
      const folder = `${root}/${runs}`;
      const fs = new FaultyDisk();
      const reports = new Reports();
      const open = () => DiskSpoolLog.open(folder, { report: reports.report, fs, segmentBytes: 1_500 });
      let log = open();
      /** Number to topic, of what is kept; `given` is the topic each number was ever given to. */
      const model = new Map<number, string>();
      const given = new Map<number, string>();
      let serial = 0;
      const check = () => {
        const content = contentOf(log);
        assert.deepEqual(content, [...model], reports.text);
        assert.equal(log.bytes, model.size * 7);
        assert.equal(log.counters.lost, 0, reports.text);
        assert.ok(log.base - 1 <= log.durableNumber && log.durableNumber <= log.lastNumber);
      };
      for (const each of steps) {
        if (each.what === "append") {
          serial += 1;
          const number = log.append({ ...message(serial, each.bytes), topic: `s/${serial}` }, 7, serial);
          assert.ok(!given.has(number), `number ${number} was given before`);
          given.set(number, `s/${serial}`);
          model.set(number, `s/${serial}`);
        } else if (each.what === "write") {
          log.write();
        } else if (each.what === "full") {
          fs.roomBytes = each.room;
          const before = log.durableNumber;
          if (!log.write().ok) assert.ok(log.durableNumber === before, "nothing became durable");
          fs.roomBytes = Number.POSITIVE_INFINITY;
        } else if (each.what === "sync") {
          const answer = await syncOf(log);
          assert.ok(answer.ok);
        } else if (each.what === "sync_fails") {
          fs.failing.set("sync", "EIO");
          const before = log.durableNumber;
          log.write();
          await syncOf(log);
          assert.ok(log.durableNumber <= Math.max(before, log.base - 1));
          fs.failing.clear();
        } else if (each.what === "free") {
          const to = log.base + Math.floor(((log.lastNumber + 1 - log.base) * each.share) / 100);
          log.free(to);
          for (const number of model.keys()) if (number < log.base) model.delete(number);
        } else if (each.what === "reopen") {
          assert.deepEqual(await closeOf(log), { ok: true });
          const { base, lastNumber } = log;
          log = open();
          assert.deepEqual([log.lastNumber, log.durableNumber], [lastNumber, lastNumber]);
          assert.ok(log.base >= base);
        } else {
          const { durableNumber, base, stream } = log;
          log = open();
          assert.equal(log.stream, stream);
          const survived = new Set(contentOf(log).map(([number]) => number));
          for (const number of [...model.keys()]) {
            if (survived.has(number)) continue;
            assert.ok(number > durableNumber, `number ${number} was durable and is gone\n${reports.text}`);
            model.delete(number);
          }
          // Freed ones may come back when the note of it was not written: the peer knows them.
          for (const number of survived) {
            if (number < base) model.set(number, given.get(number) ?? "never given");
          }
          const sorted = [...model].sort(([a], [b]) => a - b);
          model.clear();
          for (const [number, topic] of sorted) model.set(number, topic);
        }
        check();
      }
      assert.ok((await closeOf(log)).ok);
    }),
    { numRuns: 150 },
  );
});
