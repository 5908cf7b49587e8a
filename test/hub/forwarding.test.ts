import assert from "node:assert/strict";
import { test } from "node:test";
import { AckLedger } from "../../src/flow/ack-ledger.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import { Counters } from "../../src/hub/counters.ts";
import { Forwarding } from "../../src/hub/forwarding.ts";

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
