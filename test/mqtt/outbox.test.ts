import assert from "node:assert/strict";
import { test } from "node:test";
import { limitsOf } from "../../src/mqtt/limits.ts";
import { Outbox } from "../../src/mqtt/outbox.ts";
import type { PublishPacket, PublishResult } from "../../src/mqtt/publish.ts";
import { noCounts } from "../../src/mqtt/session-counters.ts";
import { FakeConnection } from "./fake-connection.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function packet(topic: string, more: Partial<PublishPacket> = {}): PublishPacket {
  return { topic, payload: new Uint8Array(10), qos: 1, retain: false, ...more };
}

function outbox(connack: Parameters<typeof limitsOf>[0] = {}, inflightMax = 3, queueMax = 2) {
  const connection = new FakeConnection();
  const counters = noCounts();
  const limits = limitsOf(connack, null);
  const box = new Outbox(connection, { version: 5, limits, inflightMax, queueMax }, counters);
  const results: [string, PublishResult][] = [];
  const publish = (topic: string, more: Partial<PublishPacket> = {}): void =>
    box.publish(packet(topic, more), (result) => results.push([topic, result]));
  return { connection, counters, box, results, publish };
}

test("no more than the window is in flight, and an answer lets the next one go, in order", () => {
  const { connection, box, publish } = outbox();
  for (const topic of ["a", "b", "c", "d", "e"]) publish(topic);
  assert.deepEqual(connection.topics(), ["a", "b", "c"]);
  assert.equal(box.congested, true);
  connection.published[1]?.settle?.([0]);
  assert.deepEqual(connection.topics(), ["a", "b", "c", "d"]);
  connection.published[0]?.settle?.([0]);
  assert.deepEqual(connection.topics(), ["a", "b", "c", "d", "e"]);
  assert.equal(box.congested, false);
  assert.equal(box.idle, false);
  for (const { settle } of connection.published.slice(2)) settle?.([0]);
  assert.equal(box.idle, true);
});

test("the broker's Receive Maximum is kept where it is the smaller one", () => {
  const { connection, publish } = outbox({ receiveMaximum: 1 });
  publish("a");
  publish("b");
  assert.deepEqual(connection.topics(), ["a"]);
});

test("a reason code is handed on, and a lost connection is told as lost", () => {
  const { connection, results, publish } = outbox();
  publish("a");
  publish("b");
  connection.published[0]?.settle?.([0x87]);
  connection.published[1]?.settle?.(null);
  assert.deepEqual(results, [
    ["a", { ok: true, reasonCode: 0x87 }],
    ["b", { ok: false, why: "lost" }],
  ]);
});

test("past the queue's number of packets a publish is refused and counted, never called back at once", async () => {
  const { counters, results, publish } = outbox();
  for (const topic of ["a", "b", "c", "d", "e", "f"]) publish(topic);
  assert.deepEqual(results, []);
  await turn();
  assert.deepEqual(results, [["f", { ok: false, why: "full" }]]);
  assert.equal(counters.publishesRefusedFull, 1);
});

test("and past its bytes, whatever the number", async () => {
  const { connection, counters, results, publish } = outbox({}, 1, 100);
  const payload = new Uint8Array(30_000_000);
  for (const topic of ["a", "b", "c", "d"]) publish(topic, { payload });
  await turn();
  assert.deepEqual(results, [["d", { ok: false, why: "full" }]]);
  assert.equal(counters.publishesRefusedFull, 1);
  connection.published[0]?.settle?.([0]);
  publish("e", { payload });
  await turn();
  assert.equal(results.length, 2, "what was sent from the queue made room");
  assert.deepEqual(results[1], ["a", { ok: true, reasonCode: 0 }]);
});

test("while the connection holds too many bytes QoS 1 waits, QoS 0 is refused, and a drain sends what waited", async () => {
  const { connection, box, results, publish } = outbox();
  connection.waitingBytes = 4_194_304;
  publish("one");
  publish("zero", { qos: 0 });
  await turn();
  assert.deepEqual(connection.topics(), []);
  assert.deepEqual(results, [["zero", { ok: false, why: "full" }]]);
  connection.waitingBytes = 4_194_303;
  box.pump();
  assert.deepEqual(connection.topics(), ["one"]);
});

test("QoS 0 needs no window and is done once it is handed down", async () => {
  const { connection, results, publish } = outbox({ receiveMaximum: 1 });
  publish("a");
  publish("b", { qos: 0 });
  assert.deepEqual(connection.topics(), ["a", "b"]);
  assert.equal(connection.published[1]?.settle, null);
  await turn();
  assert.deepEqual(results, [["b", { ok: true, reasonCode: 0 }]]);
});

test("what the broker would end the connection for is answered without it", async () => {
  const { connection, counters, results, publish } = outbox({
    maximumPacketSize: 20,
    retainAvailable: false,
    maximumQoS: 0,
  });
  publish("large", { payload: new Uint8Array(20), qos: 0 });
  publish("r", { retain: true, qos: 0 });
  publish("q");
  publish("ok", { qos: 0, payload: new Uint8Array(0) });
  await turn();
  assert.deepEqual(connection.topics(), ["ok"]);
  assert.deepEqual(results, [
    ["large", { ok: false, why: "tooLarge" }],
    ["r", { ok: true, reasonCode: 0x9a }],
    ["q", { ok: true, reasonCode: 0x9b }],
    ["ok", { ok: true, reasonCode: 0 }],
  ]);
  assert.equal(counters.publishesTooLarge, 1);
});

test("a packet of exactly the broker's limit goes", () => {
  // Header 2, topic 3, identifier 2, no properties 1, payload 10.
  const { connection, publish } = outbox({ maximumPacketSize: 18 });
  publish("t");
  assert.deepEqual(connection.topics(), ["t"]);
});

test("the end answers what waited as lost, and sends nothing more", () => {
  const { connection, box, results, publish } = outbox();
  for (const topic of ["a", "b", "c", "d", "e"]) publish(topic);
  for (const { settle } of connection.published.slice()) settle?.(null);
  box.lose();
  assert.deepEqual(
    results.map(([topic, result]) => [topic, result.ok]),
    [..."abcde"].map((topic) => [topic, false]),
  );
  assert.equal(connection.published.length, 3);
});
