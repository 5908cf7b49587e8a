import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { type AnnouncerOutput, EmqxAnnouncer } from "../../src/emqx/announcer.ts";
import { decodeEmqxControl, type EmqxControl } from "../../src/emqx/control.ts";

const T0 = 1_000_000;

function announcer(): EmqxAnnouncer {
  return new EmqxAnnouncer({
    me: "m",
    peer: "e",
    actor: "brokerlink@m",
    incarnation: 77,
    randomHex16: () => "c0c0c0c0c0c0c0c0",
  });
}

function ack(needBootstrap: boolean, error: string | null = null): EmqxControl {
  return { op: "actor_init_ack", actor: "brokerlink@m", protocol: 1, error, needBootstrap };
}

function word(bytes: Uint8Array): EmqxControl {
  const decoded = decodeEmqxControl(bytes, zlibInflate);
  assert.ok(decoded.ok);
  return decoded.value;
}

function said(outputs: readonly AnnouncerOutput[]): string[] {
  return outputs.map(saidOf);
}

function saidOf(output: AnnouncerOutput): string {
  switch (output.type) {
    case "subscribe":
      return `subscribe ${output.filter}`;
    case "greet": {
      const control = word(output.bytes);
      assert.deepEqual(control, {
        op: "actor_init",
        actor: "brokerlink@m",
        incarnation: 77,
        target: "e",
        protocol: 1,
      });
      return `greet ${output.topic} ${output.responseTopic} ${output.correlation}`;
    }
    case "batch": {
      const control = word(output.bytes);
      assert.ok(control.op === "route" && control.incarnation === 77);
      return `batch ${output.batch}: ${control.ops.map(({ op, topic, id }) => `${op} ${topic} ${id}`).join(", ")}`;
    }
    case "heartbeat":
      return word(output.bytes).op;
    case "reconnect":
      return `reconnect ${output.delayMs}`;
    case "accepted":
      return "accepted";
    case "refused":
      return `refused ${output.reason}`;
  }
}

/** Online with one route, at T0. */
function online(): EmqxAnnouncer {
  const a = announcer();
  a.change("t/1", []);
  a.connected(1_000_000, T0);
  a.subscribed(1, T0);
  a.response(ack(true), "c0c0c0c0c0c0c0c0", T0);
  a.confirmed(1, 0x10, T0);
  assert.equal(a.state, "online");
  return a;
}

describe("the way to online", () => {
  test("subscribes, greets, sends all, says heartbeats", () => {
    const a = announcer();
    a.change("t/1", []);
    a.change("t/2", ["g"]);
    assert.equal(a.state, "offline");
    assert.deepEqual(said(a.connected(1_000_000, T0)), ["subscribe $LINK/cluster/resp/m/brokerlink@m"]);
    assert.deepEqual(said(a.subscribed(1, T0)), [
      "greet $LINK/cluster/route/m $LINK/cluster/resp/m/brokerlink@m c0c0c0c0c0c0c0c0",
    ]);
    assert.deepEqual(said(a.greeted(0x10, T0)), []);
    assert.equal(a.deadlineMs, T0 + 5_000);
    assert.deepEqual(said(a.response(ack(true), "c0c0c0c0c0c0c0c0", T0 + 50)), [
      "accepted",
      "batch 1: add t/1 t/1, add t/2 $s/g/t/2",
    ]);
    assert.equal(a.state, "bootstrapping");
    assert.ok(a.settledRevision < a.revision);
    assert.deepEqual(said(a.confirmed(1, 0x10, T0 + 60)), []);
    assert.equal(a.state, "online");
    assert.equal(a.settledRevision, a.revision);
    assert.equal(a.deadlineMs, T0 + 10_050);
    assert.deepEqual(said(a.tick(T0 + 10_050)), ["heartbeat"]);
    assert.equal(a.deadlineMs, T0 + 20_050);
  });

  test("without routes nothing is published behind the answer, as EMQX does", () => {
    const a = announcer();
    a.connected(1_000_000, T0);
    a.subscribed(1, T0);
    assert.deepEqual(said(a.response(ack(true), "c0c0c0c0c0c0c0c0", T0)), ["accepted"]);
    assert.equal(a.state, "online");
  });

  test("answers to another greeting, other words and late ones change nothing", () => {
    const a = announcer();
    a.connected(1_000_000, T0);
    a.subscribed(1, T0);
    assert.deepEqual(a.response(ack(true), "other", T0), []);
    assert.deepEqual(a.response({ op: "heartbeat", actor: "x", incarnation: 1 }, "c0c0c0c0c0c0c0c0", T0), []);
    assert.equal(a.state, "greeting");
    const b = online();
    assert.deepEqual(b.response(ack(true), "c0c0c0c0c0c0c0c0", T0), []);
    assert.deepEqual(b.confirmed(9, 0, T0), []);
    assert.deepEqual(b.subscribed(1, T0), []);
    assert.deepEqual(b.greeted(0x87, T0), []);
  });
});

describe("refusals", () => {
  test("of the subscription", () => {
    const a = announcer();
    a.connected(1_000_000, T0);
    assert.deepEqual(said(a.subscribed(0x87, T0)), ["refused subscription_refused", "reconnect 10000"]);
    assert.equal(a.state, "leaving");
    assert.equal(a.deadlineMs, Number.POSITIVE_INFINITY);
    a.disconnected();
    assert.equal(a.state, "offline");
  });

  test("of the greeting's publish", () => {
    const a = announcer();
    a.connected(1_000_000, T0);
    a.subscribed(1, T0);
    assert.deepEqual(said(a.greeted(0x87, T0)), ["refused publish_refused", "reconnect 10000"]);
  });

  for (const reason of ["unknown_cluster", "bad_remote_cluster_link_name", "cluster_link_disabled"])
    test(`by the answer ${reason}`, () => {
      const a = announcer();
      a.connected(1_000_000, T0);
      a.subscribed(1, T0);
      assert.deepEqual(said(a.response(ack(false, reason), "c0c0c0c0c0c0c0c0", T0 + 1)), [
        `refused ${reason}`,
        "reconnect 10000",
      ]);
    });

  test("by silence: another connection, five seconds behind the beginning of this one", () => {
    const a = announcer();
    a.connected(1_000_000, T0);
    a.subscribed(1, T0 + 100);
    assert.deepEqual(said(a.tick(T0 + 5_099)), []);
    assert.deepEqual(said(a.tick(T0 + 5_100)), ["reconnect 0"]);
    assert.equal(a.state, "leaving");
  });

  test("of a batch: it goes again on the next connection", () => {
    const a = online();
    a.change("t/2", []);
    assert.deepEqual(said(a.next()), ["batch 2: add t/2 t/2"]);
    assert.deepEqual(said(a.confirmed(2, 0x87, T0 + 10)), ["refused publish_refused", "reconnect 10000"]);
    a.disconnected();
    a.connected(1_000_000, T0 + 10_010);
    a.subscribed(1, T0 + 10_010);
    assert.deepEqual(said(a.response(ack(false), "c0c0c0c0c0c0c0c0", T0 + 10_020)), [
      "accepted",
      "batch 3: add t/2 t/2",
    ]);
  });
});

describe("changes", () => {
  test("one batch is under way at a time; what comes meanwhile goes together", () => {
    const a = online();
    a.change("t/2", []);
    assert.deepEqual(said(a.next()), ["batch 2: add t/2 t/2"]);
    a.change("t/3", []);
    a.change("t/2", null);
    assert.deepEqual(said(a.next()), []);
    const before = a.settledRevision;
    assert.deepEqual(said(a.confirmed(2, 0, T0)), ["batch 3: add t/3 t/3, delete t/2 t/2"]);
    assert.ok(a.settledRevision > before && a.settledRevision < a.revision);
    a.confirmed(3, 0, T0);
    assert.equal(a.settledRevision, a.revision);
  });

  test("a batch that is lost with its connection goes again", () => {
    const a = online();
    a.change("t/2", []);
    a.next();
    assert.deepEqual(a.confirmed(2, null, T0), []);
    a.disconnected();
    a.connected(1_000_000, T0 + 5_000);
    a.subscribed(1, T0 + 5_000);
    assert.deepEqual(said(a.response(ack(false), "c0c0c0c0c0c0c0c0", T0 + 5_000)), [
      "accepted",
      "batch 3: add t/2 t/2",
    ]);
  });

  test("what changes while the connection is away is all that EMQX hears when it has kept the rest", () => {
    const a = online();
    a.disconnected();
    a.change("t/1", null);
    a.change("t/4", []);
    a.connected(1_000_000, T0 + 5_000);
    a.subscribed(1, T0 + 5_000);
    assert.deepEqual(said(a.response(ack(false), "c0c0c0c0c0c0c0c0", T0 + 5_000)), [
      "accepted",
      "batch 2: add t/4 t/4, delete t/1 t/1",
    ]);
  });

  test("an EMQX that needs everything hears all, and no deletion", () => {
    const a = online();
    a.disconnected();
    a.change("t/4", []);
    a.change("t/1", null);
    a.change("t/5", []);
    a.connected(1_000_000, T0 + 5_000);
    a.subscribed(1, T0 + 5_000);
    assert.deepEqual(said(a.response(ack(true), "c0c0c0c0c0c0c0c0", T0 + 5_000)), [
      "accepted",
      "batch 2: add t/4 t/4, add t/5 t/5",
    ]);
    assert.ok(a.settledRevision < a.revision, "nothing is settled before it is confirmed again");
  });

  test("after half a minute without a word everything goes, whatever EMQX says: old versions are wrong about it", () => {
    const a = online();
    a.disconnected();
    a.change("t/1", null);
    a.change("t/4", []);
    a.connected(1_000_000, T0 + 30_000);
    a.subscribed(1, T0 + 30_000);
    assert.deepEqual(said(a.response(ack(false), "c0c0c0c0c0c0c0c0", T0 + 30_000)), [
      "accepted",
      "batch 2: add t/4 t/4, delete t/1 t/1",
    ]);
    const b = online();
    b.disconnected();
    b.connected(1_000_000, T0 + 30_000);
    b.subscribed(1, T0 + 30_000);
    assert.deepEqual(said(b.response(ack(false), "c0c0c0c0c0c0c0c0", T0 + 30_000)), [
      "accepted",
      "batch 2: add t/1 t/1",
    ]);
  });

  test("a large set goes in batches, and a heartbeat between", () => {
    const a = announcer();
    for (let count = 0; count < 9_000; count += 1) a.change(`t/${count}`, []);
    a.connected(1_000_000, T0);
    a.subscribed(1, T0);
    a.response(ack(true), "c0c0c0c0c0c0c0c0", T0);
    assert.deepEqual(said(a.tick(T0 + 10_000)), ["heartbeat"]);
    assert.equal(a.state, "bootstrapping");
    let batches = 1;
    for (let batch = 1; a.confirmed(batch, 0x10, T0 + 10_000).length > 0; batch += 1) batches += 1;
    assert.equal(batches, 3);
    assert.equal(a.state, "online");
  });

  test("a pause of half a minute, and EMQX has forgotten us: no word more on that connection", () => {
    const a = online();
    assert.deepEqual(said(a.tick(T0 + 29_999)), ["heartbeat"]);
    assert.deepEqual(said(a.tick(T0 + 59_999)), ["reconnect 0"]);
    assert.equal(a.state, "leaving");
  });

  test("when the link goes, its routes do", () => {
    const a = online();
    a.withdraw();
    assert.deepEqual(said(a.next()), ["batch 2: delete t/1 t/1"]);
  });
});
