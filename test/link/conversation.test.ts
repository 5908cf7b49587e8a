import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeControl } from "../../src/wire/control.ts";
import type { ControlBody } from "../../src/wire/message.ts";
import { connect, deliver, Side, tick } from "./pair.ts";

const sides = (): [Side, Side] => [
  new Side("a", "b", 1_000, "00000000000000aa"),
  new Side("b", "a", 2_000, "00000000000000bb"),
];

function online(): [Side, Side] {
  const [a, b] = sides();
  a.subscribe(["t/1", "t/2"], 0);
  connect(a, b, 0);
  deliver(a, b, 0);
  assert.equal(a.conversation.announcer.state, "online");
  assert.equal(b.conversation.acceptor.state, "online");
  return [a, b];
}

describe("a conversation", () => {
  test("brings each side's routes to the other by a bootstrap", () => {
    const [a, b] = online();
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
    assert.deepEqual([...a.inForce], []);
    assert.deepEqual(a.states("out"), ["idle>greeting", "greeting>bootstrapping", "bootstrapping>online"]);
    assert.deepEqual(b.states("in"), ["none>greeted", "greeted>online"]);
  });

  test("goes on by numbered operations, adds before deletes", () => {
    const [a, b] = online();
    a.subscribe(["t/#"], 10);
    const [message] = a.sent;
    assert.ok(message?.body.type === "routes");
    assert.deepEqual(
      message.body.ops.map(({ op, filter }) => `${op} ${filter}`),
      ["add t/#", "delete t/1", "delete t/2"],
    );
    deliver(a, b, 10);
    assert.deepEqual([...b.inForce], ["t/#"]);
    assert.equal(a.conversation.announcer.ackedOp, a.conversation.announcer.lastOp);
  });

  test("a hello that is lost is repeated with a growing delay, until it is acknowledged", () => {
    const [a, b] = sides();
    connect(a, b, 0);
    a.sent.splice(0);
    b.sent.splice(0);
    const times: number[] = [];
    for (let nowMs = 0; nowMs < 40_000; nowMs += 100) {
      a.take(a.conversation.tick(nowMs));
      if (a.sent.splice(0).length > 0) times.push(nowMs);
    }
    assert.deepEqual(times, [1_000, 3_000, 7_000, 15_000, 25_000, 35_000]);
    b.take(b.conversation.tick(40_000));
    deliver(a, b, 40_000);
    tick(a, b, 46_000);
    deliver(a, b, 46_000);
    assert.equal(a.conversation.announcer.state, "online");
    assert.equal(b.conversation.announcer.state, "online");
  });

  test("an acknowledgement of an earlier greeting changes nothing", () => {
    const [a, b] = sides();
    a.subscribe(["t/1"], 0);
    a.take(a.conversation.connected(0));
    const [hello] = a.sent.splice(0);
    assert.ok(hello);
    b.take(b.conversation.connected(0));
    b.take(b.conversation.receive(hello.bytes, 0));
    const ack = b.sent.find(({ body }) => body.type === "ack");
    assert.ok(ack);
    a.take(a.conversation.disconnected("cut"));
    a.take(a.conversation.connected(1_000));
    a.take(a.conversation.receive(ack.bytes, 1_000));
    assert.equal(a.conversation.announcer.state, "greeting");
    assert.equal(a.counted("ack_stale"), 1);
  });

  test("after a reconnect the peer that kept everything gets no second bootstrap", () => {
    const [a, b] = online();
    a.take(a.conversation.disconnected("cut"));
    a.subscribe(["u/1"], 100);
    assert.equal(a.sent.length, 0);
    a.take(a.conversation.connected(200));
    deliver(a, b, 200);
    assert.equal(a.counted("bootstrap_sent"), 1);
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2", "u/1"]);
  });

  test("lost operations are noticed by the next ones and sent again from there", () => {
    const [a, b] = online();
    a.subscribe(["u/1"], 10);
    a.sent.splice(0);
    a.subscribe(["u/2"], 500);
    deliver(a, b, 500);
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2", "u/1", "u/2"]);
    assert.equal(a.counted("resend"), 1);
  });

  test("lost operations that nothing follows are sent again after a while", () => {
    const [a, b] = online();
    a.subscribe(["u/1"], 10);
    a.sent.splice(0);
    assert.equal(a.conversation.announcer.deadlineMs, 1_010);
    tick(a, b, 1_010);
    deliver(a, b, 1_010);
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2", "u/1"]);
  });

  test("a bootstrap that comes late undoes nothing that came after it", () => {
    const [a, b] = online();
    a.take(a.conversation.announcer.bootstrap(100, "for the test"));
    const late = a.sent.splice(0);
    // The peer had everything: a new greeting goes on from there.
    a.take(a.conversation.connected(101));
    deliver(a, b, 101);
    a.subscribe(["t/3"], 102);
    deliver(a, b, 102);
    for (const { bytes } of late) b.take(b.conversation.receive(bytes, 103));
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2", "t/3"]);
    assert.equal(b.conversation.acceptor.appliedOp, a.conversation.announcer.lastOp);
  });

  test("operations that the peer believes to be here, and are not, are asked for after half a minute", () => {
    const [a, b] = online();
    a.subscribe(["t/3"], 10);
    a.sent.splice(0);
    const op = a.conversation.announcer.lastOp;
    a.take(a.conversation.announcer.routesAck(a.identity.speaker(), op, 11));
    for (let nowMs = 10_000; nowMs <= 50_000; nowMs += 10_000) {
      tick(a, b, nowMs);
      deliver(a, b, nowMs);
    }
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2", "t/3"]);
    assert.equal(a.counted("bootstrap_sent"), 2);
  });

  test("no message of routes is larger than the broker on the way takes", () => {
    const [a, b] = sides();
    a.subscribe(
      Array.from({ length: 100 }, (_, i) => `plant/${i}/temperature`),
      0,
    );
    a.take(a.conversation.connected(0, 1_400));
    b.take(b.conversation.connected(0, 1_400));
    let largest = 0;
    const measure = (body: ControlBody): boolean => {
      largest = Math.max(largest, encodeControl({ speaker: a.identity.speaker(), body }).length);
      return true;
    };
    deliver(a, b, 1, measure);
    a.subscribe(
      Array.from({ length: 100 }, (_, i) => `office/${i}/temperature`),
      2,
    );
    deliver(a, b, 2, measure);
    assert.equal(b.inForce.size, 200);
    assert.ok(largest < 1_400 && largest > 200, `the largest has ${largest} bytes`);
  });

  test("a bootstrap survives the loss of any of its messages", () => {
    for (const victim of ["bootstrap", "bootstrap_end", "bootstrap_ack"] as const) {
      const [a, b] = sides();
      a.subscribe(
        Array.from({ length: 5_000 }, (_, i) => `site/${i}/with/quite/a/few/levels`),
        0,
      );
      connect(a, b, 0);
      let lost = 0;
      deliver(a, b, 0, (body) => {
        if (body.type !== victim || lost > 0) return true;
        lost += 1;
        return false;
      });
      for (let nowMs = 500; nowMs < 20_000 && a.conversation.announcer.state !== "online"; nowMs += 500) {
        tick(a, b, nowMs);
        deliver(a, b, nowMs);
      }
      assert.equal(lost, 1, victim);
      assert.equal(a.conversation.announcer.state, "online", victim);
    }
  });

  test("a heartbeat whose digest differs at the same operation asks for a bootstrap, once in 30 s", () => {
    const [a, b] = online();
    const mark = { ...a.conversation.announcer.mark(), digest: { high: 1, low: 2 } };
    const bytes = encodeControl({ speaker: a.identity.speaker(), body: { type: "heartbeat", mark } });
    b.take(b.conversation.receive(bytes, 10_000));
    assert.equal(b.sent.filter(({ body }) => body.type === "again").length, 1);
    b.take(b.conversation.receive(bytes, 20_000));
    assert.equal(b.sent.filter(({ body }) => body.type === "again").length, 1);
    deliver(a, b, 20_000);
    assert.equal(a.counted("bootstrap_sent"), 2);
    b.take(b.conversation.receive(bytes, 45_000));
    assert.equal(b.sent.filter(({ body }) => body.type === "again").length, 1);
  });

  test("a late heartbeat of an earlier operation is no difference", () => {
    const [a, b] = online();
    const bytes = encodeControl({
      speaker: a.identity.speaker(),
      body: { type: "heartbeat", mark: a.conversation.announcer.mark() },
    });
    a.subscribe(["u/1"], 10);
    deliver(a, b, 10);
    b.take(b.conversation.receive(bytes, 20));
    assert.equal(b.counted("digest_mismatch"), 0);
    assert.equal(b.sent.length, 0);
  });

  test("silence for 30 s marks the peer down and erases nothing until the retention ends", () => {
    const [a, b] = online();
    b.take(b.conversation.tick(29_999));
    assert.equal(b.conversation.acceptor.state, "online");
    b.take(b.conversation.tick(30_000));
    assert.equal(b.conversation.acceptor.state, "silent");
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
    b.take(b.conversation.tick(89_999));
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
    b.take(b.conversation.tick(90_000));
    assert.deepEqual([...b.inForce], []);
    assert.deepEqual(
      b.outputs.filter(({ type }) => type === "routes_expired"),
      [{ type: "routes_expired", count: 2 }],
    );
    // It speaks again: it is asked for what was dropped.
    tick(a, b, 100_000);
    deliver(a, b, 100_000);
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
  });

  test("any word of the peer ends its silence", () => {
    const [a, b] = online();
    b.take(b.conversation.tick(31_000));
    a.take(a.conversation.tick(32_000));
    deliver(a, b, 32_000);
    assert.equal(b.conversation.acceptor.state, "online");
    assert.deepEqual(b.states("in"), ["none>greeted", "greeted>online", "online>silent", "silent>online"]);
  });

  test("a new life's hello erases nothing; its complete bootstrap replaces the old set in one step", () => {
    const [, b] = online();
    const reborn = new Side("a", "b", 5_000, "00000000000000cc");
    reborn.subscribe(["t/2", "t/3"], 100);
    reborn.take(reborn.conversation.connected(100));
    deliver(reborn, b, 100, (body) => body.type === "hello" || body.type === "ack");
    assert.equal(b.conversation.acceptor.state, "greeted");
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"], "old routes stay");
    tick(reborn, b, 2_000);
    deliver(reborn, b, 2_000);
    assert.deepEqual([...b.inForce].sort(), ["t/2", "t/3"]);
  });

  test("a clock that went back: the agent adopts one more than the highest incarnation and is heard", () => {
    const [, b] = online();
    const reborn = new Side("a", "b", 10, "00000000000000cc");
    reborn.subscribe(["t/9"], 100);
    reborn.take(reborn.conversation.connected(100));
    deliver(reborn, b, 100);
    assert.equal(reborn.identity.incarnation, 1_001);
    assert.equal(reborn.conversation.announcer.state, "online");
    assert.deepEqual([...b.inForce], ["t/9"]);
    assert.ok(reborn.outputs.some((output) => output.type === "problem" && output.code === "CLOCK_WENT_BACK"));
  });

  test("the same incarnation of another instance is a double: refused, named, and quiet for a while", () => {
    const [, b] = online();
    const double = new Side("a", "b", 1_000, "00000000000000cc");
    double.take(double.conversation.connected(100));
    deliver(double, b, 100);
    assert.equal(double.conversation.announcer.state, "refused");
    assert.equal(double.conversation.announcer.refusedWith, "duplicate_agent");
    assert.equal(double.identity.isDuplicate(200), true);
    assert.ok(double.outputs.some((output) => output.type === "problem" && output.code === "DUPLICATE_AGENT"));
    double.take(double.conversation.tick(10_200));
    assert.equal(double.sent.length, 0, "a double does not greet during its pause");
  });

  test("two agents of one name that take turns find out", () => {
    const [a, b] = online();
    const double = new Side("a", "b", 3_000, "00000000000000cc");
    double.take(double.conversation.connected(0));
    deliver(double, b, 0);
    for (let nowMs = 10_000; nowMs <= 60_000; nowMs += 1_000) {
      for (const side of [a, double]) side.take(side.conversation.tick(nowMs));
      const fromA = a.sent.splice(0);
      const fromDouble = double.sent.splice(0);
      for (const { bytes } of [...fromA, ...fromDouble]) b.take(b.conversation.receive(bytes, nowMs));
      for (const { bytes } of b.sent.splice(0)) {
        a.take(a.conversation.receive(bytes, nowMs));
        double.take(double.conversation.receive(bytes, nowMs));
      }
    }
    const named = [a, double].filter((side) => side.identity.isDuplicate(60_000) || side.counted("again_received") > 0);
    assert.ok(named.length >= 1);
    assert.ok(a.identity.incarnation > 1_000, "the one pushed out learnt of the other");
  });

  test("goodbye(pause) keeps the routes, goodbye(leave) drops them", () => {
    const [a, b] = online();
    a.take(a.conversation.goodbye("pause"));
    deliver(a, b, 100);
    assert.equal(b.conversation.acceptor.state, "paused");
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
    b.take(b.conversation.tick(60_101));
    assert.deepEqual([...b.inForce], [], "retention counts from the goodbye");

    const [c, d] = online();
    c.take(c.conversation.goodbye("leave"));
    deliver(c, d, 100);
    assert.equal(d.conversation.acceptor.state, "left");
    assert.deepEqual([...d.inForce], []);
  });

  test("a peer that has no such link, or disabled it, takes its routes along; the next hello brings it back", () => {
    for (const result of ["unknown_link", "link_disabled"] as const) {
      const [a, b] = online();
      assert.equal(b.inForce.size, 2);
      b.take(b.conversation.connected(100));
      const hello = b.sent.splice(0).find(({ body }) => body.type === "hello")?.body;
      assert.ok(hello?.type === "hello");
      const answer = a.conversation.ackOf(b.identity.speaker(), hello.greeting, result);
      assert.ok(answer.type === "send");
      const bytes = encodeControl({ speaker: a.identity.speaker(), body: answer.body });
      const stale = encodeControl({
        speaker: a.identity.speaker(),
        body: { ...answer.body, greeting: hello.greeting - 1 } as ControlBody,
      });
      b.take(b.conversation.receive(stale, 101));
      assert.equal(b.inForce.size, 2, "an answer to an earlier greeting says nothing");
      b.take(b.conversation.receive(bytes, 102));
      assert.deepEqual([b.conversation.acceptor.state, b.inForce.size], ["left", 0]);
      assert.equal(b.conversation.announcer.refusedWith, result);
      a.take(a.conversation.connected(103));
      deliver(a, b, 103);
      assert.equal(b.inForce.size, 2);
    }
  });

  test("the Will of the connection heard last marks the peer down, that of an earlier one does not", () => {
    const [a, b] = online();
    const late = encodeControl({
      speaker: a.identity.speaker(),
      body: { type: "goodbye", kind: "lost", greeting: 1_024 },
    });
    a.take(a.conversation.disconnected("cut"));
    const will = encodeControl({ speaker: a.identity.speaker(), body: a.conversation.announcer.nextWill() });
    a.take(a.conversation.connected(100));
    deliver(a, b, 100);
    b.take(b.conversation.receive(late, 200));
    assert.equal(b.conversation.acceptor.state, "online");
    b.take(b.conversation.receive(will, 300));
    assert.equal(b.conversation.acceptor.state, "silent");
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
  });

  test("bad bytes end the conversation, which starts again cleanly, at most once a second", () => {
    const [a, b] = online();
    b.take(b.conversation.receive(new Uint8Array([1, 2, 3]), 5_000));
    b.take(b.conversation.receive(new Uint8Array([1, 2, 3]), 5_100));
    assert.equal(b.sent.filter(({ body }) => body.type === "again").length, 1);
    assert.equal(b.counted("bad_message"), 2);
    deliver(a, b, 5_200);
    assert.equal(a.conversation.announcer.state, "online");
    assert.equal(b.conversation.announcer.state, "online");
    assert.deepEqual([...b.inForce].sort(), ["t/1", "t/2"]);
  });

  test("a route that is no valid filter ends the conversation", () => {
    const [a, b] = online();
    for (const filter of ["a/#/b", "$SYS/#", "$share/g/t", "+/#"]) {
      const body = {
        type: "routes",
        firstOp: a.conversation.announcer.lastOp + 1,
        ops: [{ op: "add", filter, groups: [] }],
      } as const;
      const before = b.counted("bad_message");
      b.take(b.conversation.receive(encodeControl({ speaker: a.identity.speaker(), body }), 10_000));
      assert.equal(b.counted("bad_message"), before + 1, filter);
      assert.equal(b.inForce.has(filter), false);
    }
  });

  test("wrong names are answered with the right one", () => {
    const b = new Side("b", "a", 2_000, "00000000000000bb");
    const a = new Side("a", "bb", 1_000, "00000000000000aa");
    a.take(a.conversation.connected(0));
    deliver(a, b, 0);
    assert.equal(a.conversation.announcer.refusedWith, "wrong_name");
    const problem = a.outputs.find((output) => output.type === "problem");
    assert.ok(problem?.type === "problem" && problem.code === "WRONG_NAME" && problem.reason.includes('"b"'));
    a.take(a.conversation.tick(10_000));
    assert.equal(a.conversation.announcer.state, "greeting", "an operator may have mended it");
  });

  test("a peer past the route limit counts as wanting everything, and memory stays flat", () => {
    const a = new Side("a", "b", 1_000, "00000000000000aa");
    const b = new Side("b", "a", 2_000, "00000000000000bb", 100);
    a.subscribe(
      Array.from({ length: 150 }, (_, i) => `t/${i}`),
      0,
    );
    connect(a, b, 0);
    deliver(a, b, 0);
    assert.deepEqual([...b.inForce], ["#"]);
    assert.equal(b.conversation.acceptor.routes.overflow, true);
    assert.equal(b.conversation.acceptor.routes.size, 0);
    a.subscribe(
      Array.from({ length: 100 }, (_, i) => `t/${i}`),
      10,
      false,
    );
    deliver(a, b, 10);
    tick(a, b, 10_000);
    deliver(a, b, 10_000);
    assert.equal(b.inForce.size, 50, "fits again: taken exactly again");
  });
});
