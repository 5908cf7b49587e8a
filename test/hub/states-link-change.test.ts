/** `retained: sync` on links that come and change while their agents run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { matches } from "../../src/topic/algebra.ts";
import { type Agent, linkOptions, pair, type World } from "./world.ts";

const SYNC: Partial<HubLinkOptions> = { retained: "sync" };

/** Lets the agent's broker have a value retained on each topic; answers the filters it is asked for. */
function keeps(agent: Agent, ...topics: string[]): string[] {
  const asked: string[] = [];
  agent.stored = (filters) => {
    asked.push(...filters);
    const kept = topics.filter((topic) => filters.some((filter) => matches(filter, topic)));
    const messages = kept.map((topic) => {
      return { topic, payload: new TextEncoder().encode("kept"), properties: null, expirySeconds: null };
    });
    return { outcome: "whole", messages };
  };
  return asked;
}

function change(world: World, agent: Agent, peer: string, to: Partial<HubLinkOptions>): void {
  agent.hub.changes.change(linkOptions(peer, to), world.nowMs);
  world.settle();
}

describe("states of links that change", () => {
  test("are read for a link that came while the local broker was there", () => {
    const { world, a, b } = pair({}, SYNC);
    a.hub.changes.remove("b", world.nowMs);
    world.settle();
    keeps(a, "t/1");
    b.subscribe("t/#");
    world.settle();
    a.hub.changes.add(linkOptions("b"), world.nowMs);
    a.hub.linkUp("b", 1_000_000, world.nowMs);
    world.pass(10_000);
    assert.deepEqual(b.delivered, ["t/1=kept"]);
  });

  test("are read of what is exported anew, and not of what is no more", () => {
    const { world, a, b } = pair({ exportFilters: ["t/#"] }, SYNC);
    const asked = keeps(a, "t/1", "u/1");
    b.subscribe("#");
    world.settle();
    change(world, a, "b", { exportFilters: ["u/#"] });
    assert.deepEqual(asked, ["t/#", "u/#"]);
    assert.deepEqual(b.delivered, ["t/1=kept", "u/1=kept"]);
    // Asked for anew, they are read of what may leave by now.
    change(world, b, "a", {});
    change(world, b, "a", SYNC);
    assert.deepEqual(asked.slice(2), ["u/#"]);
  });

  test("come once they are wanted, and are not asked for once they are not", () => {
    const { world, a, b } = pair();
    const asked = keeps(a, "t/1", "u/1");
    b.subscribe("t/#");
    world.settle();
    change(world, b, "a", SYNC);
    assert.deepEqual(b.delivered, ["t/1=kept"]);
    assert.equal(b.link("a").states.wanted, true);
    change(world, b, "a", { retained: "live" });
    b.subscribe("u/#");
    world.settle();
    assert.deepEqual(asked, ["t/#"]);
    assert.equal(b.link("a").states.wanted, false);
  });

  test("a flag is kept or taken off as the link says by now", () => {
    const { world, a, b } = pair();
    b.subscribe("t");
    world.settle();
    const flags = (["strip", "live", "strip"] as const).map((retained) => {
      change(world, b, "a", { retained });
      a.publish("t", "x", { retain: true });
      world.settle();
      return b.republished.at(-1)?.retain;
    });
    assert.deepEqual(flags, [false, true, false]);
  });

  test("a reading that a link began is for nobody once it is gone", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, "t/1");
    const before = b.stored;
    b.stored = (filters) => {
      b.hub.changes.remove("a", world.nowMs);
      return before(filters);
    };
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(b.delivered, []);
  });
});
