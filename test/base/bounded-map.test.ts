import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BoundedMap } from "../../src/base/bounded-map.ts";

test("the oldest entry makes room and is handed back", () => {
  const map = new BoundedMap<string, number>(2);
  assert.equal(map.set("a", 1), undefined);
  assert.equal(map.set("b", 2), undefined);
  assert.deepEqual(map.set("c", 3), ["a", 1]);
  assert.deepEqual(
    [...map],
    [
      ["b", 2],
      ["c", 3],
    ],
  );
  assert.equal(map.size, 2);
});

test("setting a key again evicts nothing and makes it the youngest", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assert.equal(map.set("a", 9), undefined);
  assert.deepEqual(map.set("c", 3), ["b", 2]);
  assert.equal(map.get("a"), 9);
});

test("get leaves an entry its age and touch renews it", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assert.equal(map.get("a"), 1);
  assert.deepEqual(map.oldest(), ["a", 1]);
  assert.equal(map.touch("a"), 1);
  assert.deepEqual(map.oldest(), ["b", 2]);
  assert.equal(map.touch("none"), undefined);
});

test("an entry may hold undefined", () => {
  const map = new BoundedMap<string, undefined>(1);
  map.set("a", undefined);
  assert.ok(map.has("a"));
  assert.deepEqual(map.set("b", undefined), ["a", undefined]);
});

test("an entry may be deleted while it is visited", () => {
  const map = new BoundedMap<number, number>(10);
  for (let i = 0; i < 10; i += 1) map.set(i, i);
  const seen: number[] = [];
  for (const [key] of map) {
    seen.push(key);
    if (key % 2 === 0) map.delete(key);
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(map.size, 5);
  map.clear();
  assert.deepEqual([...map], []);
  assert.equal(map.oldest(), undefined);
});

test("a map without room is a bug", () => {
  for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => new BoundedMap(limit), /bug: a map of/);
});

type Move = readonly [kind: "set" | "delete" | "touch", key: number];

test("any moves behave as on a list that is searched", () => {
  const move: fc.Arbitrary<Move> = fc.tuple(
    fc.constantFrom("set" as const, "delete" as const, "touch" as const),
    fc.nat(8),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(move), (limit, moves) => {
      const map = new BoundedMap<number, number>(limit);
      let model: [number, number][] = [];
      for (const [step, [kind, key]] of moves.entries()) {
        const known = model.find(([other]) => other === key);
        const others = model.filter(([other]) => other !== key);
        switch (kind) {
          case "set": {
            const evicted = known === undefined && model.length === limit ? others.shift() : undefined;
            model = [...others, [key, step]];
            assert.deepEqual(map.set(key, step), evicted);
            break;
          }
          case "delete":
            model = others;
            assert.equal(map.delete(key), known !== undefined);
            break;
          case "touch":
            if (known !== undefined) model = [...others, known];
            assert.equal(map.touch(key), known?.[1]);
            break;
        }
        assert.deepEqual([...map], model);
        assert.equal(map.size, model.length);
        assert.deepEqual(map.oldest(), model[0]);
      }
    }),
  );
});

test("evicting costs the same in a large map", () => {
  const limit = 50_000;
  const map = new BoundedMap<number, number>(limit);
  // Of this process: on a machine that is busy with others the clock says nothing.
  const before = process.cpuUsage();
  for (let i = 0; i < limit * 6; i += 1) map.set(i, i);
  // The first key of a Map, searched anew each time, takes ten seconds here.
  assert.ok(process.cpuUsage(before).user < 1_500_000);
});
