import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { decodeEmqxControl, type EmqxControl, type EmqxRouteOp } from "../../src/emqx/control.ts";
import { Registrar, type RegistrarOutput } from "../../src/emqx/registrar.ts";
import { EmqxStrangers } from "../../src/emqx/strangers.ts";

const REPLY = { topic: "$LINK/cluster/resp/e/n1@h", correlation: new Uint8Array([1, 2]) };
const T0 = 1_000_000;

function registrar(
  earlier: readonly string[] = [],
  more: { routesMax?: number; retentionMs?: number } = {},
): Registrar {
  const { routesMax = 1_000, retentionMs = 600_000 } = more;
  return new Registrar({ me: "m", peer: "e", routesMax, routeRetentionMs: retentionMs }, earlier, T0);
}

function init(actor: string, incarnation: number, target = "m"): EmqxControl {
  return { op: "actor_init", actor, incarnation, target, protocol: 1 };
}

function route(actor: string, incarnation: number, ...ops: readonly string[]): EmqxControl {
  const parsed = ops.map((text): EmqxRouteOp => {
    const [sign = "", topic = "", id = topic] = [text[0], ...text.slice(1).split(" ")];
    return { op: sign === "+" ? "add" : "delete", topic, id };
  });
  return { op: "route", actor, incarnation, ops: parsed };
}

function beat(actor: string, incarnation: number): EmqxControl {
  return { op: "heartbeat", actor, incarnation };
}

/** `ok true`, `ok false`, an error, or what else came out. */
function said(outputs: readonly RegistrarOutput[]): string[] {
  return outputs.map(saidOf);
}

function saidOf(output: RegistrarOutput): string {
  switch (output.type) {
    case "answer": {
      assert.deepEqual([output.topic, output.correlation], [REPLY.topic, REPLY.correlation]);
      const answer = decodeEmqxControl(output.bytes, zlibInflate);
      assert.ok(answer.ok && answer.value.op === "actor_init_ack");
      return answer.value.error ?? `ok ${answer.value.needBootstrap}`;
    }
    case "kick":
      return `kick ${output.actor}`;
    case "problem":
      return output.code;
    case "count":
      return output.what;
  }
}

function filters(from: Registrar): string {
  return [...from.routes.routes()]
    .map(({ filter }) => filter)
    .sort()
    .join(" ");
}

describe("greetings", () => {
  test("an unknown actor and a later life have to send everything, one that goes on has not", () => {
    const e = registrar();
    assert.deepEqual(said(e.receive(init("n1@h", 5), REPLY, T0)), ["ok true"]);
    e.receive(route("n1@h", 5, "+t/1"), REPLY, T0);
    e.tick(T0 + 5_000);
    assert.deepEqual(said(e.receive(init("n1@h", 5), REPLY, T0 + 6_000)), ["ok false"]);
    assert.deepEqual(said(e.receive(init("n1@h", 6), REPLY, T0 + 7_000)), ["ok true"]);
  });

  test("a bootstrap that was cut is asked for again", () => {
    const e = registrar();
    e.receive(init("n1@h", 5), REPLY, T0);
    assert.deepEqual(said(e.receive(init("n1@h", 5), REPLY, T0 + 100)), ["ok true"]);
  });

  test("an earlier life is not answered while the later one speaks, and heard when it has fallen silent", () => {
    const e = registrar();
    e.receive(init("n1@h", 5), REPLY, T0);
    assert.deepEqual(said(e.receive(init("n1@h", 4), REPLY, T0 + 100)), ["old_incarnation"]);
    assert.deepEqual(said(e.receive(route("n1@h", 4, "+x"), REPLY, T0 + 100)), ["old_incarnation"]);
    assert.equal(filters(e), "");
    assert.deepEqual(said(e.receive(init("n1@h", 4), REPLY, T0 + 31_000)), ["ok true"]);
  });

  test("a wrong name is told, to both sides", () => {
    assert.deepEqual(said(registrar().receive(init("n1@h", 5, "other"), REPLY, T0)), [
      "bad_remote_cluster_link_name",
      "WRONG_NAME",
    ]);
  });

  test("without a way to answer there is none, and never on a topic of somebody else's choice", () => {
    const e = registrar();
    for (const reply of [
      { ...REPLY, topic: null },
      { ...REPLY, correlation: null },
      { ...REPLY, topic: "cmd/door" },
    ])
      assert.deepEqual(said(e.receive(init("n1@h", 5), reply, T0)), ["bad_message"]);
  });

  test("an answer is no word of an actor, nor is a word of none", () => {
    const ack: EmqxControl = { op: "actor_init_ack", actor: "n1@h", protocol: 1, error: null, needBootstrap: true };
    assert.deepEqual(said(registrar().receive(ack, REPLY, T0)), ["bad_message"]);
    assert.deepEqual(said(registrar().receive(beat("", 1), REPLY, T0)), ["bad_message"]);
    assert.deepEqual(said(registrar().receive(beat("x".repeat(600), 1), REPLY, T0)), ["bad_message"]);
  });

  test("actors have a limit", () => {
    const e = registrar();
    for (let count = 0; count < 64; count += 1) e.receive(init(`n${count}@h`, 1), REPLY, T0);
    assert.deepEqual(said(e.receive(init("one@more", 1), REPLY, T0)), ["too_many_actors", "routes_overflow"]);
    assert.deepEqual(said(e.receive(beat("one@more", 1), REPLY, T0)), ["routes_overflow"]);
  });
});

describe("routes", () => {
  test("several actors and identifiers stand behind one filter, each for itself", () => {
    const e = registrar();
    for (const actor of ["n1@h", "n2@h", "ps-routes-v1"]) e.receive(init(actor, 1), REPLY, T0);
    e.receive(route("n1@h", 1, "+t/1", "+t/1 $s/g/t/1"), REPLY, T0);
    e.receive(route("n2@h", 1, "+t/1"), REPLY, T0);
    e.receive(route("ps-routes-v1", 1, "+t/1 $p/session/t/1"), REPLY, T0);
    e.receive(route("n1@h", 1, "+t/1"), REPLY, T0);
    e.receive(route("n1@h", 1, "-t/1", "-t/1 $s/g/t/1"), REPLY, T0);
    e.receive(route("n2@h", 1, "-t/1", "-never/was"), REPLY, T0);
    assert.equal(filters(e), "t/1");
    e.receive(route("ps-routes-v1", 1, "-t/1 $p/session/t/1"), REPLY, T0);
    assert.equal(filters(e), "");
  });

  test("the order within a batch is the order of what happens", () => {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    e.receive(route("n1@h", 1, "+a", "-a", "+b", "-b", "+b"), REPLY, T0);
    assert.equal(filters(e), "b");
  });

  test("a new life's set takes the place of the old one when it has been quiet, and nothing is missing meanwhile", () => {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    e.receive(route("n1@h", 1, "+old", "+both"), REPLY, T0);
    e.tick(T0 + 5_000);
    e.receive(init("n1@h", 2), REPLY, T0 + 6_000);
    assert.equal(filters(e), "both old");
    e.receive(route("n1@h", 2, "+both", "+new"), REPLY, T0 + 8_000);
    e.tick(T0 + 12_900);
    assert.equal(filters(e), "both new old");
    assert.equal(e.deadlineMs, T0 + 13_000);
    e.tick(T0 + 13_000);
    assert.equal(filters(e), "both new");
  });

  test("a second node that speaks for the durable sessions and sends no bootstrap takes nothing away", () => {
    const e = registrar();
    e.receive(init("ps-routes-v1", 0), REPLY, T0);
    e.receive(route("ps-routes-v1", 0, "+t/1 $p/s/t/1"), REPLY, T0);
    assert.deepEqual(said(e.receive(init("ps-routes-v1", 0), REPLY, T0 + 100)), ["ok true"]);
    e.tick(T0 + 40_000);
    assert.equal(filters(e), "t/1");
  });

  test("what is no filter is counted, and the rest of its batch taken", () => {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    assert.deepEqual(said(e.receive(route("n1@h", 1, "+$SYS/#", "+a/#/b", "+ok"), REPLY, T0)), ["bad_message"]);
    assert.equal(filters(e), "ok");
  });

  test("too many are everything, until a greeting sends them anew", () => {
    const e = registrar([], { routesMax: 3 });
    e.receive(init("n1@h", 1), REPLY, T0);
    assert.deepEqual(said(e.receive(route("n1@h", 1, "+a", "+b", "+c", "+d"), REPLY, T0)), ["routes_overflow"]);
    assert.equal(filters(e), "#");
    e.receive(route("n1@h", 1, "+e", "-a"), REPLY, T0);
    assert.equal(filters(e), "#");
    e.tick(T0 + 5_000);
    assert.equal(filters(e), "#");
    e.receive(init("n1@h", 2), REPLY, T0 + 6_000);
    e.receive(route("n1@h", 2, "+a"), REPLY, T0 + 6_000);
    e.tick(T0 + 11_000);
    assert.equal(filters(e), "a");
  });
});

describe("an actor that nobody knows", () => {
  test("is made to begin again, every fifteen seconds, and what it adds is taken meanwhile", () => {
    const e = registrar();
    assert.deepEqual(said(e.receive(beat("n1@h", 7), REPLY, T0)), ["kick n1@h", "DIGEST_MISMATCH"]);
    assert.deepEqual(said(e.receive(route("n1@h", 7, "+a", "-b"), REPLY, T0 + 1_000)), []);
    assert.equal(filters(e), "a");
    assert.equal(e.deadlineMs, T0 + 15_000);
    e.receive(beat("n1@h", 7), REPLY, T0 + 10_000);
    assert.deepEqual(said(e.tick(T0 + 15_000)), ["kick n1@h"]);
    assert.equal(filters(e), "a");
    e.receive(beat("n1@h", 7), REPLY, T0 + 20_000);
    assert.deepEqual(said(e.tick(T0 + 30_000)), ["kick n1@h", "DIGEST_MISMATCH"]);
    assert.equal(filters(e), "# a", "after two vain attempts it wants everything");
    assert.deepEqual(said(e.receive(init("n1@h", 7), REPLY, T0 + 31_000)), ["ok true"]);
    e.receive(route("n1@h", 7, "+c"), REPLY, T0 + 31_000);
    assert.equal(filters(e), "# a c");
    e.tick(T0 + 36_000);
    assert.equal(filters(e), "c");
  });

  test("what it takes away is kept: it may have been added again, unheard", () => {
    const e = registrar();
    e.receive(route("n1@h", 7, "+a"), REPLY, T0);
    e.receive(route("n1@h", 7, "-a"), REPLY, T0 + 1);
    assert.equal(filters(e), "a");
  });

  test("one that speaks as another life was not heard greeting", () => {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    e.receive(route("n1@h", 1, "+a"), REPLY, T0);
    assert.deepEqual(said(e.receive(beat("n1@h", 2), REPLY, T0 + 10_000)), ["kick n1@h", "DIGEST_MISMATCH"]);
    assert.equal(filters(e), "a");
  });

  test("when words may have been missed, all that live begin again", () => {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    e.receive(init("n2@h", 1), REPLY, T0 + 20_000);
    assert.deepEqual(said(e.lostTrack(T0 + 35_000)), ["kick n2@h", "DIGEST_MISMATCH"]);
    assert.deepEqual(said(e.receive(init("n2@h", 1), REPLY, T0 + 36_000)), ["ok true"]);
  });

  test("a silent one is not asked", () => {
    const e = registrar();
    e.receive(beat("n1@h", 7), REPLY, T0);
    assert.deepEqual(said(e.tick(T0 + 40_000)), []);
    assert.ok(e.deadlineMs > T0 + 40_000);
  });
});

describe("silence", () => {
  function two(): Registrar {
    const e = registrar();
    e.receive(init("n1@h", 1), REPLY, T0);
    e.receive(route("n1@h", 1, "+a"), REPLY, T0);
    e.receive(init("n2@h", 1), REPLY, T0);
    e.receive(route("n2@h", 1, "+b"), REPLY, T0);
    e.tick(T0 + 5_000);
    return e;
  }

  test("of one node while others speak: it is gone, after a minute", () => {
    const e = two();
    for (let ms = 10_000; ms <= 60_000; ms += 10_000) {
      e.receive(beat("n2@h", 1), REPLY, T0 + ms);
      e.tick(T0 + ms);
      assert.equal(filters(e), ms < 60_000 ? "a b" : "b", `after ${ms} ms`);
    }
  });

  test("of all: their routes stay for the retention", () => {
    const e = two();
    for (let ms = 10_000; ms < 600_000; ms += 10_000) e.tick(T0 + ms);
    assert.equal(filters(e), "a b");
    assert.equal(e.deadlineMs, T0 + 600_000);
    e.tick(T0 + 600_000);
    assert.equal(filters(e), "");
    assert.equal(e.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("of one that comes back within the same life, and said nothing of routes: they stand", () => {
    const e = two();
    e.tick(T0 + 50_000);
    assert.deepEqual(said(e.receive(beat("n1@h", 1), REPLY, T0 + 50_000)), []);
    e.tick(T0 + 50_000);
    assert.equal(filters(e), "a b");
    assert.deepEqual(said(e.receive(init("n2@h", 1), REPLY, T0 + 51_000)), ["ok true"], "EMQX had forgotten it");
  });

  test("no deadline lies in the past once it was looked at", () => {
    const e = two();
    for (let ms = 0; ms <= 700_000; ms += 7_000) {
      if (ms % 3 === 0) e.receive(beat("n3@h", 1), REPLY, T0 + ms);
      e.tick(T0 + ms);
      assert.ok(e.deadlineMs > T0 + ms, `at ${ms}: ${e.deadlineMs - T0}`);
    }
  });
});

describe("what an earlier life of ours knew", () => {
  test("stays until the actors have had time to say theirs", () => {
    const e = registrar(["x", "y"]);
    assert.equal(filters(e), "x y");
    e.receive(init("n1@h", 1), REPLY, T0 + 1_000);
    e.receive(route("n1@h", 1, "+y"), REPLY, T0 + 1_000);
    e.tick(T0 + 30_000);
    assert.equal(filters(e), "x y");
    e.tick(T0 + 31_000);
    assert.equal(filters(e), "y");
  });

  test("goes with the retention when nobody comes", () => {
    const e = registrar(["x"]);
    e.tick(T0 + 599_000);
    assert.equal(filters(e), "x");
    e.tick(T0 + 600_000);
    assert.equal(filters(e), "");
  });
});

describe("strangers", () => {
  test("are told that they have no link here, or one that is off; at most once a second", () => {
    const strangers = new EmqxStrangers();
    const first = strangers.answer("e", init("n1@h", 1), REPLY, false, T0);
    assert.ok(first !== null);
    const answer = decodeEmqxControl(first.bytes, zlibInflate);
    assert.ok(answer.ok && answer.value.op === "actor_init_ack" && answer.value.error === "unknown_cluster");
    assert.equal(first.problem?.code, "UNKNOWN_PEER");
    assert.equal(strangers.answer("e", init("n1@h", 1), REPLY, false, T0 + 999), null);
    const off = strangers.answer("e", init("n1@h", 1), REPLY, true, T0 + 1_000);
    const disabled = decodeEmqxControl(off?.bytes ?? new Uint8Array(0), zlibInflate);
    assert.ok(
      disabled.ok && disabled.value.op === "actor_init_ack" && disabled.value.error === "cluster_link_disabled",
    );
    assert.equal(off?.problem, null);
  });

  test("are not answered where they do not listen, nor when they do not greet", () => {
    const strangers = new EmqxStrangers();
    assert.equal(strangers.answer("e", beat("n1@h", 1), REPLY, false, T0), null);
    assert.equal(strangers.answer("x", init("n1@h", 1), REPLY, false, T0), null);
    assert.equal(strangers.answer("e", init("n1@h", 1), { ...REPLY, correlation: null }, false, T0), null);
  });
});
