/** What an agent knows at once when it comes back with what it saved. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { decodeState } from "../../src/hub/saved-state.ts";
import { besides, SlowDiskLog } from "../flow/slow-disk-log.ts";
import { Agent, linkOptions, pair, type World } from "./world.ts";

const HOLD_MS = 60_000;

/** Ends `agent` and starts it anew on the same broker, with no peer in reach. */
function restarted(world: World, agent: Agent, links: readonly HubLinkOptions[]): Agent {
  const { state, refused } = decodeState(agent.saved);
  assert.deepEqual(refused, []);
  const next = new Agent(world, agent.cluster, links, { restored: state, incarnation: 2_000 });
  for (const [filter, id] of agent.demand) next.demand.set(filter, id);
  for (const [key, value] of agent.saved) next.saved.set(key, value);
  world.agents.delete(agent.cluster);
  return next;
}

function back(world: World, agent: Agent): void {
  world.agents.set(agent.cluster, agent);
  agent.hub.dataUp(true, true, false, world.nowMs);
}

describe("an agent that comes back", () => {
  test("spools for a peer that has not spoken yet, and counts the copies under the identifiers of its earlier life", () => {
    const { world, a, b } = pair();
    a.subscribe("t/#");
    a.subscribe("other");
    world.settle();
    const log = new SlowDiskLog("00000000000000dd");
    const next = restarted(world, b, [linkOptions("a", { durability: "disk", logs: besides(log) })]);
    back(world, next);
    next.copy("t/1", "x", { subscriptionIds: [b.demand.get("t/#") ?? 0], ack: 1, packetId: 1 });
    next.copy("t/1", "x", { subscriptionIds: [99], ack: 2, packetId: 2 });
    assert.equal(next.link("a").queue.spooled, 1);
    assert.deepEqual(next.local, { forwarded: 1, copy: 1 });
    world.settle();
    assert.deepEqual(next.subscribes, ["t/#=1", "other=2"], "the same identifiers");
  });

  test("gives no identifier twice", () => {
    const { world, a, b } = pair();
    a.subscribe("one");
    a.subscribe("two");
    world.settle();
    a.unsubscribe("two");
    world.settle();
    const next = restarted(world, b, [linkOptions("a")]);
    next.hub.demand.want("a", "three");
    back(world, next);
    world.settle();
    assert.equal(next.demand.get("three"), 3);
  });

  test("unsubscribes what no route of the earlier life wants any more", () => {
    const { world, a, b } = pair();
    a.subscribe("t");
    world.settle();
    for (const key of [...b.saved.keys()]) if (key.startsWith("route/")) b.saved.delete(key);
    const next = restarted(world, b, [linkOptions("a")]);
    back(world, next);
    world.settle();
    assert.deepEqual([...next.demand.keys()], []);
    assert.deepEqual(
      [...next.saved.keys()].filter((key) => key.startsWith("demand/")),
      [],
    );
  });

  test("does not republish what it had settled, whoever sends it again", () => {
    const log = new SlowDiskLog("00000000000000dd");
    const { world, a, b } = pair({}, { logs: besides(log) });
    a.subscribe("t");
    world.settle();
    b.publish("t", "x");
    world.settle();
    assert.deepEqual(a.delivered, ["t=x"]);
    const next = restarted(world, a, [linkOptions("b")]);
    // The sender's disk knows nothing of the settlement.
    const again = new SlowDiskLog("00000000000000dd");
    again.append(
      { topic: "t", payload: Buffer.from("x"), qos: 1, retain: false, properties: null, expiryMs: null },
      20,
      0,
    );
    const sender = restarted(world, b, [linkOptions("a", { logs: besides(again) })]);
    back(world, next);
    back(world, sender);
    next.subscribe("t");
    world.connect();
    world.pass(1_000);
    assert.deepEqual([next.delivered, sender.link("a").queue.spooled], [[], 0]);
  });

  test("knows what clients held that are away, and forgets it with the first proof that they do not", () => {
    const { world, a } = pair();
    a.subscribe("t/#", "away");
    a.subscribe("$share/g/u", "a/client");
    a.subscribe("$SYS/x", "away");
    a.subscribe("gone", "away");
    a.unsubscribe("gone", "away");
    world.settle();
    const rows = [...a.saved.keys()].filter((key) => key.startsWith("row/"));
    assert.deepEqual(rows.sort(), ["row/4/away/t/#", "row/8/a/client/$share/g/u"]);
    const next = restarted(world, a, [linkOptions("b")]);
    back(world, next);
    world.settle();
    const announced = (): string[] => [...(next.hub.link("b")?.routes.routes() ?? [])].map(({ filter }) => filter);
    assert.deepEqual(announced().sort(), ["t/#", "u"]);
    assert.deepEqual([...next.saved.keys()].filter((key) => key.startsWith("row/")).sort(), rows);
    next.hub.interestEvent({ type: "count", plain: 0, shared: 0 }, world.nowMs);
    world.pass(2_000);
    assert.deepEqual(announced(), []);
    assert.deepEqual(
      [...next.saved.keys()].filter((key) => key.startsWith("row/")),
      [],
    );
  });

  test("forgets the routes of a peer that stays away for longer than the retention", () => {
    const { world, a, b } = pair();
    a.subscribe("t");
    world.settle();
    const next = restarted(world, b, [linkOptions("a", { routeRetentionMs: 5_000 })]);
    back(world, next);
    world.pass(4_999);
    assert.deepEqual(next.hub.table.match("t"), ["a"]);
    world.pass(1);
    assert.deepEqual(next.hub.table.match("t"), []);
    assert.equal(next.reported("routes_expired").length, 1);
    assert.deepEqual(
      [...next.saved.keys()].filter((key) => key.startsWith("route/")),
      [],
    );
  });

  test("saves all at once what it saved piece by piece", () => {
    const { world, a, b } = pair();
    a.subscribe("t/#");
    world.settle();
    b.publish("t/1", "x");
    world.settle();
    for (const agent of [a, b]) {
      const whole = new Map([...agent.hub.saved()].filter((entry) => entry !== null));
      agent.saved.set("demand_id", whole.get("demand_id") ?? new Uint8Array(0));
      assert.deepEqual(new Map([...whole].sort()), new Map([...agent.saved].sort()));
    }
  });
});

describe("a message that no route asks for, after a restart", () => {
  function waiting() {
    const { world, a, b } = pair();
    const next = restarted(world, b, [linkOptions("a")]);
    back(world, next);
    for (const id of [1, 2]) next.copy("late", `${id}`, { subscriptionIds: [7], ack: id, packetId: id });
    next.copy("late", "q0", { qos: 0, subscriptionIds: [7] });
    return { world, a, next };
  }

  test("waits unacknowledged for the peer that wants it after all, and is not overtaken", () => {
    const { world, a, next } = waiting();
    assert.deepEqual([next.local, next.acknowledged], [{ held: 2, unrouted: 1 }, []]);
    a.subscribe("late");
    world.connect();
    next.copy("late", "3", { subscriptionIds: [next.demand.get("late") ?? 0], ack: 3, packetId: 3 });
    world.settle();
    assert.deepEqual(
      [a.delivered, next.acknowledged],
      [
        ["late=1", "late=2", "late=3"],
        [1, 2, 3],
      ],
    );
  });

  test("is dropped when all peers have said what they want", () => {
    const { world, next } = waiting();
    world.connect();
    world.pass(1_000);
    assert.deepEqual([next.local["unrouted"], next.acknowledged], [3, [1, 2]]);
  });

  test("is dropped after a minute, and nothing waits after that", () => {
    const { world, next } = waiting();
    world.agents.delete("a");
    world.pass(HOLD_MS - 1);
    assert.deepEqual(next.acknowledged, []);
    world.pass(1);
    assert.deepEqual([next.local["unrouted"], next.acknowledged], [3, [1, 2]]);
    next.copy("late", "4", { subscriptionIds: [7], ack: 4, packetId: 4 });
    assert.deepEqual(next.acknowledged, [1, 2, 4]);
  });

  test("does not keep the broker's window from the others", () => {
    const { next } = waiting();
    for (let id = 3; id <= 30; id += 1) next.copy("late", `${id}`, { ack: id, packetId: id });
    assert.equal(next.acknowledged.length, 20, "ten are held back");
  });

  test("is dropped at the limit", () => {
    const { next } = waiting();
    for (let id = 3; id <= 10_001; id += 1) next.copy("late", `${id}`, { ack: id, packetId: (id % 65_535) + 1 });
    assert.deepEqual([next.local["held"], next.local["held_full"]], [10_000, 1]);
  });
});
