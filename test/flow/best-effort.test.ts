import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BestEffortQueue } from "../../src/flow/best-effort.ts";
import { message } from "./rig.ts";

const MIB = 1024 * 1024;
const entry = (text: string, bytes: number) => ({ message: message("t", text, 0), origin: null, bytes, queuedAtMs: 0 });
const texts = (queue: BestEffortQueue): string[] => {
  const found: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    found.push(new TextDecoder().decode(next.message.payload));
  return found;
};

describe("best-effort messages that wait", () => {
  test("more than 16 MiB: as many of the oldest go as the new one needs", () => {
    const queue = new BestEffortQueue();
    for (const text of ["a", "b", "c"]) assert.equal(queue.push(entry(text, 5 * MIB)), 0);
    assert.equal(queue.push(entry("d", MIB)), 0, "exactly full");
    assert.equal(queue.push(entry("e", 6 * MIB)), 2);
    assert.deepEqual(texts(queue), ["c", "d", "e"]);
    assert.equal(queue.push(entry("f", 16 * MIB)), 0, "what was taken out counts no more");
    assert.equal(queue.push(entry("g", 16 * MIB)), 1);
    assert.deepEqual(texts(queue), ["g"]);
  });

  test("more than 20,000: the oldest goes", () => {
    const queue = new BestEffortQueue();
    for (let i = 0; i < 20_000; i += 1) assert.equal(queue.push(entry(String(i), 1)), 0);
    assert.equal(queue.push(entry("last", 1)), 1);
    assert.equal(queue.length, 20_000);
    assert.equal(new TextDecoder().decode(queue.peek()?.message.payload ?? new Uint8Array()), "1");
    queue.clear();
    assert.deepEqual([queue.length, queue.push(entry("x", 16 * MIB))], [0, 0]);
  });
});
