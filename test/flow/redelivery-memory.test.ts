import assert from "node:assert/strict";
import { test } from "node:test";
import { RedeliveryMemory } from "../../src/flow/redelivery-memory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a message delivered again under its packet identifier is known", () => {
  const memory = new RedeliveryMemory();
  assert.equal(memory.repeats(1, false, "t", bytes("on")), false);
  assert.equal(memory.repeats(1, true, "t", bytes("on")), true);
  assert.equal(memory.repeats(1, true, "t", bytes("on")), true);
});

test("DUP on a first copy that never came, other content or another identifier make it new", () => {
  const memory = new RedeliveryMemory();
  assert.equal(memory.repeats(2, true, "t", bytes("on")), false);
  assert.equal(memory.repeats(2, true, "t", bytes("off")), false);
  assert.equal(memory.repeats(2, true, "u", bytes("off")), false);
  assert.equal(memory.repeats(3, true, "u", bytes("off")), false);
});

test("the same content without DUP is a message of its own, however often it comes", () => {
  const memory = new RedeliveryMemory();
  for (let i = 0; i < 3; i += 1) assert.equal(memory.repeats(1, false, "t", bytes("on")), false);
});

test("past 4,096 deliveries the oldest is forgotten, and a new session starts with none", () => {
  const memory = new RedeliveryMemory();
  for (let id = 1; id <= 4_097; id += 1) memory.repeats(id, false, "t", bytes("x"));
  assert.equal(memory.repeats(4_097, true, "t", bytes("x")), true);
  assert.equal(memory.repeats(1, true, "t", bytes("x")), false);
  memory.clear();
  assert.equal(memory.repeats(4_097, true, "t", bytes("x")), false);
});
