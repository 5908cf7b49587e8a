import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PeerDemand } from "../../src/hub/peer-demand.ts";

describe("a peer's demand", () => {
  test("is its routes as they are when everything is exported", () => {
    const demand = new PeerDemand(["#"]);
    assert.deepEqual([demand.change("t/#", true), demand.change("t/#", false)], [["t/#"], ["t/#"]]);
  });

  test("is cut to the export list; routes that meet it in one place count together", () => {
    const demand = new PeerDemand(["pub/#", "t/+"]);
    assert.deepEqual(demand.change("#", true), ["pub/#", "t/+"]);
    assert.deepEqual(demand.change("+/#", true), [], "the same topics by another name");
    assert.deepEqual(demand.change("t/1", true), ["t/1"]);
    assert.deepEqual(demand.change("secret", true), []);
    assert.deepEqual(demand.change("#", false), []);
    assert.deepEqual(demand.change("+/#", false), ["pub/#", "t/+"]);
    assert.deepEqual(demand.change("t/1", false), ["t/1"]);
  });

  test("is ready up to the operation whose revision is settled", () => {
    const demand = new PeerDemand(["#"]);
    demand.applied(3, 10);
    demand.applied(4, 10);
    demand.applied(5, 12);
    assert.deepEqual(
      [9, 10, 11, 12].map((settled) => demand.readyOp(settled)),
      [0, 4, 4, 5],
    );
    assert.equal(demand.readyOp(0), 5, "what was ready stays so");
  });

  test("starts from nothing with a new speaker", () => {
    const demand = new PeerDemand(["#"]);
    demand.applied(9, 1);
    demand.readyOp(1);
    demand.newSpeaker();
    assert.equal(demand.readyOp(99), 0);
    demand.applied(9, 2);
    assert.deepEqual([demand.readyOp(1), demand.readyOp(2)], [0, 9]);
  });

  test("past a thousand operations in waiting the youngest wait together: later than needed, never earlier", () => {
    const demand = new PeerDemand(["#"]);
    for (let op = 1; op <= 2_000; op += 1) demand.applied(op, op);
    assert.equal(demand.readyOp(999), 999);
    assert.equal(demand.readyOp(1_999), 999);
    assert.equal(demand.readyOp(2_000), 2_000);
  });
});

test("a route that makes brokers close the connection is not subscribed to, whatever the export list", () => {
  for (const exportFilters of [["#"], ["a/#", "b"]]) {
    const demand = new PeerDemand(exportFilters);
    assert.deepEqual(demand.change("a/\u0001", true), []);
    assert.deepEqual(demand.change("a/\u0001", false), []);
    assert.deepEqual(demand.change("a/x", true), ["a/x"]);
  }
});
