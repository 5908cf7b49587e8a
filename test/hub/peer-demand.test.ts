import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerDemand } from "../../src/hub/peer-demand.ts";

test("a route that makes brokers close the connection is not subscribed to, whatever the export list", () => {
  for (const exportFilters of [["#"], ["a/#", "b"]]) {
    const demand = new PeerDemand(exportFilters);
    assert.deepEqual(demand.change("a/\u0001", true), []);
    assert.deepEqual(demand.change("a/\u0001", false), []);
    assert.deepEqual(demand.change("a/x", true), ["a/x"]);
  }
});
