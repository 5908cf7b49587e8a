import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { linkOptions, pair } from "./world.ts";

/** B's clients want everything that A's publish; the link was cut while 2,000 messages were published there, 100 a second. */
function cut() {
  const made = pair();
  const { world, a, b } = made;
  b.subscribe("t/#");
  world.settle();
  a.hub.linkDown("b", "cut", world.nowMs);
  for (let n = 0; n < 2_000; n += 1) {
    a.publish("t/1", `${n}`);
    world.pass(10);
  }
  a.hub.linkUp("b", 1_000_000, world.nowMs);
  world.settle();
  return made;
}

function second({ world }: ReturnType<typeof pair>): void {
  for (let step = 0; step < 50; step += 1) world.pass(20);
}

describe("while a backlog drains", () => {
  test("the status says so on the sending side, and the peer is told at once", () => {
    const made = cut();
    const { a, b, world } = made;
    second(made);
    assert.equal(a.link("b").drain.out.draining, true);
    assert.ok(Math.abs(a.link("b").drain.out.perSecond - 150) < 15, `${a.link("b").drain.out.perSecond}`);
    assert.equal(b.link("a").drain.in.draining, false, "it comes fresh over there");
    assert.equal(b.hub.link("a")?.backlog.goesIn(world.nowMs), true);
    assert.deepEqual(b.hub.link("a")?.conversation.peerBacklog, { draining: true, percent: 100 });
    for (let n = 0; n < 30; n += 1) second(made);
    assert.equal(b.delivered.length, 2_000);
    assert.equal(a.link("b").drain.out.draining, false);
    assert.equal(b.hub.link("a")?.backlog.goesIn(world.nowMs), false);
  });

  test("what the receiving broker drops slows the sender down, and it is given back", () => {
    const made = cut();
    const { a, b, world } = made;
    second(made);
    const full = a.link("b").drain.out.perSecond;
    b.hub.brokerDropped(10, true, world.nowMs);
    for (let turn = 0; turn < 3; turn += 1) world.pass(1);
    assert.ok(Math.abs(a.link("b").drain.out.perSecond - full / 2) < 5);
    const before = b.delivered.length;
    second(made);
    const gone = b.delivered.length - before;
    assert.ok(gone > 60 && gone < 90, `${gone} in a second`);
    for (let n = 0; n < 90; n += 1) second(made);
    assert.equal(b.delivered.length, 2_000);
    assert.deepEqual(a.hub.link("b")?.conversation.peerBacklog, { draining: false, percent: 100 });
  });

  test("drops of a time at which nothing drains mean nothing", () => {
    const { a, b, world } = pair();
    b.subscribe("t/#");
    world.settle();
    a.publish("t/1", "x");
    world.settle();
    b.hub.brokerDropped(10, true, world.nowMs);
    for (let turn = 0; turn < 3; turn += 1) world.pass(1);
    assert.equal(a.hub.link("b")?.conversation.peerBacklog.percent, 100);
  });

  test("the receiving agent's own backlog is slowed down too, also by drops that are told after it is over", () => {
    const made = pair();
    const { a, b, world } = made;
    b.subscribe("t/#");
    world.settle();
    b.hub.dataDown();
    for (let n = 0; n < 200; n += 1) {
      a.publish("t/1", `${n}`);
      world.pass(10);
    }
    b.hub.dataUp(true, true, false, world.nowMs);
    world.settle();
    assert.equal(b.link("a").drain.in.draining, true);
    const full = b.link("a").drain.in.perSecond;
    for (let n = 0; n < 12; n += 1) second(made);
    assert.equal(b.delivered.length, 200);
    assert.equal(b.link("a").drain.in.draining, false);
    assert.equal(b.hub.link("a")?.conversation.peerBacklog.draining, false);
    b.hub.brokerDropped(1, true, world.nowMs);
    world.settle();
    assert.ok(b.link("a").drain.in.perSecond < full * 0.6, `${b.link("a").drain.in.perSecond} of ${full}`);
  });

  test("a new life of the peer asks for nothing until it says so", () => {
    const made = cut();
    const { a, b, world } = made;
    second(made);
    b.hub.brokerDropped(10, true, world.nowMs);
    for (let turn = 0; turn < 3; turn += 1) world.pass(1);
    assert.equal(a.hub.link("b")?.conversation.peerBacklog.percent, 50);
    const again = world.add("b", [linkOptions("a")], { incarnation: 2_000 });
    again.hub.linkUp("a", 1_000_000, world.nowMs);
    world.settle();
    assert.equal(a.hub.link("b")?.conversation.peerBacklog.percent, 100);
  });

  test("that it is over waits for the next heartbeat: one on the brink does not chatter", () => {
    const { a, world } = pair();
    const conversation = a.hub.link("b")?.conversation;
    assert.ok(conversation !== undefined);
    const asked = a.controlSent;
    let sent = 0;
    for (let n = 0; n < 900; n += 1) {
      conversation.backlog({ draining: n % 2 === 0, percent: 100 }, world.nowMs);
      for (const { type } of conversation.tick(world.nowMs)) if (type === "send") sent += 1;
      world.nowMs += 10;
    }
    assert.equal(a.controlSent, asked);
    assert.equal(sent, 1);
  });
});
