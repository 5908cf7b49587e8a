import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { History } from "./history.ts";

describe("what publishers were told and subscribers got", () => {
  test("what was accepted and did not come is lost; what was in doubt is not judged", () => {
    const history = new History();
    history.accepted("t", 1, 10);
    history.accepted("t", 2, 11);
    history.unsure("t", 3);
    history.delivered("t", 2, 15);
    assert.equal(history.missing, 1);
    const verdict = history.verdict();
    assert.deepEqual([verdict.accepted, verdict.unsure, verdict.delivered], [2, 1, 1]);
    assert.deepEqual(verdict.lost, ["t 1"]);
    assert.equal(verdict.slowestMs, 4);
  });

  test("a delivery may overtake its own acceptance", () => {
    const history = new History();
    history.delivered("t", 1, 5);
    history.accepted("t", 1, 6);
    assert.equal(history.missing, 0);
    assert.deepEqual(history.verdict().lost, []);
  });

  test("second deliveries are duplicates, first ones behind a later message are out of order, topics apart", () => {
    const history = new History();
    for (const number of [1, 2, 3, 4]) history.accepted("t", number, 0);
    history.accepted("u", 1, 0);
    for (const number of [1, 3, 2, 3, 1, 4]) history.delivered("t", number, 1);
    history.delivered("u", 1, 1);
    const verdict = history.verdict();
    assert.deepEqual([verdict.duplicates, verdict.disordered, verdict.lost.length], [2, 1, 0]);
  });
});
