import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EchoMemory } from "../../src/flow/echo-memory.ts";

const AGE_MAX_MS = 60_000;
const ENTRIES_MAX = 50_000;
const bytes = (text: string) => new TextEncoder().encode(text);

describe("an echo memory", () => {
  test("takes each echo out once: a third equal message is a genuine repeat", () => {
    const memory = new EchoMemory();
    memory.sent("t", bytes("on"), 1, 0);
    memory.sent("t", bytes("on"), 1, 5);
    assert.deepEqual(
      [1, 2, 3].map((nowMs) => memory.isEcho("t", bytes("on"), 1, nowMs)),
      [true, true, false],
    );
    assert.equal(memory.size, 0);
  });

  test("knows an echo by topic, payload and QoS together", () => {
    const memory = new EchoMemory();
    memory.sent("t", bytes("on"), 1, 0);
    assert.equal(memory.isEcho("u", bytes("on"), 1, 0), false);
    assert.equal(memory.isEcho("t", bytes("off"), 1, 0), false);
    assert.equal(memory.isEcho("t", bytes("on"), 0, 0), false);
    assert.equal(memory.isEcho("t", bytes("on"), 1, 0), true);
  });

  test("an echo that did not come within a minute swallows no later message", () => {
    const memory = new EchoMemory();
    memory.sent("t", bytes("on"), 1, 0);
    memory.sent("t", bytes("on"), 1, 6_000);
    assert.equal(memory.isEcho("t", bytes("on"), 1, AGE_MAX_MS + 1), true, "the second one's");
    assert.equal(memory.isEcho("t", bytes("on"), 1, AGE_MAX_MS + 1), false);
    memory.sent("t", bytes("on"), 1, 120_000);
    assert.equal(memory.isEcho("t", bytes("on"), 1, 120_000 + AGE_MAX_MS), true);
  });

  test("at its limit forgets the oldest, counted", () => {
    const memory = new EchoMemory();
    for (let i = 0; i < ENTRIES_MAX + 2; i += 1) memory.sent("t", bytes(`${i}`), 1, 0);
    assert.equal(memory.size, ENTRIES_MAX);
    assert.equal(memory.forgotten, 2);
    assert.equal(memory.isEcho("t", bytes("1"), 1, 0), false);
    assert.equal(memory.isEcho("t", bytes("2"), 1, 0), true);
    assert.equal(memory.isEcho("t", bytes(`${ENTRIES_MAX + 1}`), 1, 0), true);
  });

  test("stays small however many pass through it, with echoes in any order", () => {
    const memory = new EchoMemory();
    for (let i = 0; i < 200_000; i += 1) {
      memory.sent("t", bytes(`${i % 10}`), 1, i);
      if (i % 2 === 1) {
        assert.equal(memory.isEcho("t", bytes(`${i % 10}`), 1, i), true);
        assert.equal(memory.isEcho("t", bytes(`${(i - 1) % 10}`), 1, i), true);
      }
      assert.ok(memory.size <= 2);
    }
    assert.equal(memory.forgotten, 0);
  });

  test("a clock that goes back loses no echo", () => {
    const memory = new EchoMemory();
    memory.sent("t", bytes("a"), 1, 100_000);
    memory.sent("t", bytes("b"), 1, 0);
    assert.equal(memory.isEcho("t", bytes("b"), 1, 0), true);
    assert.equal(memory.isEcho("t", bytes("a"), 1, 0), true);
  });
});
