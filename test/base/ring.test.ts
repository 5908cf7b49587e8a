import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { Ring } from "../../src/base/ring.ts";

test("a ring hands out what it was given, oldest first", () => {
  const ring = new Ring<string>(3);
  assert.equal(ring.shift(), undefined);
  assert.equal(ring.peek(), undefined);
  for (const item of ["a", "b", "c"]) assert.equal(ring.push(item), true);
  assert.equal(ring.peek(), "a");
  assert.deepEqual([...ring], ["a", "b", "c"]);
  assert.equal(ring.shift(), "a");
  assert.equal(ring.length, 2);
});

test("a full ring takes nothing and keeps what it has", () => {
  const ring = new Ring<number>(2);
  assert.equal(ring.limit, 2);
  assert.ok(ring.push(1) && ring.push(2));
  assert.equal(ring.push(3), false);
  assert.deepEqual([...ring], [1, 2]);
  ring.shift();
  assert.equal(ring.push(3), true);
  assert.deepEqual([...ring], [2, 3]);
});

test("a ring without room is a bug", () => {
  for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => new Ring(limit), /bug: a ring of/);
});

test("a cleared ring is empty and works again", () => {
  const ring = new Ring<number>(100);
  for (let i = 0; i < 100; i += 1) ring.push(i);
  ring.clear();
  assert.equal(ring.length, 0);
  assert.equal(ring.peek(), undefined);
  assert.ok(ring.push(7));
  assert.deepEqual([...ring], [7]);
});

test("any pushes and shifts behave as on a plain array", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.integer({ min: -3, max: 5 })), (limit, moves) => {
      const ring = new Ring<number>(limit);
      const model: number[] = [];
      let next = 0;
      for (const move of moves) {
        for (let i = 0; i < Math.abs(move) * 5; i += 1) {
          if (move > 0) {
            assert.equal(ring.push(next), model.length < limit);
            if (model.length < limit) model.push(next);
            next += 1;
          } else assert.equal(ring.shift(), model.shift());
        }
        assert.equal(ring.length, model.length);
        assert.equal(ring.peek(), model[0]);
        assert.deepEqual([...ring], model);
      }
    }),
  );
});

test("an item that left is not held any more", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const ring = new Ring<object>(4);
  const left = new WeakRef(pass(ring));
  // A WeakRef keeps its target until the current turn ends.
  await new Promise((done) => setImmediate(done));
  collect();
  assert.equal(left.deref(), undefined);
  assert.equal(ring.length, 1);
});

/** In a frame of its own, so that no local variable holds the item. */
function pass(ring: Ring<object>): object {
  ring.push({ first: true });
  ring.push({ first: false });
  return ring.shift() ?? ring;
}

test("a hundred thousand items pass at the same price each", () => {
  const ring = new Ring<number>(100_000);
  const startMs = performance.now();
  for (let i = 0; i < 100_000; i += 1) ring.push(i);
  for (let i = 0; i < 200_000; i += 1) {
    ring.shift();
    ring.push(i);
  }
  // An array that is shifted at this length needs seconds.
  assert.ok(performance.now() - startMs < 500);
});
