import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Demand } from "../../src/route/demand.ts";
import { answer, demand, numbered, shown, steps } from "./demand-steps.ts";

describe("demand and the connection", () => {
  test("asks for nothing while there is no connection", () => {
    const made = new Demand({ filtersMaxPerPeer: 10 });
    made.want("p", "a");
    assert.equal(made.next(0), null);
    assert.equal(made.deadlineMs, Number.POSITIVE_INFINITY);
    made.connected(true, true, 0);
    assert.deepEqual(steps(made), ["subscribe a=1"]);
  });

  test("lost in the middle of a SUBSCRIBE: done again, in the order of identifiers, before anything newer", () => {
    const made = demand();
    made.want("p", "a");
    made.want("p", "b");
    const revision = made.revision;
    made.next(0);
    made.disconnected();
    made.want("p", "c");
    assert.ok(made.settledRevision < revision);
    made.connected(true, true, 0);
    assert.deepEqual(steps(made), ["subscribe a=1 b=2 c=3"]);
    assert.equal(made.settledRevision, made.revision);
  });

  test("lost in the middle of a SUBSCRIBE whose filter goes and returns meanwhile: it is subscribed all the same", () => {
    for (const sessionPresent of [true, false]) {
      const made = demand();
      made.want("p", "a");
      made.next(0);
      made.disconnected();
      made.unwant("p", "a");
      made.want("p", "a");
      made.connected(sessionPresent, true, 0);
      assert.deepEqual(steps(made), ["subscribe a=1"], `session present: ${sessionPresent}`);
    }
  });

  test("in doubt and waiting for its turn, a filter that goes and returns is subscribed all the same", () => {
    const made = demand();
    const filters = numbered(250);
    for (const filter of filters) made.want("p", filter);
    steps(made);
    made.disconnected();
    made.connected(false, true, 0);
    made.next(0);
    made.unwant("p", "n/249");
    made.want("p", "n/249");
    made.disconnected();
    made.connected(true, true, 0);
    assert.ok(steps(made).join(" ").includes("n/249="));
  });

  test("lost in the middle of a SUBSCRIBE whose filter has gone: taken back, since the broker may hold it", () => {
    const made = demand();
    made.want("p", "a");
    made.next(0);
    made.unwant("p", "a");
    made.disconnected();
    made.connected(true, true, 0);
    assert.deepEqual(steps(made), ["subscribe a=1", "marker", "unsubscribe a"]);
    assert.equal(made.stats.filters, 0);
  });

  test("lost while a marker is under way: a new one is sent, the old one changes nothing", () => {
    const made = demand();
    made.want("p", "a");
    steps(made);
    made.unwant("p", "a");
    const old = made.next(0);
    made.disconnected();
    made.connected(true, true, 0);
    const again = made.next(0);
    assert.ok(old?.kind === "marker" && again?.kind === "marker");
    made.markerArrived(old.marker, 0);
    assert.equal(made.next(0), null);
    made.markerArrived(again.marker, 0);
    assert.deepEqual(steps(made), ["unsubscribe a"]);
  });

  test("lost in the middle of an UNSUBSCRIBE: done again, also when the filter is wanted anew", () => {
    const made = demand();
    made.want("p", "a");
    steps(made);
    made.unwant("p", "a");
    answer(made, 0);
    assert.equal(shown(made.next(0)), "unsubscribe a");
    made.disconnected();
    made.want("p", "a");
    made.connected(true, true, 0);
    assert.deepEqual(steps(made), ["unsubscribe a", "subscribe a=2"]);
  });

  test("a lost session: what was to go is gone, the rest is subscribed again, and nothing is settled before", () => {
    const made = demand();
    for (const filter of ["a", "b", "c"]) made.want("p", filter);
    steps(made);
    made.unwant("p", "b");
    answer(made, 0);
    made.disconnected();
    made.want("p", "d");
    made.connected(false, true, 0);
    assert.ok(made.settledRevision < made.revision);
    const revision = made.revision;
    assert.deepEqual(steps(made), ["subscribe a=1 c=3 d=4"]);
    assert.equal(made.settledRevision, revision);
  });

  test("subscribing again for the broker to announce it changes neither identifiers nor which copy counts", () => {
    const made = demand();
    made.want("p", "t/+");
    made.want("p", "+/1");
    steps(made);
    made.resubscribe();
    assert.equal(shown(made.next(0)), "subscribe t/+=1 +/1=2");
    assert.deepEqual([made.accepts("t/1", [1]), made.accepts("t/1", [2])], [true, false]);
    assert.equal(made.settledRevision >= made.revision, true, "the old subscriptions are still there");
  });
});
