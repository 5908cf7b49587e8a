/** `retained: sync` that comes, goes and changes its reach while both agents run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { matches } from "../../src/topic/algebra.ts";
import { type Agent, linkOptions, pair, type World } from "./world.ts";

/** Lets the agent's broker have a value retained on each of the topics. */
function keeps(agent: Agent, topics: readonly string[]): void {
  agent.stored = (filters) => ({
    outcome: "whole",
    messages: topics
      .filter((topic) => filters.some((filter) => matches(filter, topic)))
      .map((topic) => ({ topic, payload: new TextEncoder().encode("kept"), properties: null, expirySeconds: null })),
  });
}

function change(world: World, agent: Agent, peer: string, options: Partial<HubLinkOptions>): void {
  agent.hub.changes.change(linkOptions(peer, options), world.nowMs);
  world.pass(1_000);
}

describe("states, when the configuration changes", () => {
  test("to sync: the peer is told at once, and what is retained there comes", () => {
    const { world, a, b } = pair();
    keeps(a, ["t/1"]);
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(b.delivered, []);
    change(world, b, "a", { retained: "sync" });
    assert.deepEqual(b.delivered, ["t/1=kept"]);
    assert.ok(b.link("a").states.wanted);
    change(world, b, "a", { retained: "sync", routesMax: 999 });
    assert.equal(a.link("b").states.readings, 1, "another change says nothing of it");
  });

  test("from sync: nothing is read any more, live messages lose their flag, and back again it is read anew", () => {
    const { world, a, b } = pair({}, { retained: "sync" });
    keeps(a, ["t/1", "u/1"]);
    b.subscribe("t/#");
    world.settle();
    change(world, b, "a", { retained: "strip" });
    b.subscribe("u/#");
    world.settle();
    a.publish("u/1", "now", { retain: true });
    world.settle();
    assert.deepEqual(b.delivered, ["t/1=kept", "u/1=now"]);
    assert.deepEqual(
      b.republished.map(({ retain }) => retain),
      [true, false],
    );
    assert.equal(a.link("b").states.readings, 1);
    change(world, b, "a", { retained: "sync" });
    assert.deepEqual(b.delivered.slice(2).toSorted(), ["t/1=kept", "u/1=kept"]);
  });

  test("from sync while one is looked at: it is settled, and not published", () => {
    const { world, a, b } = pair({}, { retained: "sync" });
    keeps(a, ["t/1"]);
    b.stored = () => {
      b.hub.changes.change(linkOptions("a", { retained: "strip" }), world.nowMs);
      return { outcome: "whole", messages: [] };
    };
    b.subscribe("t/#");
    world.pass(60_000);
    assert.deepEqual(b.delivered, []);
    assert.equal(a.link("b").queue.spooled, 0);
    assert.ok(b.link("a").states.skipped.some(({ reason, count }) => reason === "not_asked_for" && count === 1));
  });

  test("of the export list: what it lets out now is read, what it keeps in is not", () => {
    const { world, a, b } = pair({ exportFilters: ["t/#"] }, { retained: "sync" });
    keeps(a, ["t/1", "u/1", "v/1"]);
    b.subscribe("#");
    world.settle();
    assert.deepEqual(b.delivered, ["t/1=kept"]);
    change(world, a, "b", { exportFilters: ["t/#", "u/#"] });
    assert.deepEqual(b.delivered, ["t/1=kept", "u/1=kept"]);
    change(world, a, "b", { exportFilters: ["v/#"] });
    change(world, a, "b", { exportFilters: ["v/#", "t/#"] });
    assert.deepEqual(b.delivered.slice(2), ["v/1=kept", "t/1=kept"]);
  });

  test("of the spool: its new size is what counts", () => {
    const { world, a, b } = pair({}, { retained: "sync" });
    keeps(a, ["t/1"]);
    change(world, a, "b", { spool: { bytesMax: 10, ageMaxMs: 3_600_000, whenFull: "drop_oldest" } });
    b.subscribe("t/#");
    world.pass(1_000);
    assert.deepEqual(b.delivered, []);
    assert.ok(a.link("b").states.skipped.some(({ reason, count }) => reason === "no_frame_takes_it" && count === 1));
    assert.deepEqual(a.drops("b"), [], "the spool was not asked");
  });
});

describe("states of a link that comes while the agent runs", () => {
  test("are read and published, as the local broker is there already", () => {
    const { world, a, b } = pair({}, { retained: "sync" });
    keeps(a, ["t/1"]);
    b.subscribe("t/#");
    world.settle();
    for (const [agent, peer, options] of [
      [a, "b", {}],
      [b, "a", { retained: "sync" }],
    ] as const) {
      agent.hub.changes.remove(peer, world.nowMs);
      world.settle();
      agent.hub.changes.add(linkOptions(peer, options), world.nowMs);
      agent.hub.linkUp(peer, 1_000_000, world.nowMs);
      world.pass(60_000);
    }
    assert.equal(b.delivered.length, 3, `${b.delivered}`);
    assert.equal(a.link("b").queue.spooled, 0);
  });

  test("nothing is published for a link that went while it was looked at", () => {
    const { world, a, b } = pair({}, { retained: "sync" });
    keeps(a, ["t/1"]);
    b.stored = () => {
      b.hub.changes.remove("a", world.nowMs);
      return { outcome: "whole", messages: [] };
    };
    b.subscribe("t/#");
    world.pass(60_000);
    assert.equal(b.hub.link("a"), undefined);
    assert.deepEqual(b.delivered, []);
  });
});
