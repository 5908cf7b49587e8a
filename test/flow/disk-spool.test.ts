/** Outbound over a log that is larger than memory, and that may have lost a part. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Outbound } from "../../src/flow/outbound.ts";
import { SENT_WINDOW_MAX } from "../../src/flow/sent-window.ts";
import { framesOf, message, numbers } from "./rig.ts";
import { besides, SlowDiskLog } from "./slow-disk-log.ts";

const LOG = "00000000000000dd";

function over(count: number, prepare: (log: SlowDiskLog) => void = () => {}) {
  const log = new SlowDiskLog(LOG);
  for (let i = 0; i < count; i += 1) log.append(message("t", `${i}`), 20, 0);
  prepare(log);
  const drops: string[] = [];
  const out = new Outbound(
    () => "",
    {
      spool: { bytesMax: 1e9, ageMaxMs: 1e9, whenFull: "drop_oldest" },
      framesInflightMax: 100,
      retryIntervalMs: 15_000,
      durability: "disk",
      logs: besides(log),
    },
    (reason, number) => drops.push(`${reason} ${number}`),
  );
  return { log, out, drops };
}

describe("a spool on disk", () => {
  test("goes on where the earlier life ended", () => {
    const { out } = over(3, (log) => log.free(2));
    out.opened(1e6);
    assert.deepEqual(numbers(framesOf(out, 0)), [[2, 3]]);
    assert.equal(out.lanes.main.spool.depth, 2);
  });

  test("leaves out what cannot be read, and does not wait for it", () => {
    const { out, log, drops } = over(6, ({ holes }) => {
      for (const number of [1, 3, 4, 6]) holes.add(number);
    });
    assert.equal(out.lanes.main.spool.base, 2);
    out.opened(1e6);
    assert.deepEqual(numbers(framesOf(out, 0)), [[2, 5]]);
    out.settled(LOG, 5, [], 1);
    assert.deepEqual([out.lanes.main.spool.base, log.base, out.lanes.main.spool.depth, drops], [7, 7, 0, []]);
  });

  test("reads no more of a backlog than what is under way, and that only once", () => {
    const { out, log } = over(100_000);
    out.opened(1e6);
    const sent = framesOf(out, 0).flatMap(({ messages }) => messages).length;
    assert.ok(sent <= 2_000 && log.reads <= sent + 10, `${log.reads} reads for ${sent} messages`);
    const before = log.reads;
    out.tick(20_000);
    framesOf(out, 20_000);
    out.settled(LOG, 1_000, [], 20_001);
    assert.ok(log.reads - before < 20, `${log.reads - before} reads for a resend and a settlement`);
  });

  test("takes the peer's word for what it sent in an earlier life, however much it is", () => {
    const { out } = over(100_000);
    out.opened(1e6);
    framesOf(out, 0);
    assert.equal(out.settled(LOG, 90_000, [], 1).length, 2_000, "the messages sent in this life");
    assert.deepEqual([out.lanes.main.spool.base, out.inflight], [90_001, 0]);
    assert.equal(numbers(framesOf(out, 2))[0]?.[0], 90_001);
  });

  test("never has more numbers under way than it keeps in mind", () => {
    const { out } = over(SENT_WINDOW_MAX + 1_000);
    out.opened(1e6);
    let last = 0;
    for (let round = 0; round < 100; round += 1) {
      for (const { messages } of framesOf(out, 0)) last = messages.at(-1)?.number ?? last;
      // Everything but the first one is confirmed.
      out.settled(LOG, 0, [[2, last]], 0);
    }
    assert.equal(last, SENT_WINDOW_MAX);
    out.settled(LOG, last, [], 1);
    assert.equal(numbers(framesOf(out, 1))[0]?.[0], SENT_WINDOW_MAX + 1);
  });
});
