import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { matches } from "../../src/topic/algebra.ts";
import { type Agent, linkOptions, pair, World } from "./world.ts";

const FILTERS = ["t/1", "t/2", "t/+", "t/#", "u/1", "u/#", "#"];
const TOPICS = ["t/1", "t/2", "u/1", "v"];
const SETS = [[], ["#"], ["t/#"], ["t/+", "u/1"], ["u/#"]];

type Step =
  | { readonly do: "change"; readonly change: Partial<HubLinkOptions> }
  | { readonly do: "off" | "on" | "gone" }
  | { readonly do: "subscribe" | "unsubscribe"; readonly filter: string };

const change = fc.record(
  {
    topics: fc.constantFrom(...SETS),
    exportFilters: fc.constantFrom(...SETS),
    // Large enough for all: what was widened stays so for a while, on purpose.
    routesMax: fc.constantFrom(20, 1_000),
    demandMax: fc.constantFrom(20, 1_000),
    framesInflightMax: fc.constantFrom(1, 64),
    drainPerSecond: fc.constantFrom(null, 10),
  },
  { requiredKeys: [] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("change" as const), change }),
  fc.record({ do: fc.constantFrom("off" as const, "on" as const, "gone" as const) }),
  fc.record({ do: fc.constantFrom("subscribe" as const, "unsubscribe" as const), filter: fc.constantFrom(...FILTERS) }),
);

/** What an agent has come to, as far as its peer or its broker could tell. */
function shape(agent: Agent, peer: string): object {
  const link = agent.hub.link(peer);
  return {
    routes: [...(link?.routes.routes() ?? [])].map(({ filter }) => filter).sort(),
    holds: [...(link?.conversation.acceptor.routes.effective() ?? [])].sort(),
    demand: [...agent.demand.keys()].sort(),
    state: [link?.conversation.announcer.state, link?.conversation.acceptor.state],
  };
}

describe("links that change while the agent runs", () => {
  test("come to what a fresh start with the last configuration comes to", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { world, a, b } = pair();
        let options = linkOptions("b");
        const held = new Set<string>();
        for (const filter of FILTERS) b.subscribe(filter, "other");
        world.settle();
        for (const next of steps) {
          switch (next.do) {
            case "change":
              options = { ...options, ...next.change };
              a.hub.changes.change(options, world.nowMs);
              break;
            case "off":
            case "gone":
              a.hub.changes.remove("b", world.nowMs);
              if (next.do === "gone") a.hub.changes.forget("b");
              break;
            case "on":
              on(world, a, options);
              break;
            case "subscribe":
              if (held.has(next.filter)) break;
              held.add(next.filter);
              a.subscribe(next.filter);
              break;
            case "unsubscribe":
              if (held.delete(next.filter)) a.unsubscribe(next.filter);
              break;
          }
          world.settle();
        }
        on(world, a, options);
        // The peer's link was refused for a while, and tries again in its time.
        world.pass(10_000);
        world.pass(10_000);

        const fresh = new World();
        const freshA = fresh.add("a", [options]);
        const freshB = fresh.add("b", [linkOptions("a")]);
        for (const filter of FILTERS) freshB.subscribe(filter, "other");
        for (const filter of held) freshA.subscribe(filter);
        fresh.connect();
        assert.deepEqual(shape(a, "b"), shape(freshA, "b"));
        assert.deepEqual(shape(b, "a"), shape(freshB, "a"));
        for (const topic of TOPICS) {
          assert.equal(crosses(world, a, b, topic), crosses(fresh, freshA, freshB, topic), `a to b: ${topic}`);
          assert.equal(crosses(world, b, a, topic), crosses(fresh, freshB, freshA, topic), `b to a: ${topic}`);
        }
      }),
      { numRuns: 300 },
    );
  });

  function on(world: World, a: Agent, options: HubLinkOptions): void {
    if (a.hub.link("b") !== undefined) return;
    a.hub.changes.add(options, world.nowMs);
    a.hub.linkUp("b", 1_000_000, world.nowMs);
  }

  /** How many copies of one message arrive. */
  function crosses(world: World, from: Agent, to: Agent, topic: string): number {
    const before = to.delivered.length;
    // One copy, as from a broker that sends one: which filter it came by does not matter here.
    const best = [...from.demand].filter(([filter]) => matches(filter, topic)).sort((x, y) => x[1] - y[1])[0];
    if (best !== undefined) from.copy(topic, "x", { subscriptionIds: [best[1]] });
    world.settle();
    return to.delivered.length - before;
  }

  test("what is under way when limits, topics and export change arrives once", () => {
    const { world, a, b } = pair();
    b.subscribe("t/#");
    world.settle();
    b.answer = null;
    for (const n of [1, 2, 3]) a.publish("t/1", `m${n}`);
    world.settle();
    const { stream } = a.hub.link("b")?.outbound.lanes.main.spool ?? {};
    const hellos = a.counted("b", "hello_sent");
    a.hub.changes.change(linkOptions("b", { exportFilters: ["t/1"], framesInflightMax: 8 }), world.nowMs);
    b.hub.changes.change(linkOptions("a", { topics: ["t/1", "u/#"], drainPerSecond: 10_000 }), world.nowMs);
    world.settle();
    a.publish("t/1", "m4");
    world.settle();
    assert.deepEqual(b.delivered, ["t/1=m1", "t/1=m2", "t/1=m3", "t/1=m4"]);
    assert.equal(a.hub.link("b")?.outbound.lanes.main.spool.stream, stream);
    assert.equal(a.link("b").sent.resends, 0);
    assert.equal(a.counted("b", "hello_sent"), hellos, "nobody greeted anew");
  });

  test("a limit that many filters pass widens them at once, and one that they fit brings them back", () => {
    const { world, a, b } = pair();
    for (const filter of ["t/1", "t/2", "u/1"]) b.subscribe(filter);
    world.settle();
    const change = (next: Partial<HubLinkOptions>, other: Partial<HubLinkOptions>): object => {
      a.hub.changes.change(linkOptions("b", next), world.nowMs);
      b.hub.changes.change(linkOptions("a", other), world.nowMs);
      world.settle();
      return [shape(b, "a"), shape(a, "b")].map((each) => Object.values(each).slice(0, 3));
    };
    const whole = ["t/1", "t/2", "u/1"];
    const cut = ["t/#", "u/#"];
    assert.deepEqual(change({ demandMax: 1 }, {}), [
      [whole, [], []],
      [[], whole, ["#"]],
    ]);
    assert.deepEqual(change({}, { routesMax: 2 }), [
      [cut, [], []],
      [[], cut, cut],
    ]);
    assert.deepEqual(change({}, {}), [
      [whole, [], []],
      [[], whole, whole],
    ]);
    assert.deepEqual(change({ routesMax: 2 }, {}), [
      [whole, [], []],
      [[], ["#"], ["#"]],
    ]);
    a.hub.changes.change(linkOptions("b"), world.nowMs);
    // Its next heartbeat says that the set would fit now.
    world.pass(60_000);
    assert.deepEqual(shape(a, "b"), { ...shape(a, "b"), holds: whole, demand: whole });
  });

  test("what a link has no room for waits no longer when it may drop, and its broker is told", () => {
    const spool = { bytesMax: 300, ageMaxMs: 60_000, whenFull: "backpressure" as const };
    const { world, a, b } = pair({ spool });
    b.subscribe("t");
    world.settle();
    a.hub.linkDown("b", "cut", world.nowMs);
    for (let ack = 1; ack <= 20; ack += 1) a.publish("t", "x".repeat(50), { ack, packetId: ack });
    world.settle();
    assert.ok(a.link("b").queue.waiting > 0);
    assert.ok(a.acknowledged.length < 20);
    a.hub.changes.change(
      linkOptions("b", { spool: { ...spool, bytesMax: 1_000_000, whenFull: "drop_oldest" } }),
      world.nowMs,
    );
    // With the next turn of the clock.
    a.hub.link("b")?.outbound.tick(world.nowMs);
    assert.equal(a.link("b").queue.waiting, 0);
    assert.equal(a.acknowledged.length, 20);
    assert.deepEqual(a.drops("b"), []);
  });

  test("a link that is switched off owes its broker nothing, and its spool goes on where it was", () => {
    const { world, a, b } = pair({ durability: "end_to_end" });
    b.subscribe("t");
    world.settle();
    a.hub.linkDown("b", "cut", world.nowMs);
    for (let ack = 1; ack <= 3; ack += 1) a.publish("t", `m${ack}`, { ack, packetId: ack });
    world.settle();
    assert.deepEqual(a.acknowledged, []);
    const parted = a.hub.changes.remove("b", world.nowMs);
    assert.ok(parted !== null);
    for (const { dues } of parted.outbound.lanes.both) dues.release();
    assert.deepEqual(a.acknowledged, [1, 2, 3]);
    world.settle();
    assert.equal(a.demand.size, 0, "nobody wants anything any more");
    a.hub.changes.add(linkOptions("b", { logs: parted.outbound.lanes.logs }), world.nowMs);
    a.hub.linkUp("b", 1_000_000, world.nowMs);
    world.pass(10_000);
    assert.deepEqual(b.delivered, ["t=m1", "t=m2", "t=m3"]);
  });

  test("the peer of a link that is switched off is told, and of one that is removed", () => {
    const { world, a, b } = pair();
    b.subscribe("t");
    world.settle();
    a.hub.changes.disable(["b"]);
    a.hub.changes.remove("b", world.nowMs);
    world.settle();
    assert.equal(b.link("a").in.state, "left");
    assert.equal(a.demand.size, 0);
    b.hub.linkDown("a", "cut", world.nowMs);
    b.hub.linkUp("a", 1_000_000, world.nowMs);
    world.settle();
    assert.equal(a.strangerAnswers.length > 0, true);
  });

  test("a link that comes back is greeted at once, whether its peer was refused meanwhile or only told", () => {
    for (const isRefused of [false, true]) {
      const { world, a, b } = pair();
      b.subscribe("t");
      world.settle();
      a.hub.changes.remove("b", world.nowMs);
      world.settle();
      if (isRefused) b.hub.link("a")?.conversation.announcer.greet(world.nowMs, "asked");
      a.hub.changes.add(linkOptions("b"), world.nowMs);
      a.hub.linkUp("b", 1_000_000, world.nowMs);
      world.settle();
      assert.equal(a.link("b").in.routes, 1);
      assert.equal(b.link("a").in.state, "online");
    }
  });

  test("what lingers when a link comes goes with its time", () => {
    const { world, a, b } = pair();
    a.hub.interestEvent({ type: "connected", client: "c", cleanStart: true, session: "with_connection" }, world.nowMs);
    a.subscribe("t", "c");
    world.settle();
    a.hub.interestEvent({ type: "disconnected", client: "c" }, world.nowMs);
    a.hub.changes.remove("b", world.nowMs);
    a.hub.changes.add(linkOptions("b"), world.nowMs);
    a.hub.linkUp("b", 1_000_000, world.nowMs);
    world.settle();
    a.hub.changes.change(linkOptions("b", { topics: ["t", "u"] }), world.nowMs);
    world.settle();
    assert.equal(b.link("a").in.routes, 1);
    world.pass(2_000);
    assert.equal(b.link("a").in.routes, 0);
  });

  test("records of a removed link are forgotten, of one that is off they are kept for the next life", () => {
    const { world, a, b } = pair();
    a.subscribe("t");
    world.settle();
    b.publish("t", "x");
    world.settle();
    const kept = (): string[] => [...a.saved.keys()].filter((key) => /^(peer|record|route)\//.test(key)).sort();
    const before = kept();
    assert.equal(
      before.some((key) => key.startsWith("record/b/")),
      true,
    );
    a.hub.changes.remove("b", world.nowMs);
    world.settle();
    assert.deepEqual(
      kept(),
      before.filter((key) => !key.startsWith("route/")),
    );
    const all = [...a.hub.saved()].flatMap((entry) => (entry === null ? [] : [entry[0]]));
    assert.deepEqual(all.filter((key) => /^(peer|record)\//.test(key)).sort(), kept());
    a.hub.changes.forget("b");
    assert.deepEqual(kept(), []);
  });
});
