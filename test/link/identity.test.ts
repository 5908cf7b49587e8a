import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity } from "../../src/link/identity.ts";

test("adopts one more than the highest incarnation a peer has seen, and only then", () => {
  const identity = new Identity("00000000000000aa", 100);
  assert.equal(identity.adopt(99, true, 0), false);
  assert.equal(identity.incarnation, 100);
  assert.equal(identity.adopt(100, true, 0), true);
  assert.equal(identity.incarnation, 101);
  assert.equal(identity.adopt(500, true, 0), true);
  assert.equal(identity.incarnation, 501);
});

test("three adoptions within a minute are no clock: another agent has the same name", () => {
  const identity = new Identity("00000000000000aa", 100);
  identity.adopt(200, true, 0);
  identity.adopt(300, true, 20_000);
  assert.equal(identity.isDuplicate(20_000), false);
  identity.adopt(400, true, 40_000);
  assert.equal(identity.isDuplicate(40_000), true);
  assert.equal(identity.isDuplicate(40_000 + 60_000), false);
});

test("adoptions spread over more than a minute are forgiven", () => {
  const identity = new Identity("00000000000000aa", 100);
  for (const [highest, atMs] of [
    [200, 0],
    [300, 61_000],
    [400, 122_000],
    [500, 183_000],
  ] as const)
    identity.adopt(highest, true, atMs);
  assert.equal(identity.isDuplicate(183_000), false);
});

test("a speaker is me only with both numbers", () => {
  const identity = new Identity("00000000000000aa", 100);
  assert.equal(identity.isMe({ incarnation: 100, instance: "00000000000000aa" }), true);
  assert.equal(identity.isMe({ incarnation: 101, instance: "00000000000000aa" }), false);
  assert.equal(identity.isMe({ incarnation: 100, instance: "00000000000000ab" }), false);
});

test("several peers that each remember another earlier life are no double", () => {
  const identity = new Identity("00000000000000aa", 100);
  for (const highest of [200, 300, 400, 500]) identity.adopt(highest, false, 0);
  assert.equal(identity.incarnation, 501);
  assert.equal(identity.isDuplicate(0), false);
});
