import assert from "node:assert/strict";
import { test } from "node:test";
import { RETAINED_ENTRIES_MAX, RetainedMemory } from "../../src/flow/retained-memory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a value is known by its topic and payload, for as long as it is asked for", () => {
  const memory = new RetainedMemory();
  memory.add("t", bytes("on"));
  assert.deepEqual(
    [
      memory.has("t", bytes("on")),
      memory.has("t", bytes("on")),
      memory.has("u", bytes("on")),
      memory.has("t", bytes("off")),
    ],
    [true, true, false, false],
  );
});

test("an empty payload stores nothing", () => {
  const memory = new RetainedMemory();
  memory.add("t", bytes(""));
  assert.equal(memory.has("t", bytes("")), false);
});

test("at the limit the oldest is forgotten", () => {
  const memory = new RetainedMemory();
  for (let n = 0; n <= RETAINED_ENTRIES_MAX; n += 1) memory.add(`t/${n}`, bytes("x"));
  assert.deepEqual(
    [0, 1, RETAINED_ENTRIES_MAX].map((n) => memory.has(`t/${n}`, bytes("x"))),
    [false, true, true],
  );
});
