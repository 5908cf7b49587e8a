import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { decodeEmqxControl, type EmqxControl, encodeEmqxControl } from "../../src/emqx/control.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { atom, binary, integer, list, map, type Term, tuple } from "../../src/etf/term.ts";
import { bytesOf, PACKETS, payload, SESSION } from "../etf/captured.ts";
import { askErlang, hexOf } from "../etf/erlang.ts";

function decoded(bytes: Uint8Array): EmqxControl {
  const result = decodeEmqxControl(bytes, zlibInflate);
  assert.ok(result.ok, `${hexOf(bytes)}: ${result.ok || result.problem}`);
  return result.value;
}

const ACTOR = "emqxA@127.0.0.1";

test("captured words mean what they say", () => {
  assert.deepEqual(decoded(payload("actor_init")), {
    op: "actor_init",
    actor: ACTOR,
    incarnation: 1_795_398_205_983,
    target: "clusterB",
    protocol: 1,
  });
  assert.deepEqual(decoded(payload("actor_init_ack error unknown_cluster")), {
    op: "actor_init_ack",
    actor: ACTOR,
    protocol: 1,
    error: "unknown_cluster",
    needBootstrap: false,
  });
  const ok = decoded(payload("actor_init_ack ok need_bootstrap=true"));
  assert.ok(ok.op === "actor_init_ack" && ok.error === null && ok.needBootstrap);
  const known = decoded(payload("actor_init_ack ok need_bootstrap=false"));
  assert.ok(known.op === "actor_init_ack" && known.error === null && !known.needBootstrap);
  const batch = decoded(payload("route bootstrap batch (adds + shared)"));
  assert.deepEqual(batch.op === "route" && batch.ops.map(({ op, topic, id }) => `${op} ${topic} ${id}`), [
    "add t/pre t/pre",
    "add t/deep/# t/deep/#",
    "add t/+/x t/+/x",
    "add t/shared $s/g/t/shared",
  ]);
  const away = decoded(payload("route add # intersected with link topics", 1));
  assert.deepEqual(away.op === "route" && away.ops.map(({ op, topic, id }) => `${op} ${topic} ${id}`), [
    "delete t/# #",
    "delete only/exact #",
  ]);
});

test("all captured words of both sides come back as EMQX's own bytes", () => {
  let count = 0;
  for (const { topic = "", payload: hex } of [...PACKETS, ...SESSION]) {
    if (hex === undefined || topic.includes("/msg/")) continue;
    assert.equal(hexOf(encodeEmqxControl(decoded(bytesOf(hex)))), hex);
    count += 1;
  }
  assert.ok(count > 60, `${count} words`);
});

test("the reference's worked examples are ours byte for byte", () => {
  const [actor, incarnation] = ["a@h", 1_700_000_000_000];
  const words: readonly (readonly [EmqxControl, string])[] = [
    [
      { op: "actor_init", actor, incarnation, target: "clB", protocol: 1 },
      "837400000005610a6d00000003614068610b6e06000068e5cf8b01610d6d00000003636c42610e61017703246f706d0000000a6163746f725f696e6974",
    ],
    [
      { op: "actor_init_ack", actor, protocol: 1, error: null, needBootstrap: true },
      "837400000005610a6d00000003614068610e6101610f77026f6b61107704747275657703246f706d0000000e6163746f725f696e69745f61636b",
    ],
    [
      { op: "actor_init_ack", actor, protocol: 1, error: "unknown_cluster", needBootstrap: false },
      "837400000005610a6d00000003614068610e6101610f680277056572726f726d0000000f756e6b6e6f776e5f636c757374657261107709756e646566696e65647703246f706d0000000e6163746f725f696e69745f61636b",
    ],
    [
      {
        op: "route",
        actor,
        incarnation,
        ops: [
          { op: "add", topic: "t/+", id: "t/+" },
          { op: "delete", topic: "t/1", id: "$s/g/t/1" },
        ],
      },
      "837400000004610a6d00000003614068610b6e06000068e5cf8b01610c6c0000000268026d00000003742f2b6d00000003742f2b680361646d00000003742f316d0000000824732f672f742f316a7703246f706d00000005726f757465",
    ],
    [
      { op: "heartbeat", actor, incarnation },
      "837400000003610a6d00000003614068610b6e06000068e5cf8b017703246f706d00000009686561727462656174",
    ],
    [
      { op: "heartbeat", actor: "ps-routes-v1", incarnation: 0 },
      "837400000003610a6d0000000c70732d726f757465732d7631610b61007703246f706d00000009686561727462656174",
    ],
  ];
  for (const [word, hex] of words) assert.equal(hexOf(encodeEmqxControl(word)), hex);
  assert.deepEqual(askErlang(words.map(([, hex]) => hex)).includes("badarg"), false);
});

describe("words that cannot be read", () => {
  const op = (name: string): [Term, Term] => [atom("$op"), binary(name)];
  const actor: [Term, Term] = [integer(10), binary("a")];
  const incarnation: [Term, Term] = [integer(11), integer(1)];
  const bad: readonly (readonly [string, Term, string])[] = [
    ["no map", list([]), "bad_value"],
    ["no $op", map([actor, incarnation]), "bad_value"],
    ["a $op that is an atom", map([[atom("$op"), atom("heartbeat")], actor, incarnation]), "bad_value"],
    ["an unknown $op", map([op("what"), actor, incarnation]), "unknown_type"],
    ["a heartbeat without an actor", map([op("heartbeat"), incarnation]), "bad_value"],
    ["a heartbeat without an incarnation", map([op("heartbeat"), actor]), "bad_value"],
    ["an actor that is an atom", map([op("heartbeat"), [integer(10), atom("a")], incarnation]), "bad_value"],
    ["a negative incarnation", map([op("heartbeat"), actor, [integer(11), integer(-1)]]), "bad_value"],
    [
      "a greeting without a target",
      map([op("actor_init"), actor, incarnation, [integer(14), integer(1)]]),
      "bad_value",
    ],
    [
      "an answer without a result",
      map([op("actor_init_ack"), actor, [integer(14), integer(1)], [integer(16), atom("true")]]),
      "bad_value",
    ],
    ["routes that are no list", map([op("route"), actor, incarnation, [integer(12), atom("x")]]), "bad_value"],
    [
      "a route that is no tuple",
      map([op("route"), actor, incarnation, [integer(12), list([binary("t")])]]),
      "bad_value",
    ],
    ["a route of one", map([op("route"), actor, incarnation, [integer(12), list([tuple(binary("t"))])]]), "bad_value"],
    [
      "an unknown operation",
      map([op("route"), actor, incarnation, [integer(12), list([tuple(integer(101), binary("t"), binary("t"))])]]),
      "bad_value",
    ],
    [
      "a topic that is no UTF-8",
      map([op("route"), actor, incarnation, [integer(12), list([tuple(binary(new Uint8Array([0xff])), binary("t"))])]]),
      "bad_value",
    ],
  ];
  for (const [name, term, expected] of bad)
    test(name, () => {
      const result = decodeEmqxControl(encodeTerm(term), zlibInflate);
      assert.equal(result.ok || result.problem, expected);
    });

  test("keys beyond the known ones, atoms as reasons and identifiers of any kind are taken", () => {
    const extra: [Term, Term] = [integer(99), tuple()];
    assert.equal(decoded(encodeTerm(map([op("heartbeat"), extra, actor, incarnation]))).op, "heartbeat");
    const reason: [Term, Term] = [integer(15), tuple(atom("error"), atom("unknown_cluster"))];
    const ack = decoded(
      encodeTerm(map([op("actor_init_ack"), actor, [integer(14), integer(1)], reason, [integer(16), atom("false")]])),
    );
    assert.equal(ack.op === "actor_init_ack" && ack.error, "unknown_cluster");
    const routes = list([tuple(binary("t"), integer(7)), tuple(binary("t"), integer(8))]);
    const word = decoded(encodeTerm(map([op("route"), actor, incarnation, [integer(12), routes]])));
    const ids = word.op === "route" ? word.ops.map(({ id }) => id) : [];
    assert.equal(new Set(ids).size, 2);
  });
});
