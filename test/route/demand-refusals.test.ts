import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REFUSED_RETRY_MS } from "../../src/route/refused-filters.ts";
import { demand, numbered, steps } from "./demand-steps.ts";

describe("refused filters", () => {
  test("are told to every peer that wants them, tried again after a minute, and taken back when served", () => {
    const made = demand();
    made.want("p", "a");
    made.want("q", "a");
    steps(made, 0, ["a"]);
    const told = made.refusals();
    assert.deepEqual(
      told.map(({ peer, refused, news }) => ({ peer, refused, news })),
      ["p", "q"].map((peer) => ({ peer, refused: true, news: true })),
    );
    assert.deepEqual(made.refusals(), []);
    assert.equal(made.deadlineMs, REFUSED_RETRY_MS);
    assert.deepEqual(steps(made, REFUSED_RETRY_MS - 1), []);
    assert.deepEqual(steps(made, REFUSED_RETRY_MS, ["a"]), ["subscribe a=2"]);
    assert.deepEqual(
      made.refusals().map(({ news }) => news),
      [false, false],
      "said again, in case it got lost, and no news",
    );
    assert.deepEqual(steps(made, 2 * REFUSED_RETRY_MS), ["subscribe a=3"]);
    assert.deepEqual(
      made.refusals().map(({ refused, news }) => ({ refused, news })),
      [
        { refused: false, news: true },
        { refused: false, news: true },
      ],
    );
    assert.equal(made.stats.refused, 0);
  });

  test("cover nothing: what a refused filter stood for is subscribed by itself", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made);
    made.want("p", "t/#");
    assert.deepEqual(steps(made, 0, ["t/#"]), ["subscribe t/#=2"]);
    assert.equal(made.accepts("t/1", [1]), true);
    assert.equal(made.stats.filters, 1);
  });

  test("a peer that wants one later, or may have missed it, is told; one that gives it up is told that too", () => {
    const made = demand();
    made.want("p", "a");
    steps(made, 0, ["a"]);
    made.refusals();
    made.want("q", "a");
    assert.deepEqual(made.refusals(), [{ peer: "q", filter: "a", reasonCode: 0x87, refused: true, news: true }]);
    made.repeatRefusals("p");
    assert.deepEqual(made.refusals(), [{ peer: "p", filter: "a", reasonCode: 0x87, refused: true, news: false }]);
    made.repeatRefusals("nobody");
    made.unwant("p", "a");
    assert.deepEqual(made.refusals(), [{ peer: "p", filter: "a", reasonCode: 0x87, refused: false, news: true }]);
    made.unwant("q", "a");
    assert.equal(made.stats.refused, 0);
    assert.equal(made.deadlineMs, Number.POSITIVE_INFINITY, "nobody wants it: it is not tried again");
  });

  test("one that another filter covers when its turn comes is served by that", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made, 0, ["t/1"]);
    made.want("p", "t/#");
    steps(made, 1);
    made.refusals();
    assert.deepEqual(steps(made, REFUSED_RETRY_MS), []);
    assert.deepEqual(
      made.refusals().map(({ filter, refused }) => ({ filter, refused })),
      [{ filter: "t/1", refused: false }],
    );
  });

  test("more than a hundred are not said again at each retry, and a hundred when the peer listens anew", () => {
    const made = demand();
    const filters = numbered(130);
    for (const filter of filters) made.want("p", filter);
    steps(made, 0, filters);
    assert.equal(made.refusals().length, 130);
    steps(made, REFUSED_RETRY_MS, filters);
    assert.equal(made.refusals().length, 0);
    made.repeatRefusals("p");
    assert.equal(made.refusals().length, 100);
  });

  test("an answer with too few codes counts as refused where they are missing", () => {
    const made = demand();
    made.want("p", "a");
    made.want("p", "b");
    const step = made.next(0);
    assert.ok(step?.kind === "subscribe");
    made.subscribed(step.batch, [1], 0);
    assert.equal(made.stats.refused, 1);
  });

  test("one that went while it was being refused leaves nothing behind", () => {
    const made = demand();
    made.want("p", "a");
    const step = made.next(0);
    made.unwant("p", "a");
    assert.ok(step?.kind === "subscribe");
    made.subscribed(step.batch, [0x87], 0);
    assert.deepEqual(made.stats, { filters: 0, pending: 0, refused: 0, markerTimeouts: 0, widened: 0 });
    assert.deepEqual(made.refusals(), []);
  });
});
