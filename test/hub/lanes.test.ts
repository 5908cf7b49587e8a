/** Two hubs, of which one has a backlog that moves, so that both lanes of its link hold messages. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { decodeFrame } from "../../src/wire/frame.ts";
import type { Message } from "../../src/wire/message.ts";
import { type Agent, linkOptions, pair, type World } from "./world.ts";

const OLD = 40;

/** Of `a`'s link: the messages under way in each lane, as `topic=payload`, and whether each is a state. */
function lanesOf(a: Agent): { readonly main: readonly Message[]; readonly live: readonly Message[] } {
  const lanes = a.hub.link("b")?.outbound.lanes;
  assert.ok(lanes !== undefined);
  const held = ({ spool }: typeof lanes.main): Message[] => {
    const messages: Message[] = [];
    for (let number = spool.base; number <= spool.lastNumber; number += 1) {
      const entry = spool.isSettled(number) ? undefined : spool.get(number);
      if (entry !== undefined) messages.push(entry.message);
    }
    return messages;
  };
  return { main: held(lanes.main), live: held(lanes.live) };
}

/** `a` has a backlog of t/1 that goes on at 10 a second; from now on its frames get lost. */
function behind(change: Partial<HubLinkOptions> = {}, ofB: Partial<HubLinkOptions> = {}) {
  const { world, a, b } = pair({ drainPerSecond: 10, ...change }, ofB);
  for (const filter of ["t/#", "u/#"]) b.subscribe(filter);
  world.settle();
  a.hub.linkDown("b", "cut", world.nowMs);
  for (let n = 1; n <= OLD; n += 1) a.publish("t/1", `${n}`, { ack: n, packetId: n });
  world.pass(5_000);
  a.hub.linkUp("b", 1_000_000, world.nowMs);
  for (let step = 0; step < 5; step += 1) world.pass(100);
  assert.ok(b.delivered.length > 0 && b.delivered.length < OLD / 2, `${b.delivered.length} so far`);
  a.swallows = () => true;
  return { world, a, b };
}

/** Publishes to a topic of the backlog and to a fresh one: each goes where it should. */
function both(world: World, a: Agent): void {
  a.publish("t/1", `${OLD + 1}`, { ack: OLD + 1, packetId: OLD + 1 });
  a.publish("u/1", "1", { ack: OLD + 2, packetId: OLD + 2 });
  world.settle();
  const { main, live } = lanesOf(a);
  assert.equal(main.at(-1)?.topic, "t/1");
  assert.deepEqual(
    live.map(({ topic }) => topic),
    ["u/1"],
  );
}

/** All of t/1 and as many of u/1 as are asked for, once and in order. */
function inOrder(b: Agent, ofU: number): void {
  const of = (topic: string) => b.delivered.filter((each) => each.startsWith(topic));
  const upTo = (topic: string, last: number) => Array.from({ length: last }, (_, at) => `${topic}=${at + 1}`);
  assert.deepEqual(of("t/1"), upTo("t/1", OLD + 1));
  assert.deepEqual(of("u/1"), upTo("u/1", ofU));
}

function streamOf(bytes: Uint8Array): string {
  const frame = decodeFrame(bytes);
  assert.ok(frame.ok);
  return frame.value.stream;
}

describe("while both lanes of a link hold messages", () => {
  test("its limits, topics and export change: the streams stay, and everything arrives once and in order", () => {
    const { world, a, b } = behind({ durability: "end_to_end" });
    both(world, a);
    const outbound = a.hub.link("b")?.outbound;
    const streams = outbound?.lanes.both.map(({ spool }) => spool.stream);
    assert.ok((outbound?.lanes.live.dues.waiting ?? 0) > 0);
    const spool = { bytesMax: 900_000, ageMaxMs: 3_600_000, whenFull: "backpressure" } as const;
    a.hub.changes.change(
      linkOptions("b", { exportFilters: ["t/#", "u/#"], framesInflightMax: 2, drainPerSecond: null, spool }),
      world.nowMs,
    );
    assert.deepEqual(a.acknowledged.length, OLD + 2, "nothing is owed to the broker any more, in either lane");
    a.swallows = () => false;
    world.settle();
    for (let step = 0; step < 20; step += 1) world.pass(1_000);
    inOrder(b, 1);
    assert.deepEqual(
      outbound?.lanes.both.map(({ spool: { stream } }) => stream),
      streams,
    );
    assert.deepEqual(a.drops("b"), []);
  });

  test("a smaller spool holds for both together, from the next message on: the backlog gives way", () => {
    const { world, a, b } = behind();
    both(world, a);
    const bytes = a.hub.link("b")?.outbound.bytes ?? 0;
    const { live } = lanesOf(a);
    a.hub.changes.change(
      linkOptions("b", { spool: { bytesMax: bytes >> 1, ageMaxMs: 3_600_000, whenFull: "drop_oldest" } }),
      world.nowMs,
    );
    a.publish("u/1", "2");
    world.settle();
    assert.ok((a.hub.link("b")?.outbound.bytes ?? bytes) <= bytes >> 1);
    assert.deepEqual(lanesOf(a).live.slice(0, 1), live);
    assert.match(a.drops("b").join(), /^out spool_full \d+$/);
    a.swallows = () => false;
    for (let step = 0; step < 20; step += 1) world.pass(1_000);
    assert.deepEqual(
      b.delivered.filter((each) => each.startsWith("u/1")),
      ["u/1=1", "u/1=2"],
    );
  });

  test("a spool of which what passes has more than half lets nothing pass any more", () => {
    const { world, a, b } = behind();
    both(world, a);
    const bytesMax = (a.hub.link("b")?.outbound.lanes.live.spool.bytes ?? 0) * 2 - 1;
    const spool = { bytesMax, ageMaxMs: 3_600_000, whenFull: "drop_oldest" } as const;
    a.hub.changes.change(linkOptions("b", { spool }), world.nowMs);
    a.publish("u", "");
    world.settle();
    const held = lanesOf(a);
    assert.deepEqual([held.live.length, held.main.map(({ topic }) => topic)], [1, ["u"]]);
    a.swallows = () => false;
    for (let step = 0; step < 5; step += 1) world.pass(1_000);
    assert.deepEqual(b.delivered.slice(-2), ["u/1=1", "u="]);
  });

  test("a state is in the lane that its topic may take, and what is published on it comes behind it, at QoS 0 too", () => {
    const { world, a, b } = behind({}, { retained: "sync" });
    both(world, a);
    const stored = { payload: new TextEncoder().encode("old"), properties: null, expirySeconds: null };
    a.stored = () => ({
      outcome: "whole",
      messages: [
        { ...stored, topic: "t/1" },
        { ...stored, topic: "v/1" },
      ],
    });
    b.subscribe("#");
    world.settle();
    const states = ({ main, live }: ReturnType<typeof lanesOf>) =>
      [main, live].map((lane) => lane.filter(({ state }) => state === true).map(({ topic }) => topic));
    assert.deepEqual(states(lanesOf(a)), [["t/1"], ["v/1"]]);
    for (const topic of ["t/1", "v/1"]) a.publish(topic, "live", { qos: 0 });
    world.settle();
    assert.deepEqual(
      [lanesOf(a).main, lanesOf(a).live].map((lane) => lane.at(-1)?.topic),
      ["t/1", "v/1"],
    );
    assert.equal(a.link("b").queue.bestEffort, 0);
    a.swallows = () => false;
    for (let step = 0; step < 60; step += 1) world.pass(1_000);
    for (const topic of ["t/1", "v/1"])
      assert.deepEqual(b.delivered.filter((each) => each.startsWith(topic)).at(-1), `${topic}=live`);
    assert.equal(a.link("b").states.sent, 2);
    a.publish("v/1", "best effort", { qos: 0 });
    world.settle();
    assert.deepEqual([b.delivered.at(-1), b.republished.at(-1)?.qos], ["v/1=best effort", 0]);
  });

  test("states for the peer's earlier life are given up in either lane", () => {
    const { world, a } = behind({}, { retained: "sync" });
    both(world, a);
    const stored = { payload: new TextEncoder().encode("old"), properties: null, expirySeconds: null };
    a.stored = (filters) => ({
      outcome: "whole",
      messages: filters.includes("#") ? ["t/1", "v/1"].map((topic) => ({ ...stored, topic })) : [],
    });
    world.agents.get("b")?.subscribe("#");
    world.settle();
    assert.equal(a.link("b").states.sent, 2);
    const later = world.add("b", [linkOptions("a", { retained: "sync" })], { incarnation: 2_000 });
    later.hub.linkUp("a", 1_000_000, world.nowMs);
    a.swallows = () => false;
    for (const filter of ["t/#", "u/#"]) later.subscribe(filter);
    for (let step = 0; step < 60; step += 1) world.pass(1_000);
    assert.ok(a.drops("b").includes("out stale_state 2"), a.drops("b").join());
    assert.equal(later.delivered.includes("v/1=old"), false);
  });

  for (const order of ["at once", "after new messages"]) {
    test(`it is switched off and on, and goes on ${order}: nothing is owed meanwhile, everything arrives once and in order`, () => {
      const { world, a, b } = behind({ durability: "end_to_end" });
      both(world, a);
      const parted = a.hub.changes.remove("b", world.nowMs);
      assert.ok(parted !== null);
      for (const { dues } of parted.outbound.lanes.both) dues.release();
      assert.equal(a.acknowledged.length, OLD + 2);
      world.settle();
      const { logs } = parted.outbound.lanes;
      a.hub.changes.add(linkOptions("b", { logs, durability: "end_to_end" }), world.nowMs);
      a.swallows = () => false;
      let fresh = 1;
      if (order === "after new messages") {
        a.hub.linkUp("b", 1_000_000, world.nowMs);
        a.swallows = () => true;
        world.pass(3_000);
        fresh = 2;
        a.publish("u/1", "2", { ack: OLD + 3, packetId: OLD + 3 });
        world.settle();
        assert.equal(lanesOf(a).main.at(-1)?.topic, "u/1", "behind what the live lane had before");
        a.swallows = (bytes) => streamOf(bytes) === logs.live.stream;
        for (let step = 0; step < 5; step += 1) world.pass(1_000);
        a.swallows = () => false;
      } else a.hub.linkUp("b", 1_000_000, world.nowMs);
      for (let step = 0; step < 60; step += 1) world.pass(1_000);
      inOrder(b, fresh);
      assert.equal(a.link("b").queue.spooled, 0);
      assert.deepEqual([a.drops("b"), b.drops("a")], [[], []]);
    });
  }
});
