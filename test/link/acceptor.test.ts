/** Every edge of the acceptor's state machine: what goes out, what is in force, and when it next wants to be called. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Acceptor } from "../../src/link/acceptor.ts";
import { GREETINGS_PER_CONNECTION } from "../../src/link/announcer.ts";
import type { LinkOutput } from "../../src/link/output.ts";
import { RouteSet } from "../../src/route/route-set.ts";
import type { RoutesMark, Speaker, WireRouteOp } from "../../src/wire/message.ts";

const RETENTION_MS = 60_000;
const SILENCE_MS = 30_000;
const NEVER = Number.POSITIVE_INFINITY;
const PEER: Speaker = { incarnation: 100, instance: "00000000000000aa" };
const REBORN: Speaker = { incarnation: 200, instance: "00000000000000bb" };
const FIRST_GREETING = GREETINGS_PER_CONNECTION + 1;

const add = (filter: string): WireRouteOp => ({ op: "add", filter, groups: [] });

class Rig {
  readonly acceptor: Acceptor;
  readonly inForce = new Set<string>();
  readonly repairs: string[] = [];

  constructor(routesMax = 100) {
    this.acceptor = new Acceptor(routesMax, RETENTION_MS);
  }

  /** The outputs in short; routes noted, confirmations shown with what they confirm. */
  said(outputs: readonly LinkOutput[]): string[] {
    return outputs.flatMap((output) => {
      switch (output.type) {
        case "peer_route":
          if (output.up) this.inForce.add(output.filter);
          else this.inForce.delete(output.filter);
          return [];
        case "send": {
          const { body } = output;
          if (body.type === "again") return [`again ${body.what}: ${body.reason}`];
          if (body.type === "bootstrap_ack") return [`have ${body.nextPart} parts${body.done ? ", done" : ""}`];
          return body.type === "routes_ack" ? [`have op ${body.op}`] : [body.type];
        }
        case "state":
          return [`${output.from} > ${output.to}`];
        case "count":
          return [output.what];
        case "routes_expired":
          return [`expired ${output.count}`];
        default:
          return [output.type];
      }
    });
  }

  with(act: (outputs: LinkOutput[]) => unknown): string[] {
    const outputs: LinkOutput[] = [];
    act(outputs);
    return this.said(outputs);
  }

  hello(speaker: Speaker, nowMs: number, greeting = FIRST_GREETING): string[] {
    return this.said(this.acceptor.hello(speaker, greeting, nowMs));
  }

  part(bootstrap: number, part: number, filters: readonly string[]): string[] {
    return this.with((outputs) =>
      this.acceptor.bootstrapPart({ type: "bootstrap", bootstrap, part, ops: filters.map(add) }, outputs),
    );
  }

  end(bootstrap: number, parts: number, mark: RoutesMark, nowMs: number): string[] {
    return this.with((outputs) =>
      this.acceptor.bootstrapEnd({ type: "bootstrap_end", bootstrap, parts, mark }, nowMs, outputs),
    );
  }

  routes(firstOp: number, ops: readonly WireRouteOp[], nowMs: number): string[] {
    return this.with((outputs) => this.acceptor.routesBatch({ type: "routes", firstOp, ops }, nowMs, outputs));
  }

  heartbeat(mark: RoutesMark, nowMs: number): string[] {
    return this.with((outputs) => this.acceptor.heartbeat(mark, nowMs, outputs));
  }

  goodbye(kind: "pause" | "leave" | "lost", greeting: number, nowMs: number): string[] {
    return this.with((outputs) => this.acceptor.goodbye({ type: "goodbye", kind, greeting }, nowMs, outputs));
  }

  heard(nowMs: number): string[] {
    return this.with((outputs) => this.acceptor.heard(nowMs, outputs));
  }

  tick(nowMs: number): string[] {
    return this.said(this.acceptor.tick(nowMs));
  }

  is(state: string, deadlineMs: number, filters: readonly string[]): void {
    assert.deepEqual([this.acceptor.state, this.acceptor.deadlineMs], [state, deadlineMs]);
    assert.deepEqual([...this.inForce].sort(), filters);
  }
}

/** The mark of a set of plain routes at operation `op`. */
function mark(op: number, ...filters: readonly string[]): RoutesMark {
  const set = new RouteSet(["#"], 1_000);
  set.apply(filters.map((filter) => ({ filter, group: null, up: true })));
  return { op, count: set.size, digest: set.digest };
}

/** Online since 0 with `t/1` and `t/2` at operation 2. */
function online(routesMax = 100): Rig {
  const made = new Rig(routesMax);
  made.hello(PEER, 0);
  made.part(1, 0, ["t/1", "t/2"]);
  made.end(1, 1, mark(2, "t/1", "t/2"), 0);
  made.is("online", SILENCE_MS, ["t/1", "t/2"]);
  return made;
}

describe("the acceptor and hellos", () => {
  test("the first one is greeted, and silence is due from then on", () => {
    const made = new Rig();
    made.is("none", NEVER, []);
    assert.deepEqual(made.hello(PEER, 5), ["none > greeted"]);
    made.is("greeted", 5 + SILENCE_MS, []);
    assert.equal(made.acceptor.have(PEER), null);
  });

  test("one repeated, or on a new connection of the same life, changes nothing but the time", () => {
    const made = online();
    assert.deepEqual(made.hello(PEER, 10), []);
    assert.deepEqual(made.hello(PEER, 20, 2 * GREETINGS_PER_CONNECTION + 1), []);
    made.is("online", 20 + SILENCE_MS, ["t/1", "t/2"]);
    assert.deepEqual(made.acceptor.have(PEER), mark(2, "t/1", "t/2"));
  });

  test("one of a new life erases nothing, and what is held of the old one is not offered to it", () => {
    const made = online();
    assert.deepEqual(made.hello(REBORN, 50), ["peer_restarted", "online > greeted"]);
    made.is("greeted", 50 + SILENCE_MS, ["t/1", "t/2"]);
    assert.deepEqual([made.acceptor.appliedOp, made.acceptor.complete, made.acceptor.have(REBORN)], [0, false, null]);
    made.part(1, 0, ["t/2", "t/3"]);
    made.is("greeted", 50 + SILENCE_MS, ["t/1", "t/2"]);
    made.end(1, 1, mark(2, "t/2", "t/3"), 60);
    made.is("online", 50 + SILENCE_MS, ["t/2", "t/3"]);
  });

  test("one of an older life, or of a double, is not listened to", () => {
    const made = online();
    assert.deepEqual(made.hello({ incarnation: 99, instance: "0000000000000001" }, 50), []);
    assert.deepEqual(made.hello({ incarnation: 100, instance: "0000000000000001" }, 50), []);
    assert.equal(made.acceptor.speaker, PEER);
    made.is("online", SILENCE_MS, ["t/1", "t/2"]);
  });

  test("bring back a peer from every state", () => {
    for (const [state, leave] of [
      ["silent", (made: Rig) => made.tick(SILENCE_MS)],
      ["paused", (made: Rig) => made.goodbye("pause", FIRST_GREETING, 40)],
    ] as const) {
      const made = online();
      leave(made);
      assert.deepEqual(made.hello(PEER, 40_000, FIRST_GREETING + 1), [`${state} > online`]);
    }
    const left = online();
    left.goodbye("leave", FIRST_GREETING, 40);
    assert.deepEqual(left.hello(PEER, 50, FIRST_GREETING + 1), ["left > greeted"]);
  });
});

describe("the acceptor and bootstraps", () => {
  test("takes parts in order, each once, and the set in force in one step at the end", () => {
    const made = new Rig();
    made.hello(PEER, 0);
    assert.deepEqual(made.part(1, 0, ["a"]), ["have 1 parts"]);
    assert.deepEqual(made.part(1, 0, ["a"]), ["have 1 parts"], "repeated");
    assert.deepEqual(made.part(1, 2, ["c"]), ["have 1 parts"], "too early");
    assert.deepEqual(made.end(1, 3, mark(3, "a", "b", "c"), 1), ["have 1 parts"], "the end overtook the parts");
    made.is("greeted", SILENCE_MS, []);
    made.part(1, 1, ["b"]);
    made.part(1, 2, ["c"]);
    assert.deepEqual(made.end(1, 3, mark(3, "a", "b", "c"), 2), [
      "bootstrap_received",
      "greeted > online",
      "have 3 parts, done",
    ]);
    made.is("online", SILENCE_MS, ["a", "b", "c"]);
    assert.equal(made.acceptor.appliedOp, 3);
    assert.deepEqual(
      made.end(1, 3, mark(3, "a", "b", "c"), 3),
      ["have 3 parts, done"],
      "repeated: said again, done once",
    );
    assert.deepEqual(made.part(1, 1, ["b"]), ["have 3 parts, done"]);
  });

  test("an older bootstrap is not answered, a newer one replaces the unfinished", () => {
    const made = new Rig();
    made.hello(PEER, 0);
    made.part(2, 0, ["a"]);
    assert.deepEqual(made.part(1, 1, ["x"]), []);
    assert.deepEqual(made.end(1, 1, mark(1, "x"), 0), []);
    assert.deepEqual(made.part(3, 0, ["b"]), ["have 1 parts"]);
    made.end(3, 1, mark(1, "b"), 0);
    made.is("online", SILENCE_MS, ["b"]);
  });

  test("a set that differs from its mark is refused, what was in force stays, and another is asked for once in 30 s", () => {
    for (const wrong of [mark(2, "t/1"), { ...mark(2, "t/8", "t/9"), digest: { high: 1, low: 1 } }]) {
      const made = online();
      made.part(2, 0, ["t/8", "t/9"]);
      assert.deepEqual(made.end(2, 1, wrong, 40_000), ["digest_mismatch", "again bootstrap: digest_mismatch"]);
      made.is("online", SILENCE_MS, ["t/1", "t/2"]);
      made.part(3, 0, ["t/8", "t/9"]);
      assert.deepEqual(made.end(3, 1, wrong, 41_000), ["digest_mismatch"]);
      made.part(4, 0, ["t/8", "t/9"]);
      made.end(4, 1, mark(2, "t/8", "t/9"), 42_000);
      assert.deepEqual([...made.inForce].sort(), ["t/8", "t/9"]);
    }
  });

  test("a part with a route that is no filter is refused", () => {
    const made = new Rig();
    made.hello(PEER, 0);
    const outputs: LinkOutput[] = [];
    assert.equal(
      made.acceptor.bootstrapPart({ type: "bootstrap", bootstrap: 1, part: 0, ops: [add("a/#/b")] }, outputs),
      false,
    );
    assert.deepEqual(outputs, []);
  });

  test("past the limit everything is in force, and a heartbeat whose set would fit again asks for it", () => {
    const made = new Rig(2);
    made.hello(PEER, 0);
    made.part(1, 0, ["a", "b", "c"]);
    assert.deepEqual(made.end(1, 1, mark(3, "a", "b", "c"), 1), [
      "bootstrap_received",
      "routes_overflow",
      "greeted > online",
      "have 1 parts, done",
    ]);
    made.is("online", SILENCE_MS, ["#"]);
    assert.equal(made.acceptor.have(PEER), null, "a new connection gets the set anew");
    assert.deepEqual(made.heartbeat(mark(3, "a", "b", "c"), 10_000), []);
    made.routes(4, [{ op: "delete", filter: "a" }], 11_000);
    assert.deepEqual(made.heartbeat(mark(4, "b", "c"), 20_000), ["again bootstrap: digest_mismatch"]);
  });
});

describe("the acceptor and operations", () => {
  test("applies them in order, each once, and confirms the last", () => {
    const made = online();
    assert.deepEqual(made.routes(3, [add("t/3"), { op: "delete", filter: "t/1" }], 10), ["have op 4"]);
    assert.deepEqual(made.routes(3, [add("t/3"), { op: "delete", filter: "t/1" }], 11), ["have op 4"]);
    assert.deepEqual(
      made.routes(4, [{ op: "delete", filter: "t/1" }, add("t/1")], 12),
      ["have op 5"],
      "half of it is new",
    );
    made.is("online", SILENCE_MS, ["t/1", "t/2", "t/3"]);
  });

  test("does not apply what comes too early, and says where it stands", () => {
    const made = online();
    assert.deepEqual(made.routes(4, [add("t/4")], 10), ["late_message", "have op 2"]);
    made.is("online", SILENCE_MS, ["t/1", "t/2"]);
  });

  test("without a set it asks for one, once a second", () => {
    const made = new Rig();
    made.hello(PEER, 0);
    assert.deepEqual(made.routes(1, [add("a")], 2_000), ["again bootstrap: no_bootstrap"]);
    assert.deepEqual(made.heartbeat(mark(1, "a"), 2_500), []);
    assert.deepEqual(made.heartbeat(mark(1, "a"), 3_000), ["again bootstrap: no_bootstrap"]);
    made.is("greeted", SILENCE_MS, []);
  });

  test("an operation that is no route ends the batch; what came before it counts", () => {
    const made = online();
    const outputs: LinkOutput[] = [];
    const body = { type: "routes", firstOp: 3, ops: [add("t/3"), add("$SYS/#"), add("t/5")] } as const;
    assert.equal(made.acceptor.routesBatch(body, 10, outputs), false);
    made.said(outputs);
    assert.equal(made.acceptor.appliedOp, 3);
    made.is("online", SILENCE_MS, ["t/1", "t/2", "t/3"]);
  });
});

describe("the acceptor and heartbeats", () => {
  test("the same operation and digest say nothing", () => {
    assert.deepEqual(online().heartbeat(mark(2, "t/1", "t/2"), 10_000), []);
  });

  test("a later operation is missing: it says what it has", () => {
    assert.deepEqual(online().heartbeat(mark(3, "t/1", "t/2", "t/3"), 10_000), ["have op 2"]);
  });

  test("an earlier one is a late heartbeat and no difference", () => {
    const made = online();
    made.routes(3, [add("t/3")], 10);
    assert.deepEqual(made.heartbeat(mark(2, "t/1"), 10_000), ["late_message"]);
  });

  test("another digest or count at the same operation asks for a bootstrap, once in 30 s", () => {
    const made = online();
    const asked = [0, 10_000, 29_999, 30_000].map((nowMs) => made.heartbeat(mark(2, "t/1", "t/9"), nowMs).length);
    assert.deepEqual(asked, [2, 1, 1, 2]);
    assert.deepEqual(online().heartbeat({ ...mark(2, "t/1", "t/2"), count: 3 }, 0), [
      "digest_mismatch",
      "again bootstrap: digest_mismatch",
    ]);
  });
});

describe("the acceptor and silence", () => {
  test("30 s mark the peer silent, the retention after that ends its routes, both at their deadline and not before", () => {
    const made = online();
    assert.deepEqual(made.tick(SILENCE_MS - 1), []);
    assert.deepEqual(made.tick(SILENCE_MS), ["heartbeat_missed", "online > silent"]);
    made.is("silent", SILENCE_MS + RETENTION_MS, ["t/1", "t/2"]);
    assert.deepEqual(made.tick(SILENCE_MS + RETENTION_MS - 1), []);
    assert.deepEqual(made.tick(SILENCE_MS + RETENTION_MS), ["expired 2", "silent > none"]);
    made.is("none", NEVER, []);
    assert.deepEqual([made.acceptor.appliedOp, made.acceptor.complete], [0, false]);
    assert.deepEqual(made.heard(100_000), ["none > greeted"], "it speaks again: its set is asked for");
  });

  test("a peer that greeted and says no more is silent too, and without routes nothing expires", () => {
    const made = new Rig();
    made.hello(PEER, 0);
    assert.deepEqual(made.tick(SILENCE_MS), ["heartbeat_missed", "greeted > silent"]);
    assert.deepEqual(made.tick(SILENCE_MS + RETENTION_MS), ["silent > none"]);
  });

  test("any word puts it off, and ends it", () => {
    const made = online();
    assert.deepEqual(made.heard(20_000), []);
    made.is("online", 50_000, ["t/1", "t/2"]);
    made.tick(50_000);
    assert.deepEqual(made.heard(60_000), ["silent > online"]);
    made.is("online", 90_000, ["t/1", "t/2"]);
  });

  test("a new life's old routes end with the retention as well", () => {
    const made = online();
    made.hello(REBORN, 10);
    made.tick(10 + SILENCE_MS);
    assert.deepEqual(made.tick(10 + SILENCE_MS + RETENTION_MS), ["expired 2", "silent > none"]);
  });

  test("a clock that goes back erases nothing and is right again with the next word", () => {
    const made = online();
    made.heard(1_000_000);
    assert.deepEqual(made.tick(500_000), []);
    assert.deepEqual(made.heard(500_000), []);
    made.is("online", 500_000 + SILENCE_MS, ["t/1", "t/2"]);
  });
});

describe("the acceptor and goodbyes", () => {
  test("pause keeps the routes for the retention, counted from the goodbye", () => {
    const made = online();
    assert.deepEqual(made.goodbye("pause", FIRST_GREETING, 100), ["online > paused"]);
    made.is("paused", 100 + RETENTION_MS, ["t/1", "t/2"]);
    assert.deepEqual(made.tick(100 + RETENTION_MS), ["expired 2", "paused > none"]);
  });

  test("leave drops them at once", () => {
    const made = online();
    assert.deepEqual(made.goodbye("leave", FIRST_GREETING, 100), ["online > left"]);
    made.is("left", NEVER, []);
    assert.deepEqual(made.tick(1e9), []);
    assert.deepEqual(made.goodbye("leave", FIRST_GREETING, 101), [], "repeated");
  });

  test("one said before a greeting that was heard already is late", () => {
    const made = online();
    made.hello(PEER, 50, FIRST_GREETING + 5);
    for (const kind of ["pause", "leave"] as const)
      assert.deepEqual(made.goodbye(kind, FIRST_GREETING, 100), ["late_message"]);
    made.is("online", 50 + SILENCE_MS, ["t/1", "t/2"]);
  });

  test("the Will counts for the connection heard last, whichever of its greetings was heard", () => {
    const made = online();
    made.hello(PEER, 50, 2 * GREETINGS_PER_CONNECTION + 7);
    assert.deepEqual(made.goodbye("lost", GREETINGS_PER_CONNECTION, 60), ["late_message"]);
    assert.deepEqual(made.goodbye("lost", 3 * GREETINGS_PER_CONNECTION, 60), ["late_message"]);
    assert.deepEqual(made.goodbye("lost", 2 * GREETINGS_PER_CONNECTION, 70), ["online > silent"]);
    made.is("silent", 70 + RETENTION_MS, ["t/1", "t/2"]);
  });

  test("pause or Will of a peer that has nothing here changes nothing", () => {
    const made = online();
    made.goodbye("leave", FIRST_GREETING, 100);
    assert.deepEqual(made.goodbye("pause", FIRST_GREETING, 101), []);
    assert.deepEqual(made.goodbye("lost", GREETINGS_PER_CONNECTION, 102), []);
    made.is("left", NEVER, []);
  });
});

describe("the acceptor and strangers", () => {
  test("are asked to greet, once a second; those of an older life are counted", () => {
    const made = online();
    const older = { incarnation: 50, instance: "0000000000000001" };
    assert.deepEqual(made.said(made.acceptor.stranger(older, 5_000)), [
      "old_incarnation",
      "again hello: unknown_incarnation",
    ]);
    assert.deepEqual(made.said(made.acceptor.stranger(older, 5_999)), ["old_incarnation"]);
    assert.deepEqual(made.said(made.acceptor.stranger(REBORN, 6_000)), ["again hello: unknown_incarnation"]);
  });

  test("stand where their incarnation and instance say", () => {
    const { acceptor } = online();
    const standing = (incarnation: number, instance = PEER.instance) => acceptor.standing({ incarnation, instance });
    assert.deepEqual(
      [standing(100), standing(101), standing(99), standing(100, "0000000000000001")],
      ["current", "newer", "older", "double"],
    );
  });
});
