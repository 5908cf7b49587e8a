import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AckLedger } from "../../src/flow/ack-ledger.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import type { OutboundOptions } from "../../src/flow/outbound-options.ts";
import { framesOf, LIVE_STREAM, message, STREAM, streams } from "./rig.ts";
import { SlowDiskLog } from "./slow-disk-log.ts";

const BACKLOG = 1_000;
const DRAIN = 100;

function made(change: Partial<OutboundOptions> = {}) {
  const drops: string[] = [];
  const acknowledged: number[] = [];
  const ledger = new AckLedger((ack) => acknowledged.push(ack));
  const out = new Outbound(
    streams(),
    {
      spool: { bytesMax: 1e7, ageMaxMs: 1e9, whenFull: "drop_oldest" },
      framesInflightMax: 64,
      retryIntervalMs: 15_000,
      drainPerSecond: DRAIN,
      ...change,
    },
    (reason, count) => drops.push(`${reason} ${count}`),
    ledger,
  );
  return { out, drops, ledger, acknowledged };
}

/** Frames that may leave now, each settled at once; answers how many messages of each stream. */
function exchange(out: Outbound, nowMs: number): { main: number; live: number } {
  const gone = { main: 0, live: 0 };
  for (const { stream, messages } of framesOf(out, nowMs)) {
    gone[stream === STREAM ? "main" : "live"] += messages.length;
    out.settled(stream, messages.at(-1)?.number ?? 0, [], nowMs);
  }
  return gone;
}

/** A thousand messages that waited ten seconds on topics a/0 to a/9, of which some have gone. */
function draining(change: Partial<OutboundOptions> = {}, topics = 10) {
  const rig = made(change);
  for (let n = 0; n < BACKLOG; n += 1) rig.out.offer(message(`a/${n % topics}`, `${n}`), null, 0);
  rig.out.opened(1e6);
  assert.ok(exchange(rig.out, 10_000).main > 0);
  return rig;
}

describe("past a backlog", () => {
  test("goes at once what has nothing in it, at no cost of the backlog's pace, and what has something waits its turn", () => {
    const { out } = draining();
    const { main, live } = out.lanes;
    out.offer(message("fresh", "x"), null, 10_001);
    out.offer(message("a/1", "x"), null, 10_001);
    assert.deepEqual([out.lanes.passing, live.spool.depth, main.spool.lastNumber], [true, 1, BACKLOG + 1]);
    assert.equal(exchange(out, 10_001).live, 1);
    let [mains, lives] = [0, 0];
    for (let nowMs = 10_020; nowMs <= 13_000; nowMs += 20) {
      for (let n = 0; n < 100; n += 1) out.offer(message("fresh", `${n}`), null, nowMs);
      const gone = exchange(out, nowMs);
      mains += gone.main;
      lives += gone.live;
    }
    assert.equal(lives, 15_000);
    assert.ok(mains > 2.9 * DRAIN && mains < 3.2 * DRAIN, `${mains} of the backlog in 3 s`);
  });

  test("takes frames of either in turn", () => {
    const { out } = draining();
    for (let n = 0; n < 1_500; n += 1) out.offer(message("fresh", `${n}`), null, 10_001);
    const order = framesOf(out, 10_500).map(({ stream }) => stream);
    assert.deepEqual(order.slice(0, 3).sort(), [LIVE_STREAM, LIVE_STREAM, STREAM].sort());
  });

  test("a topic goes on there while it has something there, and in the backlog when it is joined to it again", () => {
    const { out } = draining();
    const { main, live } = out.lanes;
    out.offer(message("fresh", "1"), null, 10_001);
    out.offer(message("fresh", "2"), null, 10_001);
    out.disconnected();
    out.offer(message("fresh", "3"), null, 10_002);
    assert.deepEqual([live.spool.depth, main.spool.lastNumber, out.lanes.passing], [2, BACKLOG + 1, false]);
    out.opened(1e6);
    const texts: string[] = [];
    for (let nowMs = 10_100; out.depth > 0 && nowMs < 40_000; nowMs += 50) {
      const frames = framesOf(out, nowMs).filter(({ stream }) => stream === STREAM);
      for (const { messages } of frames)
        for (const each of messages) {
          if (each.message.topic === "fresh") texts.push(new TextDecoder().decode(each.message.payload));
          out.settled(STREAM, each.number ?? 0, [], nowMs);
        }
      if (nowMs === 25_000) {
        assert.deepEqual([texts, main.spool.depth], [[], 1], "the last one waits for the live lane");
        out.settled(LIVE_STREAM, 2, [], nowMs);
      }
    }
    assert.deepEqual([texts, out.depth], [["3"], 0]);
  });

  test("nothing goes while the backlog does not move: it would only be another one", () => {
    const { out } = draining();
    out.offer(message("fresh", "x"), null, 16_000);
    assert.deepEqual([out.lanes.passing, out.lanes.live.spool.depth], [false, 0]);
  });

  test("nothing goes any more when the live lane itself is behind, until it is empty", () => {
    const { out } = draining();
    out.offer(message("fresh", "x"), null, 10_001);
    const move = (nowMs: number) => out.settled(STREAM, out.lanes.main.spool.base, [], nowMs);
    framesOf(out, 20_002);
    move(20_002);
    out.offer(message("other", "x"), null, 20_002);
    assert.deepEqual([out.lanes.passing, out.lanes.live.spool.depth], [false, 1]);
    out.settled(LIVE_STREAM, 1, [], 20_003);
    framesOf(out, 20_004);
    move(20_004);
    out.offer(message("third", "x"), null, 20_004);
    assert.deepEqual([out.lanes.passing, out.lanes.live.spool.lastNumber], [true, 2]);
  });

  test("of more topics than can be known none passes, counted, until those of that time have gone", () => {
    const { out } = draining({ topicsMax: 100 });
    const { lanes } = out;
    out.disconnected();
    for (let n = 0; n < 200; n += 1) out.offer(message(`b/${n}`, "x"), null, 10_001);
    assert.equal(lanes.overflows, 2);
    out.opened(1e6);
    let fresh = 0;
    for (let nowMs = 10_020; lanes.live.spool.lastNumber === 0; nowMs += 20) {
      exchange(out, nowMs);
      fresh += 1;
      out.offer(message(`fresh/${fresh % 50}`, "x"), null, nowMs);
    }
    assert.ok(fresh > 100, "for as long as the first ones wait nobody knows what is free");
    assert.ok(lanes.main.spool.base > BACKLOG + 200, "they have gone");
  });
});

describe("both lanes together", () => {
  test("have one limit: what is given up for room is of the backlog", () => {
    const { out, drops } = draining({ spool: { bytesMax: 60_000, ageMaxMs: 1e9, whenFull: "drop_oldest" } });
    drops.length = 0;
    for (let n = 0; n < 100; n += 1) out.offer(message("fresh", `${n}`), null, 10_001);
    assert.ok(out.lanes.live.spool.depth > 50, `${out.lanes.live.spool.depth}`);
    assert.ok(out.bytes <= 60_000);
    assert.ok(drops.length > 0 && drops.every((drop) => drop.startsWith("spool_full")));
    assert.equal(out.lanes.live.spool.base, 1, "nothing of the live lane");
  });

  test("the live one never has more than half of the room", () => {
    const { out } = draining({ spool: { bytesMax: 60_000, ageMaxMs: 1e9, whenFull: "drop_oldest" } });
    for (let n = 0; n < 1_000; n += 1) out.offer(message("fresh", `${n}`), null, 10_001);
    assert.ok(out.lanes.live.spool.bytes < 31_000, `${out.lanes.live.spool.bytes}`);
    assert.equal(out.lanes.passing, false);
  });

  test("are of one age: the oldest of either is told, and what is too old goes from either", () => {
    const { out, drops } = draining({ spool: { bytesMax: 1e7, ageMaxMs: 20_000, whenFull: "drop_oldest" } });
    const waiting = out.depth;
    out.offer(message("fresh", "x"), null, 10_001);
    assert.equal(out.oldestStoredAtMs, 0);
    out.disconnected();
    out.tick(20_001);
    assert.deepEqual([drops, out.oldestStoredAtMs, out.deadlineMs], [[`spool_age ${waiting}`], 10_001, 30_002]);
    out.tick(30_002);
    assert.deepEqual([drops.at(-1), out.depth], ["spool_age 1", 0]);
  });

  test("with a disk: what comes behind the live lane is neither kept nor acknowledged before that is on the disk", () => {
    const logs = { main: new SlowDiskLog(STREAM), live: new SlowDiskLog(LIVE_STREAM) };
    const { out, ledger, acknowledged } = draining({ durability: "disk", logs });
    const offer = (ack: number, topic: string, nowMs: number) => {
      const due = ledger.begin(ack, ack);
      ledger.hold(due);
      out.offer(message(topic, `${ack}`), due, nowMs);
      ledger.routed(due);
    };
    offer(1, "fresh", 10_001);
    out.disconnected();
    offer(2, "fresh", 10_002);
    logs.main.durable = logs.main.lastNumber;
    out.synced(10_003);
    assert.deepEqual([out.waiting, acknowledged], [1, []]);
    logs.live.durable = 1;
    out.synced(10_004);
    assert.deepEqual([out.waiting, acknowledged, logs.main.lastNumber], [0, [1], BACKLOG + 1]);
    logs.main.durable = logs.main.lastNumber;
    out.synced(10_005);
    assert.deepEqual(acknowledged, [1, 2]);
  });

  test("of an earlier life: the live one goes first, as a whole, and nothing passes before what was left has gone", () => {
    const logs = { main: new SlowDiskLog(STREAM), live: new SlowDiskLog(LIVE_STREAM) };
    for (let n = 0; n < 10; n += 1) {
      logs.main.append(message("a", `${n}`), 20, 0);
      logs.live.append(message("b", `${n}`), 20, 0);
    }
    const { out } = made({ logs });
    out.opened(1e6);
    const first = framesOf(out, 60_000);
    assert.deepEqual([...new Set(first.map(({ stream }) => stream))], [LIVE_STREAM]);
    out.settled(LIVE_STREAM, 10, [], 60_001);
    assert.equal(framesOf(out, 60_500)[0]?.stream, STREAM);
    out.settled(STREAM, 3, [], 60_501);
    out.offer(message("fresh", "x"), null, 60_502);
    assert.deepEqual([logs.live.lastNumber, logs.main.lastNumber], [10, 11], "it may be one of those that wait");
    assert.equal(out.lanes.passing, true);
    out.settled(STREAM, 10, [], 60_503);
    out.offer(message("fresh too", "x"), null, 60_504);
    assert.deepEqual([logs.live.lastNumber, logs.main.lastNumber], [11, 11]);
  });
});
