import assert from "node:assert/strict";
import { test } from "node:test";
import { AedesClients } from "../../src/broker/aedes-clients.ts";

test("clients that ended with nothing are forgotten, those with rows or late events are not", () => {
  const clients = new AedesClients(10, 10);
  clients.connected("empty", "n", 0);
  clients.disconnected("empty", "n", 1);
  clients.connected("persistent", "n", 0);
  clients.subscribed("persistent", "x");
  clients.disconnected("persistent", "n", 1);
  clients.connected("clean", "n", 0);
  clients.subscribed("clean", "x");
  clients.disconnected("clean", "n", 1);
  assert.deepEqual(clients.unsubscribed("clean", "n", ["x"], 1), [true]);
  assert.equal(clients.size, 1);
  clients.gap();
  assert.equal(clients.size, 0);
});

test("filters past the limit are not remembered, and doubted when it matters", () => {
  const clients = new AedesClients(10, 1);
  clients.connected("c", "n", 0);
  clients.subscribed("c", "x");
  clients.subscribed("c", "x");
  assert.equal(clients.refused, 0);
  clients.subscribed("c", "y");
  assert.equal(clients.refused, 1);
  assert.deepEqual(clients.unsubscribed("c", "n", ["y"], 1), [true]);
  clients.disconnected("c", "n", 2);
  clients.connected("c", "n", 2);
  assert.deepEqual(clients.unsubscribed("c", "n", ["y", "z"], 3), [false, false]);
  assert.deepEqual(clients.unsubscribed("c", "n", ["x"], 20_000), [true]);
});

test("a client whose takeover is recent is remembered even with nothing left", () => {
  const clients = new AedesClients(10, 10);
  clients.connected("c", "n", 0);
  clients.subscribed("c", "x");
  clients.disconnected("c", "n", 1);
  clients.connected("c", "n", 1);
  assert.deepEqual(clients.unsubscribed("c", "n", ["x"], 2), [true]);
  clients.disconnected("c", "n", 3);
  clients.connected("c", "n", 4);
  clients.subscribed("c", "x");
  assert.deepEqual(clients.unsubscribed("c", "n", ["x"], 5), [false]);
  clients.disconnected("c", "n", 20_000);
  clients.unsubscribed("c", "n", ["x"], 20_001);
  assert.equal(clients.size, 0);
});
