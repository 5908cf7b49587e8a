import assert from "node:assert/strict";
import { test } from "node:test";
import { AckLedger } from "../../src/flow/ack-ledger.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import { Counters } from "../../src/hub/counters.ts";
import { Forwarding } from "../../src/hub/forwarding.ts";
import type { MessageProperties } from "../../src/wire/message.ts";

test("what the guard holds is acknowledged at once: else a full window would make every publisher look like a circle", () => {
  const acknowledged: number[] = [];
  const ledger = new AckLedger((ack) => acknowledged.push(ack));
  const outbound = new Outbound(
    () => "0011223344556677",
    {
      spool: { bytesMax: 1e6, ageMaxMs: 1e6, whenFull: "drop_oldest" },
      framesInflightMax: 10,
      retryIntervalMs: 1_000,
      durability: "disk",
    },
    () => {},
    ledger,
  );
  const forwarding = new Forwarding(outbound, ledger, new Counters(() => 0));
  const payload = new TextEncoder().encode("on");
  let nowMs = 0;
  const publish = (number: number): void => {
    const due = ledger.begin(number, number);
    forwarding.take({ topic: "t", payload, qos: 1, retain: false, properties: null, expiryMs: null }, due, nowMs);
    ledger.routed(due);
  };
  let published = 0;
  while (outbound.depth === published && published < 1_000) {
    published += 1;
    nowMs += 5;
    publish(published);
  }
  assert.ok(outbound.depth < published, "the guard came to hold something");
  assert.equal(acknowledged.length, published);
  for (let more = 0; more < 200; more += 1) {
    published += 1;
    nowMs += 20;
    forwarding.release(nowMs);
    publish(published);
  }
  for (; forwarding.guard.deadlineMs < Number.POSITIVE_INFINITY && nowMs < 100_000; nowMs += 100)
    forwarding.release(nowMs);
  assert.equal(acknowledged.length, published, "each once");
  assert.equal(outbound.depth, published, "a publisher that goes on loses nothing");
});

test("past what may be held of all topics, messages go on within the turn, in the order of their topic; what is not payload counts too", () => {
  const ledger = new AckLedger(() => {});
  const outbound = new Outbound(
    () => "0011223344556677",
    {
      spool: { bytesMax: 1e9, ageMaxMs: 1e6, whenFull: "drop_oldest" },
      framesInflightMax: 10,
      retryIntervalMs: 1_000,
      durability: "memory",
    },
    () => {},
    ledger,
  );
  const link = new Forwarding(outbound, ledger, new Counters(() => 0));
  const text = "v".repeat(50_000);
  let [published, most] = [0, 0];
  const publish = (topic: string, payload: string, properties: MessageProperties | null): void => {
    published += 1;
    const bytes = new TextEncoder().encode(payload);
    link.take({ topic, payload: bytes, qos: 1, retain: false, properties, expiryMs: null }, null, published);
    most = Math.max(most, link.guard.status.bytes);
  };
  for (let topic = 0; topic < 50; topic += 1) {
    for (let times = 0; times < 5; times += 1) publish(`t/${topic}`, "on", null);
    for (let more = 0; more < 20; more += 1) publish(`t/${topic}`, `${more}`, { userProperties: [["k", text]] });
  }
  const { bytes, messages, cutShort } = link.guard.status;
  assert.ok(most > 60 * 1024 * 1024 && most <= 64 * 1024 * 1024 + 200_000, `${most} bytes at most`);
  assert.ok(bytes > 50 * 1024 * 1024);
  assert.ok((cutShort[0]?.count ?? 0) > 10 && cutShort[0]?.reason === "total_bytes");
  assert.equal(outbound.lanes.main.spool.depth + messages, published, "what is not held is in the queue, at once");
  const seen = new Map<string, number>();
  for (let number = 1; number <= outbound.lanes.main.spool.depth; number += 1) {
    const { topic = "", payload } = outbound.lanes.main.spool.get(number)?.message ?? {};
    const content = new TextDecoder().decode(payload ?? new Uint8Array(0));
    const before = seen.get(topic) ?? -1;
    const at = content === "on" ? -1 : Number(content);
    assert.ok(at === -1 ? before === -1 : at === before + 1, `${topic}: ${content} behind ${before}`);
    seen.set(topic, at);
  }
});
