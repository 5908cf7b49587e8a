import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentChanges } from "../../src/broker/recent-changes.ts";

const X = { client: "c", filter: "x" };

test("the last word counts, and who ended holds nothing until it subscribes again", () => {
  const changes = new RecentChanges();
  assert.equal(changes.held(X), null);
  changes.changed(X, true, 1);
  assert.equal(changes.held(X), true);
  changes.changed(X, false, 1);
  assert.equal(changes.held(X), false);
  changes.changed(X, true, 1);
  changes.ended("c", 1);
  assert.equal(changes.held(X), false);
  assert.equal(changes.held({ client: "c", filter: "never heard of" }), false);
  assert.equal(changes.held({ client: "d", filter: "x" }), null);
  changes.changed(X, true, 1);
  assert.deepEqual([...changes.heldRows()], [X]);
});

test("what is older is forgotten", () => {
  const changes = new RecentChanges();
  changes.changed(X, false, 1);
  changes.ended("d", 2);
  changes.changed({ client: "c", filter: "y" }, false, 3);
  changes.forget(3);
  assert.equal(changes.held(X), null);
  assert.equal(changes.hasEnds, false);
  assert.equal(changes.held({ client: "c", filter: "y" }), false);
  assert.equal(changes.size, 1);
});

test("at the limit the oldest goes", () => {
  const changes = new RecentChanges(2);
  for (const filter of ["x", "y", "z"]) changes.changed({ client: "c", filter }, false, 1);
  for (const client of ["d", "e", "f"]) changes.ended(client, 1);
  assert.equal(changes.size, 4);
  assert.equal(changes.held(X), null);
  assert.equal(changes.held({ client: "c", filter: "z" }), false);
});
