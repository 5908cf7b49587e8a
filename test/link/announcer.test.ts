/** Every edge of the announcer's state machine: what goes out, and when it next wants to be called. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Announcer, GREETINGS_PER_CONNECTION } from "../../src/link/announcer.ts";
import { Identity } from "../../src/link/identity.ts";
import type { LinkOutput } from "../../src/link/output.ts";
import { LOG_OPS_MAX } from "../../src/link/route-log.ts";
import { RouteSet } from "../../src/route/route-set.ts";
import { WIRE_VERSION } from "../../src/wire/envelope.ts";
import type { AckResult, ControlBody, RoutesMark, Speaker } from "../../src/wire/message.ts";

const INSTANCE = "00000000000000aa";
const NEVER = Number.POSITIVE_INFINITY;

class Rig {
  readonly identity = new Identity(INSTANCE, 1_000);
  readonly routes = new RouteSet(["#"], 1_000_000);
  readonly announcer = new Announcer(
    { me: "a", peer: "b", agentVersion: "test", protocolVersion: 1, frameBytesMax: 1_000_000 },
    this.identity,
    this.routes,
  );
  greeting = 0;

  /** The outputs in short, hellos noted. */
  said(outputs: readonly LinkOutput[]): string[] {
    return outputs.map((output) => {
      switch (output.type) {
        case "send":
          return `send ${this.shown(output.body)}`;
        case "state":
          return `${output.from} > ${output.to}`;
        case "count":
          return output.what;
        case "problem":
          return output.code;
        default:
          return output.type;
      }
    });
  }

  shown(body: ControlBody): string {
    switch (body.type) {
      case "hello":
        this.greeting = body.greeting;
        return "hello";
      case "bootstrap":
        return `bootstrap ${body.bootstrap} part ${body.part}`;
      case "bootstrap_end":
        return `bootstrap ${body.bootstrap} end ${body.parts} op ${body.mark.op}`;
      case "routes":
        return `routes ${body.firstOp}-${body.firstOp + body.ops.length - 1}`;
      default:
        return body.type;
    }
  }

  subscribe(filters: readonly string[], nowMs: number, up = true): string[] {
    const ops = this.routes.apply(filters.map((filter) => ({ filter, group: null, up })));
    return this.said(this.announcer.announce(ops, nowMs));
  }

  ack(
    result: AckResult,
    nowMs: number,
    change: { have?: RoutesMark; highest?: number; greeting?: number; of?: Speaker } = {},
  ) {
    return this.said(
      this.announcer.ack(
        {
          type: "ack",
          greeting: change.greeting ?? this.greeting,
          of: change.of ?? this.identity.speaker(),
          name: "b",
          protocolMin: WIRE_VERSION,
          protocolMax: WIRE_VERSION,
          result,
          highest: change.highest ?? this.identity.incarnation,
          have: change.have ?? null,
          frameBytesMax: 500_000,
        },
        nowMs,
      ),
    );
  }

  bootstrapAck(bootstrap: number, nextPart: number, done: boolean, nowMs: number): string[] {
    return this.said(this.announcer.bootstrapAck(this.identity.speaker(), bootstrap, nextPart, done, nowMs));
  }

  routesAck(op: number, nowMs: number): string[] {
    return this.said(this.announcer.routesAck(this.identity.speaker(), op, nowMs));
  }

  connected(nowMs: number): string[] {
    return this.said(this.announcer.connected(nowMs));
  }

  tick(nowMs: number): string[] {
    return this.said(this.announcer.tick(nowMs));
  }

  is(state: string, deadlineMs: number): void {
    assert.deepEqual([this.announcer.state, this.announcer.deadlineMs], [state, deadlineMs]);
  }
}

/** With two routes (operations 1 and 2), in the state named. */
function rig(state: "greeting" | "bootstrapping" | "online"): Rig {
  const made = new Rig();
  made.subscribe(["t/1", "t/2"], 0);
  made.connected(0);
  if (state !== "greeting") made.ack("ok", 0);
  if (state === "online") made.bootstrapAck(1, 1, true, 0);
  assert.equal(made.announcer.state, state);
  return made;
}

describe("the announcer, idle", () => {
  test("numbers what is announced and sends nothing, whatever arrives", () => {
    const made = new Rig();
    made.is("idle", NEVER);
    assert.deepEqual(made.subscribe(["t/1"], 0), []);
    assert.equal(made.announcer.lastOp, 1);
    assert.deepEqual(made.tick(1e9), []);
    assert.deepEqual(made.ack("ok", 0), ["ack_stale"]);
    assert.deepEqual(made.bootstrapAck(0, 0, true, 0), ["ack_stale"]);
    assert.deepEqual(made.routesAck(1, 0), ["ack_stale"]);
    assert.deepEqual(made.said(made.announcer.againBootstrap(0, "asked")), []);
    assert.deepEqual(made.said(made.announcer.greet(0, "asked")), [], "there was no connection yet");
    made.is("idle", NEVER);
  });

  test("greets when connected", () => {
    const made = new Rig();
    assert.deepEqual(made.connected(50), ["idle > greeting", "hello_sent", "send hello"]);
    made.is("greeting", 1_050);
  });
});

describe("the announcer, greeting", () => {
  test("repeats its hello after 1 s, 2, 4, 8, then every 10 s", () => {
    const made = rig("greeting");
    assert.deepEqual(made.tick(999), []);
    const waits: number[] = [];
    for (let nowMs = 0, i = 0; i < 6; i += 1) {
      waits.push(made.announcer.deadlineMs - nowMs);
      nowMs = made.announcer.deadlineMs;
      assert.deepEqual(made.tick(nowMs), ["hello_sent", "send hello"]);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test("an acceptance without our routes starts a bootstrap", () => {
    const made = rig("greeting");
    assert.deepEqual(made.ack("ok", 100), [
      "greeting > bootstrapping",
      "bootstrap_sent",
      "send bootstrap 1 part 0",
      "send bootstrap 1 end 1 op 2",
    ]);
    made.is("bootstrapping", 1_100);
    assert.equal(made.announcer.terms.frameBytesMax, 500_000);
  });

  test("an acceptance with our routes as they are goes online at once", () => {
    const made = rig("greeting");
    assert.deepEqual(made.ack("ok", 100, { have: made.announcer.mark() }), ["greeting > online"]);
    made.is("online", NEVER);
    assert.equal(made.announcer.ackedOp, 2);
  });

  test("an acceptance with our routes as they were goes online and sends what is missing", () => {
    const made = rig("greeting");
    const have = made.announcer.mark();
    made.subscribe(["t/3"], 50);
    assert.deepEqual(made.ack("ok", 100, { have }), ["greeting > online", "send routes 3-3"]);
    made.is("online", 1_100);
  });

  test("an acceptance with other routes, or with operations we never had, starts a bootstrap", () => {
    for (const change of [{ count: 3 }, { op: 3 }, { digest: { high: 1, low: 2 } }]) {
      const made = rig("greeting");
      const said = made.ack("ok", 100, { have: { ...made.announcer.mark(), ...change } });
      assert.equal(said[0], "greeting > bootstrapping");
    }
  });

  test("an acknowledgement of another greeting, life or agent is stale", () => {
    const made = rig("greeting");
    for (const change of [
      { greeting: made.greeting - 1 },
      { of: { incarnation: 999, instance: INSTANCE } },
      { of: { incarnation: 1_000, instance: "00000000000000bb" } },
    ])
      assert.deepEqual(made.ack("ok", 100, change), ["ack_stale"]);
    made.is("greeting", 1_000);
    made.ack("ok", 200);
    assert.deepEqual(made.ack("ok", 201), ["ack_stale"], "the same one again");
    made.is("bootstrapping", 1_200);
  });

  test("a refusal is named and tried again after 10 s with a new greeting", () => {
    for (const [result, code] of [
      ["unknown_link", "PEER_UNKNOWN_LINK"],
      ["wrong_name", "WRONG_NAME"],
      ["link_disabled", "PEER_LINK_DISABLED"],
    ] as const) {
      const made = rig("greeting");
      const before = made.greeting;
      assert.deepEqual(made.ack(result, 100), ["greeting > refused", code]);
      made.is("refused", 10_100);
      assert.equal(made.announcer.refusedWith, result);
      assert.deepEqual(made.ack("ok", 200), ["ack_stale"], "an answer to the greeting that was refused");
      assert.deepEqual(made.tick(10_099), []);
      assert.deepEqual(made.tick(10_100), ["refused > greeting", "hello_sent", "send hello"]);
      assert.ok(made.greeting > before);
      assert.equal(made.announcer.refusedWith, null);
    }
  });

  test("a double keeps quiet for a minute, also on new connections", () => {
    const made = rig("greeting");
    assert.deepEqual(made.ack("duplicate_agent", 100), ["greeting > refused", "DUPLICATE_AGENT"]);
    assert.deepEqual(made.tick(10_100), []);
    made.is("refused", 60_100);
    made.announcer.disconnected("cut");
    assert.deepEqual(made.connected(20_000), ["idle > refused", "DUPLICATE_AGENT"]);
    assert.equal(made.announcer.refusedWith, "duplicate_agent");
    // The peer may still listen to the other one's life.
    assert.deepEqual(made.tick(60_100), ["refused > greeting", "hello_sent", "send hello", "identity_changed"]);
  });

  test("a higher incarnation is adopted and the greeting repeated at once in the new life", () => {
    const made = rig("greeting");
    const before = made.greeting;
    assert.deepEqual(made.ack("old_incarnation", 100, { highest: 5_000 }), ["hello_sent", "send hello"]);
    assert.equal(made.identity.incarnation, 5_001);
    assert.ok(made.greeting > before);
    made.is("greeting", 1_100);
  });

  test("a peer that always knows a higher one does not drive us in a circle", () => {
    const made = rig("greeting");
    let rounds = 0;
    while (made.ack("old_incarnation", 100).includes("send hello")) rounds += 1;
    assert.equal(rounds, 100);
    made.is("greeting", 1_100);
    assert.deepEqual(made.tick(1_100), ["hello_sent", "send hello"]);
    assert.deepEqual(made.ack("old_incarnation", 1_100), ["hello_sent", "send hello"]);
  });

  test("a number that nothing can pass, or a lower one, is not adopted", () => {
    for (const highest of [Number.MAX_SAFE_INTEGER, 999]) {
      const made = rig("greeting");
      assert.deepEqual(made.ack("old_incarnation", 100, { highest }), ["ack_stale"]);
      assert.equal(made.identity.incarnation, 1_000);
      made.is("greeting", 1_000);
    }
  });
});

describe("the announcer, bootstrapping", () => {
  /** About 25 parts of 64 KiB. */
  function large(): Rig {
    const made = new Rig();
    made.subscribe(
      Array.from({ length: 2_000 }, (_, i) => `${i}/${"x".repeat(250)}`),
      0,
    );
    made.connected(0);
    return made;
  }

  test("has eight parts under way, and sends the next as the peer confirms", () => {
    const made = large();
    assert.equal(made.ack("ok", 0).filter((line) => line.includes("part")).length, 8);
    assert.deepEqual(made.bootstrapAck(1, 3, false, 10), [
      "send bootstrap 1 part 8",
      "send bootstrap 1 part 9",
      "send bootstrap 1 part 10",
    ]);
    made.is("bootstrapping", 1_010);
    assert.deepEqual(
      made.bootstrapAck(1, 2, false, 20).length > 0,
      true,
      "the peer says that part 2 is missing: again",
    );
    assert.deepEqual(made.bootstrapAck(1, 2, false, 21), [], "but not for every repetition of that");
    assert.deepEqual(made.bootstrapAck(1, 999, false, 30), ["bad_message"]);
    assert.deepEqual(made.bootstrapAck(2, 1, false, 30), ["ack_stale"], "of another bootstrap");
  });

  test("sends the end marker once, and answers no acknowledgement with nothing but the marker", () => {
    const made = rig("bootstrapping");
    assert.deepEqual(made.bootstrapAck(1, 1, false, 10), []);
    assert.deepEqual(made.bootstrapAck(1, 1, false, 400), []);
    made.is("bootstrapping", 1_010);
    assert.deepEqual(made.tick(1_010), ["resend", "send bootstrap 1 end 1 op 2"]);
  });

  test("repeats what is not confirmed after 1 s, 2, 4, 8, then every 10 s; progress ends the long waits", () => {
    const made = rig("bootstrapping");
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 6; i += 1) {
      waits.push(made.announcer.deadlineMs - nowMs);
      nowMs = made.announcer.deadlineMs;
      assert.deepEqual(made.tick(nowMs), ["resend", "send bootstrap 1 part 0", "send bootstrap 1 end 1 op 2"]);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    made.bootstrapAck(1, 1, false, nowMs);
    made.is("bootstrapping", nowMs + 1_000);
  });

  test("done goes online and sends what changed meanwhile", () => {
    const made = rig("bootstrapping");
    assert.deepEqual(made.subscribe(["t/3"], 10), [], "follows when the set is confirmed");
    assert.deepEqual(made.bootstrapAck(1, 1, true, 20), [
      "bootstrapping > online",
      "bootstrap_done",
      "send routes 3-3",
    ]);
    made.is("online", 1_020);
    assert.equal(made.announcer.ackedOp, 2);
  });

  test("done after more operations than are kept starts another bootstrap", () => {
    const made = rig("bootstrapping");
    for (let i = 0; i <= LOG_OPS_MAX; i += 1) made.subscribe(["flap"], 10, i % 2 === 0);
    const said = made.bootstrapAck(1, 1, true, 20);
    assert.deepEqual(said.slice(0, 3), ["bootstrapping > online", "bootstrap_done", "online > bootstrapping"]);
    assert.deepEqual(said.at(-1), `send bootstrap 2 end 1 op ${made.announcer.lastOp}`);
  });

  test("an again(bootstrap) starts it anew under the next number, and the old one's confirmations are stale", () => {
    const made = rig("bootstrapping");
    const said = made.said(made.announcer.againBootstrap(50, "asked"));
    assert.deepEqual(said, ["bootstrap_sent", "send bootstrap 2 part 0", "send bootstrap 2 end 1 op 2"]);
    assert.deepEqual(made.bootstrapAck(1, 1, true, 60), ["ack_stale"]);
    made.is("bootstrapping", 1_050);
  });

  test("an empty set is an end marker alone", () => {
    const made = new Rig();
    made.connected(0);
    assert.deepEqual(made.ack("ok", 0).slice(2), ["send bootstrap 1 end 0 op 0"]);
    assert.deepEqual(made.bootstrapAck(1, 0, true, 5), ["bootstrapping > online", "bootstrap_done"]);
    made.is("online", NEVER);
  });
});

describe("the announcer, online", () => {
  test("sends changes as they come and waits for their confirmation", () => {
    const made = rig("online");
    made.is("online", NEVER);
    assert.deepEqual(made.subscribe(["t/3", "t/4"], 100), ["send routes 3-4"]);
    made.is("online", 1_100);
    assert.deepEqual(made.subscribe(["t/5"], 200), ["send routes 5-5"]);
    made.is("online", 1_200);
    assert.deepEqual(made.routesAck(4, 300), []);
    made.is("online", 1_300);
    assert.deepEqual(made.routesAck(5, 400), []);
    made.is("online", NEVER);
  });

  test("repeats everything unconfirmed after 1 s, 2, 4, 8, then every 10 s", () => {
    const made = rig("online");
    made.subscribe(["t/3"], 0);
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 6; i += 1) {
      waits.push(made.announcer.deadlineMs - nowMs);
      nowMs = made.announcer.deadlineMs;
      assert.deepEqual(made.tick(nowMs), ["resend", "send routes 3-3"]);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test("the same confirmation again means that a later operation is missing: repeated, four times a second at most", () => {
    const made = rig("online");
    made.subscribe(["t/3"], 100);
    assert.deepEqual(made.routesAck(2, 110), ["resend", "send routes 3-3"]);
    assert.deepEqual(made.routesAck(2, 120), []);
    assert.deepEqual(made.routesAck(2, 370), ["resend", "send routes 3-3"]);
    made.routesAck(3, 380);
    assert.deepEqual(made.routesAck(3, 999), [], "nothing is missing");
    assert.deepEqual(made.routesAck(2, 999), [], "an older one says nothing");
    assert.deepEqual(made.routesAck(4, 999), ["ack_stale"], "one that we never sent");
  });

  test("keeps at most 10,000 operations under way", () => {
    const made = rig("online");
    const said = made.subscribe(
      Array.from({ length: 12_000 }, (_, i) => `n/${i}`),
      0,
    );
    assert.equal(said.at(-1)?.endsWith(`-${10_002}`), true);
    assert.equal(made.routesAck(6_000, 10).at(-1)?.endsWith(`-${12_002}`), true);
  });

  test("when what the peer lacks is no longer kept, it gets a bootstrap", () => {
    const made = rig("online");
    let said: string[] = [];
    for (let i = 0; i <= LOG_OPS_MAX && made.announcer.state === "online"; i += 1)
      said = made.subscribe(["flap"], 10, i % 2 === 0);
    assert.equal(said[0], "online > bootstrapping");
  });

  test("an again(bootstrap) starts one", () => {
    const made = rig("online");
    assert.equal(made.said(made.announcer.againBootstrap(10, "asked"))[0], "online > bootstrapping");
    made.is("bootstrapping", 1_010);
  });

  test("a new greeting ends it until the peer accepts again", () => {
    const made = rig("online");
    made.subscribe(["t/3"], 10);
    assert.deepEqual(made.said(made.announcer.greet(20, "asked")), ["online > greeting", "hello_sent", "send hello"]);
    made.is("greeting", 1_020);
    assert.deepEqual(made.subscribe(["t/4"], 30), []);
    assert.deepEqual(made.routesAck(3, 40), ["ack_stale"]);
  });
});

test("a lost connection ends every state, and nothing is due until the next", () => {
  for (const state of ["greeting", "bootstrapping", "online"] as const) {
    const made = rig(state);
    made.subscribe(["t/3"], 0);
    assert.deepEqual(made.said(made.announcer.disconnected("cut")), [`${state} > idle`]);
    made.is("idle", NEVER);
    assert.deepEqual(made.tick(1e9), []);
    assert.deepEqual(made.said(made.announcer.disconnected("cut")), []);
  }
});

describe("greetings", () => {
  test("are numbered by connection, so that a Will knows its own", () => {
    const made = new Rig();
    for (const connection of [1, 2, 3]) {
      const will = made.announcer.nextWill();
      assert.deepEqual(will, { type: "goodbye", kind: "lost", greeting: connection * GREETINGS_PER_CONNECTION });
      made.connected(0);
      assert.equal(made.greeting, connection * GREETINGS_PER_CONNECTION + 1);
      made.announcer.disconnected("cut");
    }
  });

  test("never use a number twice, also when one connection has more than its share", () => {
    const made = new Rig();
    const seen = new Set<number>();
    for (let connection = 0; connection < 3; connection += 1) {
      made.connected(0);
      for (let i = 0; i < 2_500; i += 1) {
        made.said(made.announcer.greet(0, "asked"));
        assert.equal(seen.has(made.greeting), false);
        seen.add(made.greeting);
      }
      made.announcer.disconnected("cut");
    }
  });
});
