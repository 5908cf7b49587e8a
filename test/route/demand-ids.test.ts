import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DemandIds } from "../../src/route/demand-ids.ts";
import { RevisionHolds } from "../../src/route/revision-holds.ts";
import { countMapReads } from "./map-reads.ts";

describe("demand identifiers", () => {
  test("grow from 1 and are never given twice, whatever goes in between", () => {
    const ids = new DemandIds();
    assert.deepEqual([ids.pending("a"), ids.pending("b")], [1, 2]);
    ids.remove("b");
    assert.equal(ids.pending("b"), 3);
    ids.remove("a");
    ids.remove("b");
    assert.equal(ids.size, 0);
    assert.equal(ids.pending("a"), 4);
  });

  test("stay with a filter that is subscribed again, unless it was retiring", () => {
    const ids = new DemandIds();
    ids.pending("a");
    assert.equal(ids.pending("a"), 1);
    ids.live("a");
    assert.equal(ids.pending("a"), 1);
    assert.equal(ids.stateOf("a"), "live", "which copy counts must not change at a SUBSCRIBE");
    ids.retire("a", true);
    assert.equal(ids.stateOf("a"), "retiring");
    assert.equal(ids.pending("a"), 2);
    assert.equal(ids.stateOf("a"), "pending");
    assert.equal(ids.stateOf("never"), null);
  });

  test("of live, pending and retiring filters that match, the lowest of the best state is chosen", () => {
    const ids = new DemandIds();
    ids.pending("t/1");
    ids.pending("t/+");
    ids.pending("#");
    assert.equal(ids.chosen("t/1"), 1);
    ids.live("#");
    assert.equal(ids.chosen("t/1"), 3);
    ids.live("t/+");
    assert.equal(ids.chosen("t/1"), 2);
    ids.retire("t/+", true);
    assert.equal(ids.chosen("t/1"), 3);
    ids.retire("#", true);
    assert.equal(ids.chosen("t/1"), 1);
    ids.retire("t/1", true);
    assert.equal(ids.chosen("t/1"), 1);
    for (const filter of ["t/1", "t/+", "#"]) ids.remove(filter);
    assert.equal(ids.chosen("t/1"), null);
  });

  test("are all pending, in their order, when the broker forgot everything", () => {
    const ids = new DemandIds();
    for (const filter of ["c", "a", "b"]) ids.pending(filter);
    ids.live("a");
    ids.retire("b", false);
    ids.allPending();
    assert.deepEqual(ids.ascending(), ["c", "a", "b"]);
    assert.deepEqual(
      ["a", "b", "c"].map((filter) => ids.stateOf(filter)),
      ["pending", "pending", "pending"],
    );
    ids.pending("+");
    assert.equal(ids.accepts("b", [4]), false, "the doubt about b ended with the session");
  });

  test("a choice made before is remembered without looking at the filters, but not for very long topics", () => {
    const ids = new DemandIds();
    for (let i = 0; i < 1_000; i += 1) ids.pending(`t/+/${i}`);
    ids.chosen("t/x/5");
    assert.ok(countMapReads(() => ids.chosen("t/x/5")) <= 1);
    const long = `t/${"x".repeat(600)}/5`;
    ids.chosen(long);
    assert.ok(countMapReads(() => ids.chosen(long)) > 1, "ten thousand of the longest topics would take a gigabyte");
  });
});

describe("revision holds", () => {
  test("hold everything from a revision on until its stand-in is settled", () => {
    const holds = new RevisionHolds();
    holds.add(3, 6);
    assert.deepEqual(
      [2, 3, 5, 6, 9].map((settled) => holds.limit(settled)),
      [2, 2, 2, 6, 9],
    );
  });

  test("follow a stand-in that went for a later one", () => {
    const holds = new RevisionHolds();
    holds.add(2, 3);
    holds.add(3, 5);
    assert.deepEqual(
      [3, 4, 5].map((settled) => holds.limit(settled)),
      [1, 1, 5],
    );
    holds.forget(4);
    assert.equal(holds.size, 2);
    holds.forget(5);
    assert.equal(holds.size, 0);
  });

  test("past their limit hold back more, never less, and a stand-in already settled holds nothing", () => {
    const holds = new RevisionHolds();
    holds.add(8, 7);
    assert.equal(holds.size, 0);
    for (let i = 1; i <= 200; i += 1) holds.add(10 * i, 10 * i + 1);
    assert.equal(holds.size, 64);
    assert.equal(holds.limit(1_999), 639, "those past the limit are held together");
    assert.equal(holds.limit(9), 9);
    assert.equal(holds.limit(2_001), 2_001);
  });
});
