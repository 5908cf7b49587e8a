/** What the explanation says of a topic against what forwarding then does with a message on it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { explainIn, explainOut, type InVerdict, type OutVerdict } from "../../src/hub/explain.ts";
import type { HubLink } from "../../src/hub/hub-link.ts";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import { type Agent, linkOptions, pair, World } from "./world.ts";

function linkOf(agent: Agent, peer: string): HubLink {
  const link = agent.hub.link(peer);
  assert.ok(link !== undefined);
  return link;
}

function out(agent: Agent, peer: string, topic: string): OutVerdict {
  return explainOut(agent.hub, linkOf(agent, peer), topic, "$LINK");
}

function incoming(agent: Agent, peer: string, topic: string): InVerdict {
  return explainIn(agent.hub, linkOf(agent, peer), topic, "$LINK");
}

/** `verdict code route`. */
function said({ verdict, code, route }: OutVerdict | InVerdict): string {
  return `${verdict} ${code} ${route ?? "-"}`;
}

describe("what is said of a message that a local client publishes", () => {
  test("that the peer wants, and does not want", () => {
    const { world, a, b } = pair();
    b.subscribe("t/+");
    world.settle();
    assert.equal(said(out(a, "b", "t/1")), "sent sent t/+");
    assert.equal(said(out(a, "b", "t/1/2")), "not_sent no_route -");
  });

  test("with nothing to be said about it: no topic, reserved, under the control prefix", () => {
    const { world, a, b } = pair();
    b.subscribe("#");
    world.settle();
    for (const [topic, code] of [
      ["", "bad_topic"],
      ["t/#", "bad_topic"],
      ["$SYS/x", "reserved"],
      ["$LINK/v1/b/a/ctl", "control_topic"],
    ] as const) {
      assert.equal(out(a, "b", topic).code, code, topic);
      assert.equal(incoming(a, "b", topic).code, code, topic);
    }
  });

  test("that the export list keeps here, or lets leave on a narrower route than the peer's", () => {
    const { world, a, b } = pair({ exportFilters: ["open/+"] });
    b.subscribe("#");
    world.settle();
    assert.equal(said(out(a, "b", "shut/1")), "not_sent not_exported -");
    assert.equal(said(out(a, "b", "open/1")), "sent sent open/+");
  });

  test("while the peer is away it waits in the spool; before it has spoken nobody knows; after its leave it is not wanted", () => {
    const { world, a, b } = pair();
    b.subscribe("t");
    world.settle();
    a.hub.linkDown("b", "test", world.nowMs);
    world.settle();
    assert.equal(said(out(a, "b", "t")), "sent spooled t");
    a.hub.linkUp("b", 1_000_000, world.nowMs);
    b.hub.goodbye("leave", world.nowMs);
    world.settle();
    assert.equal(out(a, "b", "t").code, "peer_left");
    const alone = new World();
    const first = alone.add("a", [linkOptions("b")]);
    alone.settle();
    assert.equal(out(first, "b", "t").code, "peer_unknown");
  });

  test("that a broker on the way refuses", () => {
    const { world, a, b } = pair();
    b.subscribe("t");
    world.settle();
    a.broker = { frame: () => 0x87, control: () => 0 };
    a.publish("t", "x");
    world.settle();
    assert.equal(said(out(a, "b", "t")), "sent blocked t");
  });

  test("whose subscription the local broker refuses, or has not answered", () => {
    const { world, a, b } = pair();
    a.refuses.add("no");
    b.subscribe("no");
    world.settle();
    assert.equal(said(out(a, "b", "no")), "not_sent subscription_refused no");
    b.subscribe("later");
    b.turn();
    a.turn();
    a.hub.demand.want("b", "later");
    a.hub.table.set("b", "later");
    assert.equal(said(out(a, "b", "later")), "not_sent subscription_pending later");
  });
});

describe("what is said of a message that a client of the peer publishes", () => {
  test("that somebody here wants, nobody wants, or the link does not take", () => {
    const { world, a } = pair({ topics: ["t/#"] });
    a.subscribe("t/1");
    a.subscribe("other");
    world.settle();
    assert.equal(said(incoming(a, "b", "t/1")), "wanted wanted t/1");
    assert.equal(said(incoming(a, "b", "t/2")), "not_wanted no_interest -");
    assert.equal(said(incoming(a, "b", "other")), "not_wanted not_in_topics -");
  });

  test("that is asked for because not every subscription is known, or there are too many", () => {
    const wide = pair({ topics: ["t/#"] });
    wide.a.hub.interestEvent({ type: "gap", reason: "session_lost" }, wide.world.nowMs);
    wide.world.settle();
    assert.equal(said(incoming(wide.a, "b", "t/2")), "wanted wide t/#");
    const { world, a } = pair({ routesMax: 2 });
    for (const filter of ["x/1", "x/2", "x/3"]) a.subscribe(filter);
    world.settle();
    assert.equal(incoming(a, "b", "x/4").verdict, "wanted");
    assert.equal(incoming(a, "b", "x/4").code, "widened");
  });

  test("that the peer cannot serve, or does not hear of", () => {
    const { world, a, b } = pair();
    b.refuses.add("no");
    a.subscribe("no");
    world.settle();
    assert.equal(said(incoming(a, "b", "no")), "wanted route_refused no");
    a.hub.linkDown("b", "test", world.nowMs);
    a.subscribe("later");
    world.settle();
    assert.equal(said(incoming(a, "b", "later")), "wanted not_announced later");
  });
});

// ── the property ────────────────────────────────────────────────────────────────────────────────────

const LEVELS = ["a", "b", "$x", ""];
/** An empty text is no topic, and no broker takes it. */
const TOPIC = fc
  .array(fc.constantFrom(...LEVELS), { minLength: 1, maxLength: 3 })
  .map((levels) => levels.join("/"))
  .filter((topic) => topic !== "");
const FILTER = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "+"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([levels, deep]) => (deep ? [...levels.slice(1), "#"] : levels).join("/"));
const FILTERS = fc.array(FILTER, { maxLength: 3 });
const STEP = fc.oneof(
  fc.record({ do: fc.constant("subscribe" as const), who: fc.constantFrom("a", "b", "c"), filter: FILTER }),
  fc.record({ do: fc.constant("unsubscribe" as const), who: fc.constantFrom("a", "b", "c"), filter: FILTER }),
  fc.record({ do: fc.constant("cut" as const), who: fc.constantFrom("b", "c") }),
  fc.record({ do: fc.constant("join" as const), who: fc.constantFrom("b", "c") }),
  fc.record({ do: fc.constant("leave" as const), who: fc.constantFrom("b", "c") }),
  fc.record({ do: fc.constant("gap" as const), who: fc.constantFrom("a", "b", "c") }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 100_000 }) }),
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** Cluster a with links to b and c, all real. */
class Three {
  readonly world = new World();
  readonly a: Agent;

  constructor(
    exports: readonly string[],
    topics: readonly string[],
    refused: readonly string[],
    change: Partial<HubLinkOptions>,
  ) {
    const links = ["b", "c"].map((name) => linkOptions(name, { exportFilters: exports, topics, ...change }));
    this.a = this.world.add("a", links);
    for (const filter of refused) this.a.refuses.add(filter);
    for (const name of ["b", "c"]) this.world.add(name, [linkOptions("a")]);
    this.world.connect();
  }

  step(step: Step): void {
    const { world, a } = this;
    switch (step.do) {
      case "subscribe":
        this.agent(step.who).subscribe(step.filter);
        break;
      case "unsubscribe":
        this.agent(step.who).unsubscribe(step.filter);
        break;
      case "cut":
        a.hub.linkDown(step.who, "test", world.nowMs);
        this.agent(step.who).hub.linkDown("a", "test", world.nowMs);
        break;
      case "join":
        a.hub.linkUp(step.who, 1_000_000, world.nowMs);
        this.agent(step.who).hub.linkUp("a", 1_000_000, world.nowMs);
        break;
      case "leave":
        this.agent(step.who).hub.goodbye("leave", world.nowMs);
        break;
      case "gap":
        this.agent(step.who).hub.interestEvent({ type: "gap", reason: "session_lost" }, world.nowMs);
        break;
      case "wait":
        world.nowMs += step.ms;
        break;
    }
    world.settle();
  }

  agent(name: string): Agent {
    const agent = this.world.agents.get(name);
    assert.ok(agent !== undefined);
    return agent;
  }

  /** How many messages the link was ever given, whatever became of them. */
  taken(peer: string): number {
    const { sent, queue, dropped } = this.a.link(peer);
    const lost = dropped.filter(({ direction }) => direction === "out").reduce((sum, { count }) => sum + count, 0);
    return sent.messages + Math.max(0, queue.spooled - queue.inflight) + queue.bestEffort + lost;
  }
}

describe("what is said of a topic is what happens", () => {
  test("to a message of each quality, in any state of the links", () => {
    fc.assert(
      fc.property(
        fc.array(STEP, { maxLength: 12 }),
        FILTERS,
        FILTERS,
        TOPIC,
        fc.boolean(),
        (steps, exported, refused, topic, exportsAll) => {
          const three = new Three(exportsAll ? ["#"] : exported, ["#"], refused, {});
          for (const step of steps) three.step(step);
          for (const qos of [0, 1] as const) {
            for (const peer of ["b", "c"]) {
              // A copy that the loop guard would take for one that circles is none of this: each text is another.
              const verdict = out(three.a, peer, topic);
              const before = three.taken(peer);
              three.a.publish(topic, `${peer} ${qos}`, { qos });
              const isTaken = three.taken(peer) > before;
              assert.equal(isTaken, verdict.verdict === "sent", `${said(verdict)} qos ${qos}`);
              const lost = three.a.drops(peer).some((drop) => drop.startsWith("out peer_away"));
              if (verdict.code === "sent") assert.ok(!lost || steps.length > 0, said(verdict));
              three.world.settle();
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("and to a message of the peer's clients, once both have said what they want", () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 12 }), FILTERS, TOPIC, (steps, topics, topic) => {
        const three = new Three(["#"], topics, [], { routesMax: 3 });
        for (const step of steps) three.step(step);
        for (const peer of ["b", "c"]) {
          const verdict = incoming(three.a, peer, topic);
          const theirs = three.agent(peer).hub.table.match(topic).includes("a");
          const isOnline = linkOf(three.a, peer).conversation.announcer.state === "online";
          // Away, the peer goes by what it heard last.
          if (
            isOnline &&
            verdict.code !== "not_announced" &&
            verdict.code !== "not_in_topics" &&
            !topic.startsWith("$")
          )
            assert.equal(theirs, verdict.verdict === "wanted", said(verdict));
          const before = three.a.delivered.length;
          three.agent(peer).publish(topic, "x");
          three.world.settle();
          if (verdict.verdict === "not_wanted" && isOnline)
            assert.equal(three.a.delivered.length, before, said(verdict));
          const isHeard = verdict.code !== "not_announced" && verdict.code !== "peer_left";
          if (
            verdict.verdict === "wanted" &&
            isHeard &&
            isOnline &&
            theirs &&
            linkOf(three.agent(peer), "a").outbound.isOpen
          )
            assert.equal(three.a.delivered.length, before + 1, said(verdict));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
