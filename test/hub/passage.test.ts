import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Passage } from "../../src/hub/passage.ts";
import { type Agent, linkOptions, World } from "./world.ts";

const NOT_AUTHORIZED = 0x87;
const TOO_LARGE = 0x95;

describe("a link's passage", () => {
  test("is shut by a refusal and open again after the next acceptance, control messages and frames apart", () => {
    const passage = new Passage("b");
    assert.equal(passage.outward, null);
    passage.frameAnswered(NOT_AUTHORIZED);
    assert.equal(passage.outward, "the broker refuses our message frames with 0x87");
    assert.equal(passage.framesRefused, NOT_AUTHORIZED);
    passage.controlAnswered(0x10);
    assert.notEqual(passage.outward, null, "a control message that passes says nothing of frames");
    passage.frameAnswered(0);
    assert.equal(passage.outward, null);
    passage.controlAnswered(NOT_AUTHORIZED);
    passage.frameAnswered(0);
    assert.equal(passage.outward, "the broker refuses our control messages with 0x87");
    passage.controlAnswered(0x10);
    assert.equal(passage.outward, null, "that nobody listens is no refusal");
  });

  test("a packet that is too large says nothing of the others", () => {
    const passage = new Passage("b");
    passage.frameAnswered(TOO_LARGE);
    passage.controlAnswered(TOO_LARGE);
    assert.equal(passage.outward, null);
    passage.frameAnswered(NOT_AUTHORIZED);
    passage.frameAnswered(TOO_LARGE);
    assert.equal(passage.framesRefused, NOT_AUTHORIZED);
  });

  test("the peer's word is news once, and holds until it says otherwise", () => {
    const passage = new Passage("b");
    const says = (framesRefused: number, unheard: boolean) =>
      passage.peerSays({ framesRefused, unheard }).map(({ code }) => code);
    assert.deepEqual(says(NOT_AUTHORIZED, false), ["MESSAGE_REFUSED"]);
    assert.deepEqual(says(NOT_AUTHORIZED, false), []);
    assert.match(passage.inward ?? "", /frames of cluster "b" with 0x87/);
    assert.equal(passage.outward, null);
    assert.deepEqual(says(0, true), ["PEER_SILENT"]);
    assert.equal(passage.inward, null);
    assert.match(passage.outward ?? "", /"b" hears nothing of this one/);
    assert.deepEqual(says(0, false), []);
    assert.equal(passage.outward, null);
  });
});

/** Two clusters, and a broker on the way from `a` to `b` that may refuse. */
function guarded() {
  const world = new World();
  const gate = { frames: true, control: true };
  const a: Agent = world.add("a", [linkOptions("b")]);
  const b: Agent = world.add("b", [linkOptions("a")]);
  a.broker = {
    frame: () => (gate.frames ? 0 : NOT_AUTHORIZED),
    control: () => (gate.control ? 0 : NOT_AUTHORIZED),
  };
  world.connect();
  b.subscribe("t/1");
  world.pass(1_000);
  const words = (): string => `${a.link("b").status} ${b.link("a").status}`;
  assert.equal(words(), "connected connected");
  return { world, a, b, gate, words };
}

describe("a broker that refuses what an agent publishes for its peer", () => {
  test("frames: both agents say inconsistent at once, and connected when the next frame is taken", () => {
    const { world, a, b, gate, words } = guarded();
    gate.frames = false;
    a.publish("t/1", "refused");
    world.settle();
    assert.equal(words(), "inconsistent inconsistent");
    assert.equal(b.link("a").lastProblem?.code, "MESSAGE_REFUSED");
    assert.deepEqual([a.link("b").out.works, a.link("b").in.works], [false, true]);
    assert.equal(a.link("b").out.blocked, "the broker refuses our message frames with 0x87");
    assert.deepEqual([b.link("a").out.works, b.link("a").in.works], [true, false]);
    const why = a.reported("link_status").map((event) => event.type === "link_status" && event.why);
    assert.match(String(why.at(-1)), /refuses our message frames with 0x87/);
    gate.frames = true;
    // The resend asks.
    world.pass(1_000);
    assert.equal(words(), "connected connected");
    assert.deepEqual(b.delivered, ["t/1=refused"]);
  });

  test("best effort alone is enough: one frame a second asks, and an empty one when nobody publishes", () => {
    const { world, a, b, gate, words } = guarded();
    a.publish("t/1", "first", { qos: 0 });
    world.settle();
    gate.frames = false;
    a.publish("t/1", "lost, and nobody says so", { qos: 0 });
    world.settle();
    assert.equal(words(), "connected connected");
    world.pass(1_000);
    a.publish("t/1", "lost, and said", { qos: 0 });
    world.settle();
    assert.equal(words(), "inconsistent inconsistent");
    const { frames } = a.link("b").sent;
    for (let second = 0; second < 29; second += 1) world.pass(1_000);
    assert.equal(a.link("b").sent.frames, frames, "nothing asks meanwhile");
    gate.frames = true;
    world.pass(1_000);
    assert.equal(words(), "connected connected");
    assert.equal(a.link("b").sent.frames, frames + 1);
    assert.deepEqual(b.delivered, ["t/1=first"]);
    for (let second = 0; second < 90; second += 1) world.pass(1_000);
    assert.equal(a.link("b").sent.frames, frames + 1, "nor afterwards");
  });

  test("the question whether frames are taken again wakes the agent by itself", () => {
    const { world, a, gate } = guarded();
    gate.frames = false;
    a.publish("t/1", "refused", { qos: 0 });
    world.settle();
    world.pass(3_000);
    a.publish("t/1", "refused again, between two heartbeats", { qos: 0 });
    world.settle();
    const refusedAtMs = world.nowMs;
    for (let second = 0; second < 29; second += 1) world.pass(1_000);
    assert.equal(a.hub.deadlineMs, refusedAtMs + 30_000);
  });

  test("control messages: the sender says so at the first refusal, the other side after 30 s of silence", () => {
    const { world, b, gate, words } = guarded();
    gate.control = false;
    for (let second = 0; second < 10; second += 1) world.pass(1_000);
    assert.equal(words(), "inconsistent connected");
    for (let second = 0; second < 25; second += 1) world.pass(1_000);
    assert.equal(words(), "inconsistent inconsistent");
    assert.equal(b.link("a").in.state, "silent");
    gate.control = true;
    for (let second = 0; second < 10; second += 1) world.pass(1_000);
    assert.equal(words(), "connected connected");
  });

  test("control messages, while frames pass: frames alone do not keep the link up", () => {
    const { world, a, b, gate, words } = guarded();
    gate.control = false;
    for (let second = 0; second < 31; second += 1) {
      a.publish("t/1", `${second}`);
      world.pass(1_000);
    }
    assert.equal(b.link("a").in.state, "online");
    assert.equal(b.link("a").in.works, false);
    assert.equal(words(), "inconsistent inconsistent");
    gate.control = true;
    for (let second = 0; second < 10; second += 1) world.pass(1_000);
    assert.equal(words(), "connected connected");
    assert.equal(b.delivered.length, 31);
  });

  test("control messages swallowed in silence, as on MQTT 3.1.1: the peer that hears nothing says so", () => {
    const { world, a, gate, words } = guarded();
    gate.control = false;
    if (a.broker !== null) a.broker = { ...a.broker, silent: true };
    for (let second = 0; second < 35; second += 1) world.pass(1_000);
    assert.equal(words(), "inconsistent inconsistent");
    assert.equal(a.link("b").lastProblem?.reason, 'the agent of cluster "b" hears nothing of this one');
    gate.control = true;
    for (let second = 0; second < 11; second += 1) world.pass(1_000);
    assert.equal(words(), "connected connected");
  });

  test("a new life of the peer has no trouble until it says so", () => {
    const { world, a, gate, words } = guarded();
    gate.frames = false;
    a.publish("t/1", "refused");
    world.settle();
    assert.equal(words(), "inconsistent inconsistent");
    const again = world.add("a", [linkOptions("b")], { incarnation: 2_000 });
    again.hub.linkUp("b", 1_000_000, world.nowMs);
    world.settle();
    assert.equal(`${again.link("b").status} ${world.agents.get("b")?.link("a").status}`, "connected connected");
  });
});
