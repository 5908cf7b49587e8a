import assert from "node:assert/strict";
import { test } from "node:test";
import { Deliveries } from "../../src/mqtt/deliveries.ts";

test("what is open is closed once, with the QoS it came with", () => {
  const deliveries = new Deliveries(10, 1_000);
  deliveries.add(1, 1, 100);
  deliveries.add(2, 2, 50);
  assert.deepEqual([deliveries.size, deliveries.bytes], [2, 150]);
  assert.equal(deliveries.close(2), 2);
  assert.equal(deliveries.close(2), null);
  assert.equal(deliveries.close(1), 1);
  assert.deepEqual([deliveries.size, deliveries.bytes], [0, 0]);
});

test("the same identifier again takes the place of the first", () => {
  const deliveries = new Deliveries(10, 1_000);
  deliveries.add(1, 1, 100);
  deliveries.add(1, 1, 30);
  assert.deepEqual([deliveries.size, deliveries.bytes], [1, 30]);
});

test("beyond the count and beyond the bytes are told apart, at the limit", () => {
  const deliveries = new Deliveries(2, 100);
  deliveries.add(1, 1, 50);
  deliveries.add(2, 1, 50);
  assert.deepEqual([deliveries.beyondCount, deliveries.overrun], [false, false]);
  deliveries.add(3, 1, 0);
  assert.deepEqual([deliveries.beyondCount, deliveries.overrun], [true, false]);
  deliveries.add(4, 1, 1);
  assert.deepEqual([deliveries.beyondCount, deliveries.overrun], [true, true]);
  deliveries.close(1);
  assert.equal(deliveries.overrun, false);
});
