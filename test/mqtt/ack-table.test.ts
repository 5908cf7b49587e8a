import assert from "node:assert/strict";
import { test } from "node:test";
import { AckTable } from "../../src/mqtt/ack-table.ts";

test("identifiers run from 1 to 65,535, skip what is taken, and never are 0", () => {
  const table = new AckTable(1, 65_535);
  assert.equal(table.nextId(), 1);
  table.wait(2, () => {});
  assert.equal(table.nextId(), 3);
  for (let id = 4; id <= 65_535; id += 1) assert.equal(table.nextId(), id);
  assert.equal(table.nextId(), 1);
});

test("with all identifiers taken there is none, and an answer frees its own", () => {
  const table = new AckTable(1, 65_535);
  for (let i = 0; i < 65_535; i += 1) table.wait(table.nextId() ?? 0, () => {});
  assert.equal(table.nextId(), null);
  table.answer(4_711, [0]);
  assert.equal(table.nextId(), 4_711);
});

test("an answer reaches who waits for it, once; one that nobody waits for reaches nobody", () => {
  const table = new AckTable(1, 65_535);
  const answers: (readonly number[] | null)[] = [];
  table.wait(1, (codes) => answers.push(codes));
  table.answer(2, [0]);
  table.answer(1, [0x10]);
  table.answer(1, [0x87]);
  assert.deepEqual(answers, [[0x10]]);
  assert.equal(table.size, 0);
});

test("an identifier is free again before its answer is told", () => {
  const table = new AckTable(1, 65_535);
  let size = -1;
  table.wait(1, () => {
    size = table.size;
  });
  table.answer(1, [0]);
  assert.equal(size, 0);
});

test("tick counts how long the oldest waits, also when identifiers come out of order", () => {
  const table = new AckTable(1, 65_535);
  assert.equal(table.tick(), 0);
  table.wait(9, () => {});
  assert.equal(table.tick(), 1);
  table.wait(3, () => {});
  assert.equal(table.tick(), 2);
  table.answer(9, [0]);
  assert.equal(table.tick(), 2);
  table.answer(3, [0]);
  assert.equal(table.tick(), 0);
});

test("the end is told to all, in the order in which they were sent", () => {
  const table = new AckTable(1, 65_535);
  const lost: number[] = [];
  for (const id of [5, 2, 8]) {
    table.wait(id, (codes) => {
      assert.equal(codes, null);
      lost.push(id);
    });
  }
  table.lose();
  table.lose();
  assert.deepEqual(lost, [5, 2, 8]);
});

test("a range of its own is kept to", () => {
  const table = new AckTable(10, 12);
  assert.deepEqual([table.nextId(), table.nextId(), table.nextId(), table.nextId()], [10, 11, 12, 10]);
  for (const id of [10, 11, 12]) table.wait(id, () => {});
  assert.equal(table.nextId(), null);
});
