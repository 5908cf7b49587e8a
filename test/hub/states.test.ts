/** `retained: sync` between two hubs, each with a broker that answers at once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { markProperties } from "../../src/flow/mark.ts";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import type { StoredMessage, StoredOutcome } from "../../src/hub/stored.ts";
import { matches } from "../../src/topic/algebra.ts";
import { type Agent, linkOptions, pair, World } from "./world.ts";

type Kept = Readonly<Record<string, string | Partial<StoredMessage>>>;

/** Lets the agent's broker have these values retained; answers the filters it is asked for. */
function keeps(agent: Agent, values: Kept, outcome: StoredOutcome = "whole"): (readonly string[])[] {
  const asked: (readonly string[])[] = [];
  agent.stored = (filters) => {
    asked.push(filters);
    const messages = Object.entries(values)
      .filter(([topic]) => filters.some((filter) => matches(filter, topic)))
      .map(([topic, value]) => stored(topic, value));
    return { outcome, messages };
  };
  return asked;
}

function stored(topic: string, value: string | Partial<StoredMessage>): StoredMessage {
  const text = typeof value === "string" ? value : "value";
  const message = { topic, payload: new TextEncoder().encode(text), properties: null, expirySeconds: null };
  return typeof value === "string" ? message : { ...message, ...value };
}

/** What became of the states of a link, without what nothing became of. */
function skipped(agent: Agent, peer: string): string[] {
  const counts = agent.link(peer).states.skipped.filter(({ count }) => count > 0);
  return counts.map(({ direction, reason, count }) => `${direction} ${reason} ${count}`);
}

function problems(agent: Agent): string[] {
  return agent.reported("problem").map((event) => (event.type === "problem" ? `${event.code}: ${event.reason}` : ""));
}

const SYNC: Partial<HubLinkOptions> = { retained: "sync" };

describe("states", () => {
  test("are read once for each new route, and published as retained, marked as their cluster's", () => {
    const { world, a, b } = pair({}, SYNC);
    const asked = keeps(a, { "t/1": "one", "t/2": "two", "u/1": "three" });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(asked, [["t/#"]]);
    assert.deepEqual(b.delivered, ["t/1=one", "t/2=two"]);
    assert.ok(b.republished.every(({ retain, qos }) => retain && qos === 1));
    assert.deepEqual(b.userProperties(0)?.[0], ["brokerlink-origin", "a"]);
    b.subscribe("t/1", "another");
    world.settle();
    assert.equal(asked.length, 1, "within the one that was read");
    b.unsubscribe("t/#");
    b.unsubscribe("t/1", "another");
    world.pass(5_000);
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(asked, [["t/#"], ["t/#"]], "a route that comes anew is read anew");
    assert.deepEqual([a.link("b").states.sent, b.link("a").states.published], [4, 4]);
  });

  test("of topics without wildcards are read together", () => {
    const { world, a, b } = pair({}, SYNC);
    const asked = keeps(a, {});
    for (let n = 1; n <= 101; n += 1) b.subscribe(`t/${n}`);
    world.settle();
    assert.deepEqual(
      asked.map(({ length }) => length),
      [100, 1],
    );
  });

  test("are not read for a peer that does not ask", () => {
    const { world, a, b } = pair({}, { retained: "live" });
    const asked = keeps(a, { "t/1": "one" });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual([asked, b.delivered], [[], []]);
  });

  test("cross within the export list only, and never what came from a peer", () => {
    const { world, a, b } = pair({ exportFilters: ["t/+", "$x/#"] }, SYNC);
    const asked = keeps(a, {
      "t/1": { properties: markProperties(null, "c", "t/1") },
      // Copied by an application from another topic.
      "t/2": { properties: markProperties({ contentType: "x" }, "c", "t/1") },
      "t/3": { expirySeconds: 60 },
      "u/1": "no",
    });
    b.subscribe("#");
    world.settle();
    assert.deepEqual(asked.flat(), ["t/+"]);
    assert.deepEqual(b.delivered, ["t/2=value", "t/3=value"]);
    assert.equal(b.republished[0]?.properties?.contentType, "x");
    assert.equal(b.republished[1]?.expirySeconds, 60);
    assert.deepEqual(skipped(a, "b"), ["out not_own 1"]);
  });

  test("replace nobody else's value, and are not published when they are there already", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/own": "of A", "t/same": "of A", "t/old": "of A", "t/c": "of A" });
    const mark = (topic: string, origin: string) => ({ properties: markProperties(null, origin, topic) });
    const payload = new TextEncoder().encode("of A");
    keeps(b, {
      "t/own": "of B",
      "t/same": { payload, ...mark("t/same", "a") },
      "t/old": mark("t/old", "a"),
      "t/c": mark("t/c", "c"),
    });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(b.delivered, ["t/old=of A"]);
    assert.deepEqual(skipped(b, "a"), ["in not_theirs 2", "in same 1"]);
    assert.equal(a.link("b").queue.spooled, 0, "what is not published is settled too");
  });

  test("an empty one would delete, and does nothing", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "" });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual([b.delivered, skipped(b, "a")], [[], ["in not_asked_for 1"]]);
  });

  test("give way to what was forwarded since the reading began", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "old", "t/2": "old" });
    const answer = a.stored;
    a.stored = (filters) => {
      const stands = answer(filters);
      a.publish("t/1", "new", { qos: 0 });
      return stands;
    };
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(b.delivered, ["t/1=new", "t/2=old"]);
    assert.deepEqual(skipped(a, "b"), ["out live 1"]);
  });

  test("a best-effort message goes behind the state of its topic that is under way", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "state" });
    let isLost = true;
    a.swallows = () => isLost;
    b.subscribe("t/#");
    world.settle();
    isLost = false;
    a.publish("t/1", "live", { qos: 0 });
    a.publish("t/2", "other", { qos: 0 });
    world.pass(60_000);
    assert.deepEqual(b.delivered, ["t/1=live", "t/2=other"], "the state came first, and was overtaken here");
    assert.deepEqual(
      b.republished.map(({ qos }) => qos),
      [1, 0],
    );
    assert.deepEqual(skipped(b, "a"), ["in live 1"]);
    a.publish("t/1", "later", { qos: 0 });
    world.settle();
    assert.equal(b.republished.at(-1)?.qos, 0, "nothing is under way any more");
  });

  test("of an earlier life of the peer are given up: this one gets its own", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "old" });
    a.swallows = () => true;
    b.subscribe("t/#");
    world.settle();
    assert.equal(a.link("b").queue.spooled, 1);
    a.swallows = () => false;
    keeps(a, { "t/1": "new" });
    const later = world.add("b", [linkOptions("a", SYNC)], { incarnation: 2_000 });
    later.hub.linkUp("a", 1_000_000, world.nowMs);
    later.subscribe("t/#");
    world.pass(60_000);
    assert.deepEqual(later.delivered, ["t/1=new"]);
    assert.ok(a.drops("b").includes("out stale_state 1"));
  });

  test("of an earlier life of this agent, found in its spool, are given up", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "old" });
    a.swallows = () => true;
    b.subscribe("t/#");
    world.settle();
    const { logs } = a.hub.link("b")?.outbound.lanes ?? {};
    assert.ok(logs !== undefined);
    const later = world.add("a", [linkOptions("b", { logs })], { incarnation: 2_000 });
    later.hub.linkUp("b", 1_000_000, world.nowMs);
    world.pass(60_000);
    assert.deepEqual([b.delivered, later.drops("b")], [[], ["out stale_state 1"]]);
  });
});

describe("what cannot be read is said:", () => {
  test("the local broker refuses, or there is too much: what came is used", () => {
    for (const [outcome, text] of [
      ["refused", /RETAINED_INCOMPLETE: the local broker does not let the agent read .* on "t\/#"$/],
      ["cut", /RETAINED_INCOMPLETE: what .* on "t\/#" is more than is read at a time: 1 were taken$/],
    ] as const) {
      const { world, a, b } = pair({}, SYNC);
      const asked = keeps(a, { "t/1": "one" }, outcome);
      b.subscribe("t/#");
      world.pass(60_000);
      assert.deepEqual([b.delivered, asked.length], [["t/1=one"], 1]);
      assert.match(problems(a).join(), text);
    }
  });

  test("the local broker does not answer: three times, then no more", () => {
    const { world, a, b } = pair({}, SYNC);
    const asked = keeps(a, { "t/1": "one" }, "failed");
    b.subscribe("t/#");
    world.settle();
    assert.equal(asked.length, 1);
    for (let n = 0; n < 6; n += 1) world.pass(10_000);
    assert.equal(asked.length, 3);
    assert.match(problems(a).join(), /RETAINED_INCOMPLETE: the local broker does not answer/);
    keeps(a, { "t/1": "one" });
    b.unsubscribe("t/#");
    world.pass(5_000);
    b.subscribe("t/#");
    world.pass(10_000);
    assert.deepEqual(b.delivered, ["t/1=one"], "a route that comes anew is tried anew");
  });

  test("the receiver's broker does not answer: nothing is replaced unseen", () => {
    const { world, a, b } = pair({}, SYNC);
    keeps(a, { "t/1": "one" });
    keeps(b, {}, "failed");
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual([b.delivered, skipped(b, "a")], [[], ["in unreadable 1"]]);
    assert.match(problems(b).join(), /RETAINED_INCOMPLETE: the local broker does not tell/);
    assert.equal(a.link("b").queue.spooled, 0);
  });

  test("too many topics have live messages while the reading goes on: it is done again", () => {
    const { world, a, b } = pair({}, SYNC);
    const asked = keeps(a, { "t/1": "one" });
    const answer = a.stored;
    a.stored = (filters) => {
      const stands = answer(filters);
      if (asked.length === 1) for (let n = 0; n <= 10_000; n += 1) a.publish(`t/x/${n}`, "live", { qos: 0 });
      return stands;
    };
    b.subscribe("t/#");
    world.pass(20_000);
    world.pass(20_000);
    assert.equal(asked.length, 2);
    assert.ok(b.delivered.includes("t/1=one"));
  });
});

describe("who cannot take part says so:", () => {
  test("an older agent, which says nothing of states", () => {
    const world = new World();
    const [a, b] = [world.add("a", [linkOptions("b", SYNC)]), world.add("b", [linkOptions("a")])];
    // It says nothing of states, and passes over what is said of them.
    for (const link of b.hub.links()) Object.defineProperty(link.states, "word", { get: () => undefined });
    world.connect();
    assert.equal(a.link("b").states.blocked, problems(a)[0]?.replace(/^\w+: /, ""));
    assert.match(problems(a).join(), /^RETAINED_UNSUPPORTED: the agent of cluster "b" is of a version without it/);
  });

  test("a local broker of MQTT 3.1.1, at the receiver: it takes the peer's values as with live", () => {
    const { world, a, b } = pair({}, SYNC);
    b.hub.dataDown();
    b.hub.dataUp(false, false, false, world.nowMs);
    const asked = keeps(a, { "t/1": "one" });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(asked, [], "the peer was told");
    a.publish("t/1", "now", { retain: true });
    world.settle();
    assert.deepEqual(
      b.republished.map(({ retain }) => retain),
      [true],
    );
    assert.match(problems(b).join(), /^RETAINED_UNSUPPORTED: the local broker speaks MQTT 3\.1\.1/);
    assert.match(b.link("a").states.blocked ?? "", /3\.1\.1/);
  });

  test("a local broker of MQTT 3.1.1, at the sender: both sides say it", () => {
    const { world, a, b } = pair({}, SYNC);
    a.hub.dataDown();
    a.hub.dataUp(false, false, false, world.nowMs);
    const asked = keeps(a, { "t/1": "one" });
    b.subscribe("t/#");
    world.settle();
    assert.deepEqual(asked, []);
    assert.match(problems(a).join(), /RETAINED_UNSUPPORTED: cluster "b" wants what is retained here/);
    assert.match(problems(b).join(), /RETAINED_UNSUPPORTED: the broker of cluster "a" speaks MQTT 3\.1\.1/);
  });
});
