import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RouteTable } from "../../src/route/route-table.ts";
import { matches } from "../../src/topic/algebra.ts";
import { canonical } from "../../src/topic/filter.ts";
import { clientFilter, TOPICS } from "./arbitraries.ts";
import { countMapReads } from "./map-reads.ts";

test("a topic finds every peer that wants it, once", () => {
  const table = new RouteTable();
  table.set("c", "a/+");
  table.set("b", "a/1");
  table.set("b", "#");
  assert.deepEqual(table.match("a/1"), ["b", "c"]);
  assert.deepEqual(table.match("a/1/x"), ["b"]);
  assert.equal(table.delete("b", "#"), true);
  assert.deepEqual(table.match("a/1"), ["b", "c"]);
  assert.deepEqual(table.match("x"), []);
  assert.equal(table.size, 2);
});

test("setting twice is setting once, and deleting what is not there does nothing", () => {
  const table = new RouteTable();
  table.set("b", "+/#");
  table.set("b", "#");
  assert.equal(table.size, 1);
  assert.equal(table.delete("c", "#"), false);
  assert.equal(table.delete("b", "x"), false);
  assert.equal(table.delete("b", "+/#"), true);
  assert.equal(table.size, 0);
});

test("an answer is given again as the same frozen list", () => {
  const table = new RouteTable();
  table.set("b", "a/#");
  table.set("c", "+/1");
  const answer = table.match("a/1");
  assert.equal(table.match("a/1"), answer);
  assert.ok(Object.isFrozen(answer));
  assert.ok(Object.isFrozen(table.match("nobody/x")));
});

test("a remembered answer costs one lookup", () => {
  const table = new RouteTable();
  table.set("b", "a/+/c");
  table.match("a/b/c");
  assert.equal(
    countMapReads(() => table.match("a/b/c")),
    1,
  );
});

test("an exact filter drops the answer for its topic only, a wildcard all of them", () => {
  const table = new RouteTable();
  for (const topic of ["a", "b", "c"]) table.match(topic);
  table.set("p", "a");
  assert.equal(table.cached, 2);
  assert.deepEqual(table.match("a"), ["p"]);
  table.set("p", "+");
  assert.equal(table.cached, 0);
  assert.deepEqual(table.match("b"), ["p"]);
  table.delete("p", "+");
  assert.deepEqual(table.match("b"), []);
});

test("no more than 10,000 answers are remembered, and none for a very long topic", () => {
  const table = new RouteTable();
  table.set("p", "#");
  for (let i = 0; i < 10_050; i += 1) assert.deepEqual(table.match(`t/${i}`), ["p"]);
  assert.equal(table.cached, 10_000);
  const fresh = new RouteTable();
  fresh.set("p", "#");
  assert.deepEqual(fresh.match("x".repeat(513)), ["p"]);
  assert.equal(fresh.cached, 0);
  fresh.match("x".repeat(512));
  assert.equal(fresh.cached, 1);
});

test("a peer that is dropped is gone from every filter, the others stay", () => {
  const table = new RouteTable();
  for (const filter of ["a", "b/+", "#", "c/#"]) table.set("p", filter);
  table.set("q", "a");
  table.set("q", "c/#");
  assert.deepEqual(table.match("a"), ["p", "q"]);
  assert.equal(table.dropPeer("p"), 4);
  assert.equal(table.size, 2);
  assert.deepEqual(table.match("a"), ["q"]);
  assert.deepEqual(table.match("b/1"), []);
  assert.equal(table.dropPeer("p"), 0);
});

test("more different sets of peers than are remembered are still told apart", () => {
  const table = new RouteTable();
  for (let i = 0; i < 1_500; i += 1) {
    table.set(`p${i}`, `t/${i}`);
    table.set("all", `t/${i}`);
  }
  for (let i = 0; i < 1_500; i += 1) assert.deepEqual(table.match(`t/${i}`), ["all", `p${i}`]);
});

test("after any changes every answer is that of a search through all filters", () => {
  const step = fc.record({
    peer: fc.constantFrom("p", "q", "r"),
    filter: clientFilter,
    what: fc.constantFrom("set", "set", "delete", "drop"),
    topics: fc.array(fc.constantFrom(...TOPICS), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new RouteTable();
      const pairs = new Map<string, { peer: string; filter: string }>();
      for (const { peer, filter, what, topics } of steps) {
        const key = `${peer} ${canonical(filter)}`;
        if (what === "set") {
          pairs.set(key, { peer, filter });
          table.set(peer, filter);
        } else if (what === "delete") {
          assert.equal(table.delete(peer, filter), pairs.delete(key));
        } else if (filter.length % 4 === 0) {
          for (const [held, pair] of pairs) if (pair.peer === peer) pairs.delete(held);
          table.dropPeer(peer);
        }
        assert.equal(table.size, pairs.size);
        for (const topic of ["a", "a/b", ...topics]) {
          const wanting = [...pairs.values()].filter((pair) => matches(pair.filter, topic));
          assert.deepEqual(table.match(topic), [...new Set(wanting.map((pair) => pair.peer))].sort());
        }
      }
    }),
    { numRuns: 300 },
  );
});
