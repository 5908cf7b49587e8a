/** The recorded session of two real EMQX 5.8.9, one of them played by the recording: both roles of ours against it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { parser } from "mqtt-packet";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { EmqxAnnouncer } from "../../src/emqx/announcer.ts";
import { decodeEmqxControl, type EmqxControl } from "../../src/emqx/control.ts";
import { speakerOf } from "../../src/emqx/names.ts";
import { Registrar } from "../../src/emqx/registrar.ts";
import { EmqxStrangers } from "../../src/emqx/strangers.ts";
import { PACKETS, SESSION, type SessionPacket } from "../etf/captured.ts";

const T0 = 1_795_398_206_000;

function publishOf(hex: string): IPublishPacket {
  let found: Packet | null = null;
  const reader = parser({ protocolVersion: 5 });
  reader.on("packet", (packet) => {
    found = packet;
  });
  reader.parse(Buffer.from(hex, "hex"));
  assert.ok(found !== null);
  return found as IPublishPacket;
}

function control(payload: Uint8Array): EmqxControl {
  const decoded = decodeEmqxControl(payload, zlibInflate);
  assert.ok(decoded.ok);
  return decoded.value;
}

/** Packets of A's connections to B that carry words about routes, both ways. */
const WORDS = SESSION.filter(
  ({ link, topic, hex }) => link === "A->B" && hex !== undefined && topic?.startsWith("$LINK/cluster/r") === true,
);

function connection(packet: SessionPacket): number {
  return packet.conn;
}

describe("we play B, the recording plays A", () => {
  test("every greeting gets the bytes that the real B answered, and the routes are those that B had", () => {
    const strangers = new EmqxStrangers();
    let b: Registrar | null = null;
    let [answers, differences] = [0, 0];
    const seen: string[] = [];
    for (const [at, word] of WORDS.entries()) {
      if (word.dir !== "c2s" || word.hex === undefined) continue;
      const nowMs = T0 + word.ms;
      const packet = publishOf(word.hex);
      const from = speakerOf(packet.topic);
      assert.equal(from, "clusterA");
      const { responseTopic = null, correlationData = null } = packet.properties ?? {};
      const reply = { topic: responseTopic, correlation: correlationData };
      // The link to A was made on B between the first greeting and the second.
      if (word.step?.startsWith("POST link on B") === true)
        b ??= new Registrar(
          { me: "clusterB", peer: "clusterA", routesMax: 1_000, routeRetentionMs: 60_000 },
          [],
          nowMs,
        );
      const said = control(new Uint8Array(packet.payload as Buffer));
      const outputs =
        b === null ? [strangers.answer("clusterA", said, reply, false, nowMs)] : b.receive(said, reply, nowMs);
      b?.tick(nowMs);
      if (said.op !== "actor_init") continue;
      const theirs = WORDS.slice(at).find((other) => other.dir === "s2c" && connection(other) === connection(word));
      assert.ok(theirs?.hex !== undefined);
      const expected = publishOf(theirs.hex);
      const ours = outputs.find((output) => output !== null && "bytes" in output);
      assert.ok(ours !== undefined && ours !== null && "bytes" in ours);
      answers += 1;
      assert.equal(ours.topic, expected.topic);
      assert.deepEqual(Buffer.from(ours.correlation), expected.properties?.correlationData);
      if (Buffer.from(ours.bytes).equals(expected.payload as Buffer)) continue;
      // The one difference that we mean: EMQX calls an actor known that greeted and never sent its routes. We ask for them again.
      const [mine, real] = [control(ours.bytes), control(new Uint8Array(expected.payload as Buffer))];
      assert.ok(mine.op === "actor_init_ack" && real.op === "actor_init_ack");
      assert.deepEqual({ ...mine, needBootstrap: false }, real);
      differences += 1;
      seen.push(word.step ?? "");
    }
    assert.equal(answers, 8);
    assert.equal(differences, 4, seen.join("; "));
  });

  test("the routes in the middle of the session are those that B forwarded by", () => {
    const b = new Registrar({ me: "clusterB", peer: "clusterA", routesMax: 1_000, routeRetentionMs: 60_000 }, [], T0);
    const at = new Map<number, string>();
    for (const word of WORDS) {
      if (word.dir !== "c2s" || word.hex === undefined || word.ms < 5_000) continue;
      const packet = publishOf(word.hex);
      const { responseTopic = null, correlationData = null } = packet.properties ?? {};
      b.receive(
        control(new Uint8Array(packet.payload as Buffer)),
        { topic: responseTopic, correlation: correlationData },
        T0 + word.ms,
      );
      b.tick(T0 + word.ms);
      at.set(
        word.ms,
        [...b.routes.routes()]
          .map(({ filter, groups }) => filter + (groups.length > 0 ? `(${groups})` : ""))
          .sort()
          .join(" "),
      );
    }
    assert.equal(at.get(5_026), "t/+/x t/deep/# t/pre t/shared(g)");
    assert.equal(at.get(14_349), "only/exact t/# t/+/x t/deep/# t/dyn t/m1 t/m2 t/pre t/shared(g)");
    assert.equal(at.get(15_351), "only/exact t/+/x t/deep/# t/dyn t/m1 t/m2 t/pre t/shared(g)");
    assert.equal(at.get(17_356), "only/exact t/+/x t/deep/# t/dyn(g2) t/m1 t/m2 t/pre t/shared(g)");
    assert.equal(at.get(49_917)?.split(" ").length, 51);
    assert.equal(at.get(51_920), "");
  });
});

describe("we play A, the recording plays B", () => {
  const recorded = (name: string): Uint8Array => {
    const found = PACKETS.find((each) => each.name === name)?.payload;
    assert.ok(found !== undefined, name);
    return new Uint8Array(Buffer.from(found, "hex"));
  };

  function greeting(): EmqxAnnouncer {
    const a = new EmqxAnnouncer({
      me: "clusterA",
      peer: "clusterB",
      actor: "emqxA@127.0.0.1",
      incarnation: 1_795_398_205_983,
      randomHex16: () => "d7e170f58ec37eae",
    });
    for (const [filter, groups] of [
      ["t/pre", []],
      ["t/deep/#", []],
      ["t/+/x", []],
      ["t/shared", ["g"]],
    ] as const)
      a.change(filter, groups);
    a.connected(1_048_576, T0);
    return a;
  }

  test("our greeting, bootstrap and deltas are A's bytes", () => {
    const a = greeting();
    const [greet] = a.subscribed(1, T0);
    assert.ok(greet?.type === "greet");
    assert.deepEqual(Buffer.from(greet.bytes), Buffer.from(recorded("actor_init")));
    const original = publishOf(PACKETS.find(({ name }) => name === "actor_init")?.hex ?? "");
    assert.deepEqual([greet.topic, greet.responseTopic], [original.topic, original.properties?.responseTopic]);
    assert.equal(greet.correlation.length, original.properties?.correlationData?.length);
    const [accepted, batch] = a.response(
      control(recorded("actor_init_ack ok need_bootstrap=true")),
      greet.correlation,
      T0,
    );
    assert.equal(accepted?.type, "accepted");
    assert.ok(batch?.type === "batch");
    assert.deepEqual(Buffer.from(batch.bytes), Buffer.from(recorded("route bootstrap batch (adds + shared)")));
    assert.deepEqual(a.confirmed(batch.batch, 0x10, T0), []);
    a.change("t/dyn", []);
    const [one] = a.next();
    assert.ok(one?.type === "batch");
    assert.deepEqual(Buffer.from(one.bytes), Buffer.from(recorded("route add single")));
    a.confirmed(one.batch, 0x10, T0);
    const [beat] = a.tick(T0 + 10_000);
    assert.ok(beat?.type === "heartbeat");
    const heartbeat = WORDS.find(({ payload, ms }) => payload !== undefined && ms > 15_000 && ms < 15_100);
    assert.equal(Buffer.from(beat.bytes).toString("hex"), heartbeat?.payload);
  });

  test("every answer of B leads where it led A", () => {
    const outcomes = ["unknown_cluster", "ok need_bootstrap=true", "ok need_bootstrap=false"].map((what) => {
      const a = greeting();
      a.subscribed(1, T0);
      const name = `actor_init_ack ${what === "unknown_cluster" ? "error unknown_cluster" : what}`;
      return [what, a.response(control(recorded(name)), "d7e170f58ec37eae", T0 + 2).map(({ type }) => type), a.state];
    });
    assert.deepEqual(outcomes, [
      ["unknown_cluster", ["refused", "reconnect"], "leaving"],
      ["ok need_bootstrap=true", ["accepted", "batch"], "bootstrapping"],
      ["ok need_bootstrap=false", ["accepted", "batch"], "bootstrapping"],
    ]);
  });
});
