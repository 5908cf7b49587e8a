import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EMPTY_DIGEST } from "../../src/base/digest.ts";
import { topicCheck } from "../../src/base/hash.ts";
import { decodeControl, encodeControl } from "../../src/wire/control.ts";
import { encodeFrame } from "../../src/wire/frame.ts";
import type { ControlBody } from "../../src/wire/message.ts";
import { linkOptions, pair, World } from "./world.ts";

describe("two clusters", () => {
  test("a subscription here becomes a subscription there, and a message there arrives here once", () => {
    const { world, a, b } = pair();
    a.subscribe("t/#");
    world.settle();
    assert.deepEqual([...b.demand.keys()], ["t/#"]);
    b.publish("t/1", "x");
    world.settle();
    assert.deepEqual(a.delivered, ["t/1=x"]);
    assert.deepEqual([b.local["forwarded"], b.link("a").settled, b.link("a").queue.spooled], [1, 1, 0]);
    a.unsubscribe("t/#");
    world.settle();
    assert.equal(b.demand.size, 0);
    assert.deepEqual([a.link("b").status, b.link("a").status], ["connected", "connected"]);
  });

  test("a thousand subscriptions of one turn are a few messages, not a thousand", () => {
    const { world, a, b } = pair();
    world.settle();
    const before = a.controlSent;
    for (let i = 0; i < 1_000; i += 1) a.subscribe(`t/${i}`);
    world.settle();
    assert.equal(b.demand.size, 1_000);
    assert.ok(a.controlSent - before < 20, `${a.controlSent - before} messages`);
  });

  test("what is too large to cross is counted, and said once a turn as a problem of the link", () => {
    const { world, a, b } = pair();
    a.subscribe("t/#");
    world.settle();
    b.publish("t/1", "x".repeat(1_200_000));
    b.publish("t/1", "y".repeat(1_200_000));
    b.publish("t/1", "small");
    world.settle();
    assert.deepEqual(a.delivered, ["t/1=small"]);
    assert.deepEqual(b.drops("a"), ["out too_large 2"]);
    assert.equal(b.link("a").lastProblem?.code, "MESSAGE_REFUSED");
    assert.equal(b.reported("problem").length, 1);
  });

  test("a link that wants nothing still gives", () => {
    const { world, a, b } = pair({ topics: ["t/#", "c/1"] }, { topics: [] });
    for (const filter of ["t/1", "c/1", "c/2", "other"]) a.subscribe(filter);
    b.subscribe("t/1");
    world.settle();
    assert.deepEqual([...b.demand.keys()].sort(), ["c/1", "t/1"]);
    assert.equal(a.demand.size, 0);
  });

  test("wide, the topics themselves are announced; exact again, just the interest", () => {
    const { world, a, b } = pair({ topics: ["t/#"] });
    a.subscribe("t/1");
    a.hub.interestEvent({ type: "gap", reason: "session_lost" }, world.nowMs);
    world.settle();
    assert.deepEqual([...b.demand.keys()], ["t/#"]);
    assert.deepEqual(a.reported("interest"), [{ type: "interest", from: "exact", to: "session_lost" }]);
    assert.equal(a.hub.status(world.nowMs).wide?.reason, "session_lost");
    a.subscribe("t/1");
    a.hub.interestEvent({ type: "count", plain: 1, shared: 0 }, world.nowMs);
    world.settle();
    assert.deepEqual([...b.demand.keys()], ["t/1"]);
  });

  test("after a gap our own filters are subscribed again, so that the broker announces them anew", () => {
    const { world, a, b } = pair();
    a.subscribe("t/1");
    a.subscribe("t/2");
    world.settle();
    b.subscribes.length = 0;
    b.hub.interestEvent({ type: "gap", reason: "events_dropped" }, world.nowMs);
    world.settle();
    assert.deepEqual(b.subscribes, ["t/1=1", "t/2=2"]);
  });

  test("links are wide from their start when the interest is not known, and tell nothing twice", () => {
    const world = new World();
    const interest = {
      ownClients: new Set<string>(),
      ignoreClients: [],
      untrackedSubscriptions: 0,
      atStart: "unknown",
      trustAfterMs: null,
      controlPrefix: "$LINK",
      rowsMax: 9,
    } as const;
    world.add("a", [linkOptions("b", { topics: ["t/#", "c/1"] })], { interest });
    const b = world.add("b", [linkOptions("a")]);
    world.connect();
    assert.deepEqual([...b.demand.keys()].sort(), ["c/1", "t/#"]);
  });
});

test("what one peer's interest kept off its link is counted: messages that came for another one", () => {
  const world = new World();
  const a = world.add("a", [linkOptions("hub")]);
  const c = world.add("c", [linkOptions("hub")]);
  const hub = world.add("hub", [linkOptions("a"), linkOptions("c")]);
  world.connect();
  a.subscribe("a/#");
  a.subscribe("all");
  c.subscribe("all");
  world.settle();
  for (const topic of ["a/1", "a/2", "a/3", "all"]) hub.publish(topic, "x");
  world.settle();
  assert.deepEqual([hub.link("a").suppressed, hub.link("c").suppressed], [0, 3]);
  assert.deepEqual(hub.link("a").sent.byQos.messages, [0, 4]);
  assert.deepEqual(c.link("hub").received.byQos, { messages: [0, 1], payloadBytes: [0, 1] });
});

describe("allow-lists", () => {
  test("a peer's route is cut to the export list, and what lies outside never leaves", () => {
    const { world, a, b } = pair({}, { exportFilters: ["pub/#", "t/+/x"] });
    a.subscribe("#");
    world.settle();
    assert.deepEqual([...b.demand.keys()].sort(), ["pub/#", "t/+/x"]);
    b.publish("pub/1", "yes");
    // The second lock, with the first one broken.
    b.hub.table.set("a", "secret");
    b.copy("secret", "no");
    world.settle();
    assert.deepEqual(a.delivered, ["pub/1=yes"]);
    assert.equal(b.local["not_exported"], 1);
  });

  test("a message wanted by one peer is not given to another whose export list has it not", () => {
    const world = new World();
    const b = world.add("b", [linkOptions("a", { exportFilters: ["pub/#"] }), linkOptions("c")]);
    const a = world.add("a", [linkOptions("b")]);
    const c = world.add("c", [linkOptions("b")]);
    world.connect();
    a.subscribe("#");
    c.subscribe("#");
    world.settle();
    b.publish("secret", "x");
    b.publish("pub/1", "y");
    world.settle();
    assert.deepEqual([a.delivered, c.delivered], [["pub/1=y"], ["secret=x", "pub/1=y"]]);
  });

  test("a peer that sends what was not asked for is not believed", () => {
    // `b` believes that `a` wants everything; `a` wants t/# only.
    const { world, a, b } = pair({ topics: ["t/#"] });
    a.subscribe("t/#");
    world.settle();
    b.hub.table.set("a", "#");
    for (const topic of ["t/1", "u", "$LINK/v1/a/b/ctl"])
      b.hub
        .link("a")
        ?.forward(
          { topic, payload: new Uint8Array(1), qos: 1, retain: false, properties: null, expiryMs: null },
          null,
          world.nowMs,
        );
    world.settle();
    assert.equal(a.republished.length, 1);
    assert.deepEqual(a.drops("b"), ["in not_in_topics 1", "in reserved_topic 1"]);
    assert.equal(b.link("a").queue.spooled, 0, "settled all the same: they must not come again");
  });
});

describe("what a local message meets", () => {
  test("reserved topics and the control prefix are never forwarded", () => {
    const { world, a, b } = pair();
    a.subscribe("#");
    world.settle();
    for (const topic of ["$SYS/uptime", "$LINK/v1/b/a/ctl", "$LINK"]) b.copy(topic, "x");
    world.settle();
    assert.deepEqual([b.local["reserved"], a.republished.length], [3, 0]);
  });

  test("a fitting mark keeps it here; one that does not fit is stripped and the message forwarded", () => {
    const { world, a, b } = pair();
    a.subscribe("#");
    world.settle();
    b.publish("t", "first");
    world.settle();
    const properties = a.republished[0]?.properties ?? null;
    assert.deepEqual(a.userProperties(0), [
      ["brokerlink-origin", "b"],
      ["brokerlink-check", topicCheck("t")],
    ]);
    b.publish("t", "came back", { properties });
    b.publish("reply", "copied properties", { properties });
    world.settle();
    assert.deepEqual(a.delivered, ["t=first", "reply=copied properties"]);
    assert.deepEqual([b.local["loop_mark"], b.local["mark_stripped"]], [1, 1]);
    assert.deepEqual(a.userProperties(1), [
      ["brokerlink-origin", "b"],
      ["brokerlink-check", topicCheck("reply")],
    ]);
  });

  test("of overlapping copies one counts; what no peer wants is counted, not sent", () => {
    const { world, a, b } = pair();
    a.subscribe("t/+");
    a.subscribe("+/1");
    world.settle();
    b.publish("t/1", "x");
    b.copy("nobody/wants/this", "x");
    world.settle();
    assert.deepEqual(a.delivered, ["t/1=x"]);
    assert.deepEqual([b.local["forwarded"], b.local["copy"], b.local["unrouted"]], [1, 1, 1]);
  });

  test("on a broker that echoes, each echo is taken out once", () => {
    const { world, a, b } = pair();
    a.hub.dataUp(true, false, true, world.nowMs);
    a.subscribe("t");
    b.subscribe("t");
    world.settle();
    b.publish("t", "x");
    world.settle();
    assert.deepEqual(
      a.republished.map(({ properties }) => properties),
      [null],
      "MQTT 3.1.1 has no properties",
    );
    a.copy("t", "x");
    a.copy("t", "x");
    world.settle();
    assert.deepEqual([a.local["echo"], a.local["forwarded"]], [1, 1]);
  });

  test("`retained: live` on the receiving side keeps the flag, whatever the sending side's own link says", () => {
    const { world, a, b } = pair({ retained: "live" }, { retained: "strip" });
    a.subscribe("t");
    b.subscribe("u");
    world.settle();
    b.publish("t", "set", { retain: true });
    b.publish("t", "", { retain: true, qos: 0 });
    b.publish("t", "event");
    a.publish("u", "stripped", { retain: true });
    world.settle();
    const flags = ({ republished }: typeof a) => republished.map(({ qos, retain }) => [qos, retain]);
    assert.deepEqual(a.delivered.toSorted(), ["t=", "t=event", "t=set"]);
    assert.deepEqual(flags(a).toSorted(), [
      [0, true],
      [1, false],
      [1, true],
    ]);
    assert.deepEqual([b.delivered, flags(b)], [["u=stripped"], [[1, false]]]);
  });

  test("what the local broker may have stored crosses without the flag, and not at all if it was stored for a peer", () => {
    const { world, a, b } = pair({ retained: "live" }, { retained: "live" });
    for (const { hub } of [a, b]) hub.dataUp(false, false, false, world.nowMs);
    a.subscribe("t");
    b.subscribe("t");
    world.settle();
    a.copy("t", "of a", { retain: true });
    world.settle();
    assert.deepEqual([b.delivered, b.republished[0]?.retain], [["t=of a"], true]);
    b.copy("t", "of a", { retain: true, stored: true });
    b.copy("t", "of b", { retain: true, stored: true });
    world.settle();
    assert.deepEqual([a.delivered, a.republished[0]?.retain], [["t=of b"], false]);
    assert.deepEqual([b.local["own_retained"], b.local["forwarded"]], [1, 1]);
    b.copy("t", "of a", { retain: true });
    world.settle();
    assert.equal(a.republished.at(-1)?.retain, true, "a client of b has said it anew");
  });

  test("QoS 2 crosses as QoS 1, retain is stripped, the rest of the properties stays, expiry counts on", () => {
    const { world, a, b } = pair();
    a.subscribe("t");
    world.settle();
    const properties = { contentType: "c", userProperties: [["k", "v"]] as const };
    b.publish("t", "x", { qos: 2, retain: true, properties, expirySeconds: 10 });
    world.settle();
    const [message] = a.republished;
    assert.deepEqual([message?.qos, message?.retain, message?.expirySeconds], [1, false, 10]);
    assert.equal(message?.properties?.contentType, "c");
    assert.deepEqual(a.userProperties(0)?.[0], ["k", "v"]);
  });
});

describe("strangers", () => {
  const hello = (to: string, from: string) =>
    encodeControl({
      speaker: { incarnation: 7, instance: "00000000000000ff" },
      body: {
        type: "hello",
        greeting: 1_025,
        to,
        from,
        agentVersion: "x",
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 4_096,
      },
    });

  test("who believes in a link that is gone here is asked for a hello, once a second, and no stranger for ever", () => {
    const world = new World();
    const a = world.add("a", [linkOptions("b")], { disabledLinks: [{ name: "off", topics: [], dialsIn: false }] });
    const speaker = { incarnation: 7, instance: "00000000000000ff" };
    const say = (body: ControlBody, nowMs: number): void =>
      a.hub.control("a", "off", encodeControl({ speaker, body }), nowMs);
    const heartbeat: ControlBody = { type: "heartbeat", mark: { op: 1, count: 0, digest: EMPTY_DIGEST } };
    say(heartbeat, world.nowMs);
    say(heartbeat, world.nowMs + 999);
    const asked = a.strangerAnswers.map(({ to, bytes }) => {
      const decoded = decodeControl(bytes);
      assert.ok(decoded.ok && decoded.value.body.type === "again");
      return [to, decoded.value.body.what, decoded.value.body.of.incarnation];
    });
    assert.deepEqual(asked, [["off", "hello", 7]]);
    say({ type: "again", of: speaker, what: "hello", reason: "unknown_incarnation" }, world.nowMs + 5_000);
    say({ type: "goodbye", kind: "pause", greeting: 1_025 }, world.nowMs + 5_000);
    assert.equal(a.strangerAnswers.length, 1);
    a.hub.control("a", "off", hello("a", "off"), world.nowMs + 5_001);
    assert.equal(a.strangerAnswers.length, 2, "its hello is answered at once");
  });

  test("are told why nobody answers: no link, a disabled link, a wrong name; once a second, hellos only", () => {
    const world = new World();
    const a = world.add("a", [linkOptions("b")], { disabledLinks: [{ name: "off", topics: [], dialsIn: false }] });
    for (const [to, from] of [
      ["a", "unknown"],
      ["a", "off"],
      ["misnamed", "b"],
    ] as const) {
      a.hub.control(to, from, hello(to, from), world.nowMs);
      a.hub.control(to, from, hello(to, from), world.nowMs + 999);
      world.nowMs += 1_000;
    }
    a.hub.control("a", "unknown", new Uint8Array([1, 2, 3]), world.nowMs);
    const answers = a.strangerAnswers.map(({ to, as, bytes }) => {
      const decoded = decodeControl(bytes);
      assert.ok(decoded.ok && decoded.value.body.type === "ack");
      const { result, name, greeting, of } = decoded.value.body;
      assert.deepEqual([name, greeting, of.incarnation], ["a", 1_025, 7]);
      return `${to} as ${as}: ${result}`;
    });
    assert.deepEqual(answers, ["unknown as a: unknown_link", "off as a: link_disabled", "b as misnamed: wrong_name"]);
    assert.deepEqual(
      a.reported("problem").map((event) => (event.type === "problem" ? event.code : "")),
      ["UNKNOWN_PEER", "WRONG_NAME"],
    );
    assert.equal(a.local["stranger"], 7);
  });

  test("frames of clusters without a link, of an agent that was not greeted, or that are none, are counted and dropped", () => {
    const { world, a } = pair();
    a.hub.frame("unknown", new Uint8Array(8), 0, world.nowMs);
    assert.equal(a.local["frame_of_stranger"], 1);
    const message = {
      topic: "t",
      payload: new Uint8Array(1),
      qos: 1,
      retain: false,
      properties: null,
      expiryMs: null,
    } as const;
    const frame = encodeFrame({
      speaker: { incarnation: 9_000, instance: "00000000000000ff" },
      routeOp: 0,
      stream: "00000000000000ee",
      base: 1,
      messages: [{ number: 1, message, origin: null }],
    });
    a.hub.frame("b", frame, 0, world.nowMs);
    world.settle();
    assert.deepEqual(a.drops("b"), ["in unknown_speaker 1"]);
    a.hub.frame("b", new Uint8Array([1]), 0, world.nowMs);
    assert.equal(a.counted("b", "bad_message"), 1);
    assert.deepEqual(a.republished, []);
  });

  test("our own words on a control topic are nobody's", () => {
    const { world, a } = pair();
    a.hub.control("b", "a", hello("b", "a"), world.nowMs);
    assert.deepEqual([a.local["stranger"], a.strangerAnswers.length], [undefined, 0]);
  });
});

describe("refused routes", () => {
  test("are told to the peer, shown there once, taken back when served, and said again to a new life", () => {
    const { world, a, b } = pair();
    b.refuses.add("t/1");
    a.subscribe("t/1");
    world.settle();
    assert.deepEqual(a.link("b").refusedRoutes, [{ filter: "t/1", reasonCode: 0x87 }]);
    assert.equal(a.reported("route_refused").length, 1);
    assert.equal(b.reported("demand_refused").length, 1);
    for (let second = 0; second <= 60; second += 1) world.pass(1_000);
    assert.equal(a.reported("route_refused").length, 1, "said again, no news");
    const reborn = world.add("a", [linkOptions("b")], { incarnation: 5_000 });
    reborn.subscribe("t/1");
    world.connect();
    assert.deepEqual(reborn.link("b").refusedRoutes, [{ filter: "t/1", reasonCode: 0x87 }]);
    b.refuses.clear();
    for (let second = 0; second <= 60; second += 1) world.pass(1_000);
    assert.deepEqual(reborn.link("b").refusedRoutes, []);
    assert.equal(reborn.reported("route_refused").length, 2);
  });

  test("of more than a hundred filters a hundred are kept, the rest counted", () => {
    const { world, a, b } = pair();
    for (let i = 0; i < 130; i += 1) {
      b.refuses.add(`t/${i}`);
      a.subscribe(`t/${i}`);
    }
    world.settle();
    assert.equal(a.link("b").refusedRoutes.length, 100);
    assert.equal(a.counted("b", "refused_routes_overflow"), 30);
    a.unsubscribe("t/0");
    world.settle();
    assert.equal(a.link("b").refusedRoutes.length, 99, "a route that is wanted no longer is refused no longer");
  });
});

describe("drops are counted with their reason", () => {
  test("on the way out", () => {
    const { world, a, b } = pair({}, { spool: { bytesMax: 1_000, ageMaxMs: 3_600_000, whenFull: "drop_oldest" } });
    a.subscribe("#");
    world.settle();
    b.hub.linkDown("a", "cut", world.nowMs);
    world.settle();
    b.publish("t", "best effort", { qos: 0 });
    for (let i = 0; i < 12; i += 1) b.publish("t", `${i}`);
    b.publish("t", "short", { expirySeconds: 1 });
    world.nowMs += 2_000;
    world.connect();
    b.publish("t", "x".repeat(1_000_000));
    const drops = b.drops("a");
    assert.deepEqual(drops.map((drop) => drop.split(" ").slice(0, 2).join(" ")).sort(), [
      "out expired",
      "out peer_away",
      "out spool_full",
      "out too_large",
    ]);
    const lost = drops.filter((drop) => drop.includes("spool_full")).map((drop) => Number(drop.split(" ")[2]));
    assert.equal(a.republished.length + (lost[0] ?? 0), 12);
  });

  test("on the way in", () => {
    const { world, a, b } = pair();
    a.subscribe("#");
    world.settle();
    a.answer = 0x87;
    b.publish("t", "refused");
    world.settle();
    a.hub.dataDown();
    b.publish("t", "best effort", { qos: 0 });
    world.settle();
    assert.deepEqual(a.drops("b"), ["in refused_by_broker 1", "in local_away 1"]);
    assert.equal(a.link("b").republished, 1);
  });
});

test("a foreign circle is held, named once, and dropped", () => {
  const { world, a, b } = pair();
  a.subscribe("#");
  world.settle();
  // Another bridge carries everything from `a` back to `b` and strips the mark.
  let carried = 0;
  b.publish("t", "x");
  for (let i = 0; i < 200; i += 1) {
    world.nowMs += 5;
    world.settle();
    for (; carried < a.republished.length; carried += 1) b.publish("t", "x");
  }
  assert.deepEqual(b.reported("foreign_loop"), [{ type: "foreign_loop", link: "a", topic: "t" }]);
  assert.equal(b.link("a").lastProblem?.code, "FOREIGN_LOOP");
  assert.ok(b.drops("a").includes("out foreign_loop 1"));
  assert.ok(a.republished.length < 10, `went round ${a.republished.length} times`);
});

describe("the life of a link", () => {
  test("a silent peer keeps its demand for the retention, and its end is counted and reported", () => {
    const { world, a, b } = pair();
    a.subscribe("t");
    world.settle();
    world.agents.delete("a");
    b.hub.linkDown("a", "cut", world.nowMs);
    world.pass(30_000);
    assert.equal(b.link("a").in.state, "silent");
    b.publish("t", "kept");
    world.pass(59_000);
    assert.deepEqual([b.demand.size, b.link("a").queue.spooled], [1, 1]);
    world.pass(2_000);
    assert.equal(b.demand.size, 0);
    assert.deepEqual(b.reported("routes_expired"), [{ type: "routes_expired", link: "a", count: 1 }]);
    assert.equal(b.counted("a", "routes_expired"), 1);
  });

  test("goodbye(leave) ends the demand at once, goodbye(pause) keeps it", () => {
    for (const [kind, left] of [
      ["leave", 0],
      ["pause", 1],
    ] as const) {
      const { world, a, b } = pair();
      a.subscribe("t");
      world.settle();
      a.hub.goodbye(kind, world.nowMs);
      world.settle();
      assert.equal(b.demand.size, left, kind);
    }
  });

  test("its word follows both halves, and every change is reported", () => {
    const world = new World();
    const a = world.add("a", [linkOptions("b")]);
    world.settle();
    assert.equal(a.link("b").status, "connecting");
    world.pass(15_000);
    assert.equal(a.link("b").status, "disconnected");
    world.add("b", [linkOptions("a")]);
    world.connect();
    assert.equal(a.link("b").status, "connected");
    a.hub.linkDown("b", "cut", world.nowMs);
    world.settle();
    assert.equal(a.link("b").status, "inconsistent", "the peer's half still stands");
    assert.deepEqual(
      a.reported("link_status").map((event) => (event.type === "link_status" ? `${event.from} > ${event.to}` : "")),
      ["connecting > disconnected", "disconnected > connecting", "connecting > connected", "connected > inconsistent"],
    );
  });
});

test("a row that is given up makes the announcement wider before anything of it goes", () => {
  const world = new World();
  const interest = {
    ownClients: new Set<string>(),
    ignoreClients: [],
    untrackedSubscriptions: 0,
    atStart: "none",
    trustAfterMs: null,
    controlPrefix: "$LINK",
    rowsMax: 2,
  } as const;
  const a = world.add("a", [linkOptions("b", { topics: ["t/#"] })], { interest });
  const b = world.add("b", [linkOptions("a")]);
  world.connect();
  a.subscribe("t/ghost", "left");
  a.subscribe("t/held", "here");
  a.hub.interestEvent({ type: "disconnected", client: "left" }, world.nowMs);
  world.settle();
  assert.deepEqual([...b.demand.keys()].sort(), ["t/ghost", "t/held"]);
  a.subscribe("t/new", "new");
  world.pass(60_000);
  assert.deepEqual([...b.demand.keys()].sort(), ["t/#"]);
  const { wide, interest: stats } = a.hub.status(world.nowMs);
  assert.deepEqual([wide?.reason, stats.givenUp, stats.refused], ["ghosts_given_up", 1, 0]);
});

test("on the way to wide mode a route that goes, goes behind what is wider", () => {
  const world = new World();
  const a = world.add("a", [linkOptions("b", { topics: ["t/#"] })]);
  world.add("b", [linkOptions("a")]);
  world.connect();
  a.subscribe("t/1");
  world.settle();
  const link = a.hub.link("b");
  assert.ok(link !== undefined);
  const told: string[] = [];
  const announce = link.conversation.announce.bind(link.conversation);
  link.conversation.announce = (ops, nowMs) => {
    told.push(...ops.map(({ op, filter }) => `${op} ${filter}`));
    return announce(ops, nowMs);
  };
  // As when too many linger already: the edge is there at once.
  link.interest([{ filter: "t/1", group: null, up: false }]);
  link.setWide(true, world.nowMs);
  world.settle();
  assert.deepEqual(told, ["add t/#", "delete t/1"]);
});
