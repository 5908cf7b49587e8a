/** When the local broker is told that it may forget a message. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { besides, SlowDiskLog } from "../flow/slow-disk-log.ts";
import { linkOptions, pair, World } from "./world.ts";

const TOKEN = 7;

function joined(options: Partial<HubLinkOptions> = {}) {
  const made = pair({}, options);
  made.a.subscribe("t");
  made.world.settle();
  return made;
}

describe("a message of a local client is acknowledged", () => {
  test("with memory durability, as soon as it is taken", () => {
    const { b } = joined();
    b.publish("t", "x", { ack: TOKEN, packetId: 1 });
    assert.deepEqual(b.acknowledged, [TOKEN]);
  });

  test("whatever becomes of it", () => {
    const { b } = joined({ durability: "end_to_end" });
    b.copy("nobody/wants/it", "x", { ack: 1, packetId: 1 });
    b.copy("$SYS/x", "x", { ack: 2, packetId: 2 });
    b.copy("t", "x", { ack: 3, packetId: 3, subscriptionIds: [99] });
    b.publish("t", "x".repeat(2_000_000), { ack: 4, packetId: 4 });
    assert.deepEqual(b.acknowledged, [1, 2, 3, 4]);
  });

  test("with a disk, once it is there, in the order of its numbers", () => {
    const log = new SlowDiskLog("00000000000000dd");
    const { world, b } = joined({ durability: "disk", logs: besides(log) });
    world.agents.delete("a");
    for (const id of [1, 2, 3]) b.publish("t", `${id}`, { ack: id, packetId: id });
    world.settle();
    assert.deepEqual(b.acknowledged, [], "a frame has left, nothing is on the disk");
    log.durable = 2;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, [1, 2]);
    log.durable = 3;
    b.hub.spoolSynced("a", world.nowMs);
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, [1, 2, 3], "once each");
  });

  test("with a disk, also when the peer confirms before the disk does", () => {
    const { world, b } = joined({ durability: "disk", logs: besides(new SlowDiskLog("00000000000000dd")) });
    b.publish("t", "x", { ack: TOKEN, packetId: 1 });
    assert.deepEqual(b.acknowledged, []);
    world.settle();
    assert.deepEqual(b.acknowledged, [TOKEN]);
  });

  test("end to end, once the peer has confirmed it", () => {
    const { world, b } = joined({ durability: "end_to_end" });
    b.publish("t", "x", { ack: TOKEN, packetId: 1 });
    assert.deepEqual(b.acknowledged, []);
    world.settle();
    assert.deepEqual(b.acknowledged, [TOKEN]);
  });

  test("end to end, when it is given up", () => {
    const spool = { bytesMax: 1e6, ageMaxMs: 1_000, whenFull: "drop_oldest" } as const;
    const { world, b } = joined({ durability: "end_to_end", spool });
    world.agents.delete("a");
    b.publish("t", "x", { ack: TOKEN, packetId: 1 });
    world.pass(500);
    assert.deepEqual(b.acknowledged, []);
    world.pass(501);
    assert.deepEqual(b.acknowledged, [TOKEN]);
    assert.deepEqual(b.drops("a"), ["out spool_age 1"]);
  });

  test("end to end, when the way to the peer loses it each time", () => {
    const { world, a, b } = joined({ durability: "end_to_end" });
    b.swallows = (bytes) => Buffer.from(bytes).includes("POISON");
    ["x", "POISON", "y"].forEach((text, at) => {
      b.publish("t", text, { ack: at, packetId: at + 1 });
    });
    for (let i = 0; i < 200; i += 1) world.pass(1_000);
    assert.deepEqual(
      [a.delivered, b.acknowledged],
      [
        ["t=x", "t=y"],
        [0, 1, 2],
      ],
    );
    assert.deepEqual(b.reported("message_refused"), [{ type: "message_refused", link: "a", number: 2, topic: "t" }]);
    assert.deepEqual([b.drops("a"), b.link("a").status], [["out refused_by_broker 1"], "connected"]);
  });

  test("once, when the last of several links is done with it", () => {
    const log = new SlowDiskLog("00000000000000dd");
    const world = new World();
    const b = world.add("b", [linkOptions("a", { durability: "disk", logs: besides(log) }), linkOptions("c")]);
    const a = world.add("a", [linkOptions("b")]);
    const c = world.add("c", [linkOptions("b")]);
    world.connect();
    a.subscribe("t");
    c.subscribe("t");
    world.settle();
    world.agents.delete("a");
    b.publish("t", "x", { ack: TOKEN, packetId: 1 });
    world.settle();
    assert.deepEqual([c.delivered, b.acknowledged], [["t=x"], []]);
    log.durable = 1;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, [TOKEN]);
  });
});

describe("after the connection to the local broker was lost", () => {
  function cut() {
    const log = new SlowDiskLog("00000000000000dd");
    const made = joined({ durability: "disk", logs: besides(log) });
    made.world.agents.delete("a");
    made.b.publish("t", "x", { ack: 1, packetId: 5 });
    made.b.hub.dataDown();
    return { ...made, log };
  }

  test("nothing of it is acknowledged any more", () => {
    const { world, b, log } = cut();
    log.durable = 1;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, []);
  });

  test("a message that comes again while the disk is busy takes over with its new token", () => {
    const { world, b, log } = cut();
    b.hub.dataUp(true, true, false, world.nowMs);
    b.publish("t", "x", { ack: 2, packetId: 5, dup: true });
    assert.deepEqual(b.acknowledged, []);
    log.durable = 1;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual([b.acknowledged, b.link("a").queue.spooled], [[2], 1]);
  });

  test("a message that comes again when it is on the disk is acknowledged, and not spooled again", () => {
    const { world, b, log } = cut();
    log.durable = 1;
    b.hub.spoolSynced("a", world.nowMs);
    b.hub.dataUp(true, true, false, world.nowMs);
    b.publish("t", "x", { ack: 2, packetId: 5, dup: true });
    assert.deepEqual([b.acknowledged, b.link("a").queue.spooled], [[2], 1]);
  });

  test("another session has other packet identifiers", () => {
    const { world, b, log } = cut();
    b.hub.dataUp(false, true, false, world.nowMs);
    world.settle();
    b.publish("t", "y", { ack: 2, packetId: 5 });
    log.durable = 1;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, [], "the first message's acknowledgement is not the second's");
    log.durable = 2;
    b.hub.spoolSynced("a", world.nowMs);
    assert.deepEqual(b.acknowledged, [2]);
  });
});

describe("a full spool with backpressure", () => {
  const spool = { bytesMax: 500, ageMaxMs: 3_600_000, whenFull: "backpressure" } as const;

  test("holds messages back, unacknowledged and in order, until there is room", () => {
    const { world, a, b } = joined({ spool });
    world.agents.delete("a");
    const texts = Array.from({ length: 12 }, (_, at) => `${at}`.padStart(20, "0"));
    texts.forEach((text, at) => {
      b.publish("t", text, { ack: at, packetId: at + 1 });
    });
    world.settle();
    const early = b.acknowledged.length;
    assert.ok(early > 0 && early < 5, `${early} had room`);
    assert.deepEqual([b.drops("a"), b.hub.link("a")?.outbound.waiting], [[], 12 - early]);
    world.agents.set("a", a);
    for (let i = 0; i < 20; i += 1) world.pass(1_000);
    assert.deepEqual(
      a.delivered,
      texts.map((text) => `t=${text}`),
    );
    assert.deepEqual(
      b.acknowledged,
      texts.map((_, at) => at),
    );
  });

  test("drops what could never have room", () => {
    const { b } = joined({ spool });
    b.publish("t", "x".repeat(501), { ack: TOKEN, packetId: 1 });
    assert.deepEqual([b.acknowledged, b.drops("a")], [[TOKEN], ["out spool_full 1"]]);
  });
});
