import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Demand } from "../../src/route/demand.ts";
import { answer, demand, numbered, shown, steps } from "./demand-steps.ts";
import { countMapReads } from "./map-reads.ts";

const MARKER_WAIT_MS = 5_000;

describe("demand", () => {
  test("subscribes the minimal cover of what all peers want, each filter once", () => {
    const made = demand();
    for (const filter of ["t/1", "t/2", "c"]) made.want("p", filter);
    made.want("q", "t/1");
    assert.deepEqual(steps(made), ["subscribe t/1=1 t/2=2 c=3"]);
    made.unwant("p", "t/1");
    assert.deepEqual(steps(made), [], "the other peer still wants it");
    made.unwant("q", "t/1");
    assert.deepEqual(steps(made), ["marker", "unsubscribe t/1"]);
  });

  test("a wide filter is subscribed first, its marker awaited, and only then the narrow ones go", () => {
    const made = demand();
    made.want("p", "t/1");
    made.want("p", "t/2");
    steps(made);
    made.want("q", "t/#");
    assert.deepEqual(steps(made), ["subscribe t/#=3", "marker", "unsubscribe t/1 t/2"]);
    made.unwant("q", "t/#");
    assert.deepEqual(steps(made), ["subscribe t/1=4 t/2=5", "marker", "unsubscribe t/#"], "identifiers only grow");
  });

  test("one step is under way at a time, and only its own answer ends it", () => {
    const made = demand();
    made.want("p", "a");
    const step = made.next(0);
    assert.ok(step?.kind === "subscribe");
    made.want("p", "b");
    assert.equal(made.next(0), null);
    made.subscribed(step.batch + 1, [1], 0);
    made.unsubscribed(step.batch, [], 0);
    made.markerArrived(step.batch, 0);
    assert.equal(made.next(0), null);
    made.subscribed(step.batch, [1], 0);
    assert.deepEqual(steps(made), ["subscribe b=2"]);
  });

  test("the copy of the lowest live identifier counts, of a later one only after the marker", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made);
    made.want("q", "t/#");
    answer(made, 0);
    assert.deepEqual([made.accepts("t/1", [1]), made.accepts("t/1", [2])], [true, false]);
    assert.equal(made.accepts("t/2", [2]), true);
    assert.equal(made.accepts("t/1", [1, 2]), true, "one copy with all identifiers");
    assert.equal(made.accepts("t/1", []), true, "a broker without identifiers");
    const marker = made.next(0);
    assert.ok(marker?.kind === "marker");
    assert.equal(made.accepts("t/1", [1]), true);
    made.markerArrived(marker.marker, 0);
    assert.deepEqual([made.accepts("t/1", [1]), made.accepts("t/1", [2])], [false, true]);
    assert.equal(made.accepts("other", [9]), false, "of a filter that is gone");
  });

  test("a marker that does not come is waited for 5 s; then both copies count: possibly two, never none", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made);
    made.want("q", "t/#");
    answer(made, 0);
    const marker = made.next(1_000);
    assert.ok(marker?.kind === "marker");
    assert.equal(made.deadlineMs, 1_000 + MARKER_WAIT_MS);
    assert.equal(made.next(made.deadlineMs - 1), null);
    const step = made.next(made.deadlineMs);
    assert.equal(shown(step), "unsubscribe t/1");
    assert.equal(made.stats.markerTimeouts, 1);
    assert.deepEqual([made.accepts("t/1", [1]), made.accepts("t/1", [2])], [true, true]);
    assert.ok(step?.kind === "unsubscribe");
    made.unsubscribed(step.batch, [], 7_000);
    assert.deepEqual([made.accepts("t/1", [1]), made.accepts("t/1", [2])], [false, true]);
    made.markerArrived(marker.marker, 7_000);
    assert.equal(made.next(7_000), null, "a late marker changes nothing");
  });

  test("without identifiers (MQTT 3.1.1) it goes without markers, still SUBSCRIBE before UNSUBSCRIBE", () => {
    const made = new Demand({ filtersMaxPerPeer: 10 });
    made.connected(false, false, 0);
    made.want("p", "t/1");
    steps(made);
    made.want("p", "t/#");
    assert.deepEqual(steps(made), ["subscribe t/#=2", "unsubscribe t/1"]);
  });

  test("a filter that comes back before its marker stays subscribed under its identifier", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made);
    made.unwant("p", "t/1");
    const marker = made.next(0);
    assert.ok(marker?.kind === "marker");
    made.want("p", "t/1");
    made.markerArrived(marker.marker, 0);
    assert.deepEqual(steps(made), []);
    assert.equal(made.stats.filters, 1);
    assert.equal(made.accepts("t/1", [1]), true);
  });

  test("what is wanted anew under a filter that is about to go is served by it until it is subscribed itself", () => {
    const made = demand();
    made.want("p", "#");
    steps(made);
    made.unwant("p", "#");
    const marker = made.next(0);
    assert.ok(marker?.kind === "marker");
    made.want("p", "q/#");
    made.markerArrived(marker.marker, 0);
    assert.equal(made.accepts("q/1", [1]), true);
    assert.deepEqual(steps(made), ["subscribe q/#=2", "marker", "unsubscribe #"]);
  });

  test("a filter that is about to go waits for a hundred new ones, not for ever", () => {
    const made = demand(10_000);
    made.want("p", "#");
    steps(made);
    made.unwant("p", "#");
    const shownSteps: string[] = [];
    for (let n = 0; n < 500 && !shownSteps.includes("unsubscribe #"); n += 1) {
      made.want("p", `q/${n}`);
      const step = made.next(0);
      shownSteps.push(shown(step));
      made.want("p", `r/${n}`);
      if (step?.kind === "subscribe")
        made.subscribed(
          step.batch,
          step.filters.map(() => 1),
          0,
        );
      else if (step?.kind === "marker") made.markerArrived(step.marker, 0);
    }
    assert.ok(shownSteps.includes("unsubscribe #"), shownSteps.slice(-10).join());
    assert.ok(shownSteps.length > 40, `${shownSteps.length} steps`);
  });

  test("a filter that comes back and goes again while its marker is under way waits for its new replacement", () => {
    const made = demand();
    made.want("p", "t/1");
    steps(made);
    made.want("p", "t/#");
    answer(made, 0);
    const marker = made.next(0);
    assert.ok(marker?.kind === "marker");
    made.unwant("p", "t/#");
    // More than one batch before the replacement of t/1.
    for (const filter of numbered(150)) made.want("p", filter);
    made.want("p", "t/+");
    made.markerArrived(marker.marker, 0);
    const done = steps(made);
    const at = (text: string) => done.findIndex((line) => line.includes(` ${text}`));
    const gone = done.findIndex((line) => /^unsubscribe .*t\/1$/.test(line));
    assert.ok(at("t/+=") >= 0 && at("t/+=") < gone, done.join("\n"));
  });

  test("a filter that went is subscribed under a new identifier when it returns", () => {
    const made = demand();
    made.want("p", "a");
    steps(made);
    made.unwant("p", "a");
    steps(made);
    made.want("p", "a");
    assert.deepEqual(steps(made), ["subscribe a=2"]);
  });

  test("a revision is settled once what stands for its filter is subscribed, not when its filter goes", () => {
    const made = demand();
    made.want("p", "other");
    const first = made.next(0);
    made.want("p", "t/1");
    const revision = made.revision;
    made.want("q", "t/#");
    assert.ok(first?.kind === "subscribe");
    made.subscribed(first.batch, [1], 0);
    assert.ok(made.settledRevision < revision, "t/1 will be served by t/#, which is not subscribed yet");
    steps(made);
    assert.equal(made.settledRevision, made.revision);
  });

  test("batches shrink when the broker stalls, grow when full ones are swift, and lone steps change nothing", () => {
    const made = demand(100_000);
    const sizes: number[] = [];
    let nowMs = 0;
    const batch = (tookMs: number) => {
      const step = made.next(nowMs);
      assert.ok(step?.kind === "subscribe");
      nowMs += tookMs;
      made.subscribed(
        step.batch,
        step.filters.map(() => 1),
        nowMs,
      );
      sizes.push(step.filters.length);
    };
    made.want("p", "alone");
    batch(50);
    for (const filter of numbered(12_000)) made.want("p", filter);
    for (const tookMs of [5, 5, 15, 30, 500, 500, 500, 500, 500, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) batch(tookMs);
    assert.deepEqual(sizes.slice(0, 11), [1, 100, 200, 400, 400, 200, 100, 50, 25, 12, 10]);
    assert.equal(Math.max(...sizes), 2_000);
  });

  test("while filters are being subscribed in batches, ready ones go in between", () => {
    const made = demand(100_000);
    made.want("p", "old");
    steps(made);
    made.unwant("p", "old");
    for (const filter of numbered(300)) made.want("p", filter);
    const kinds = steps(made).map((line) => line.split(" ")[0]);
    assert.deepEqual(kinds, ["marker", "unsubscribe", "subscribe", "subscribe"]);
  });
});

test("past a peer's limit its filters are widened, never refused, and exact again below it", () => {
  const made = demand(4);
  for (const filter of ["a/1", "a/2", "a/3", "b/1"]) made.want("p", filter);
  steps(made);
  assert.equal(made.stats.widened, 0);
  made.want("p", "b/2");
  assert.equal(made.stats.widened, 1);
  assert.deepEqual(steps(made), ["subscribe a/#=5 b/#=6", "marker", "unsubscribe a/1 a/2 a/3 b/1"]);
  for (const filter of ["a/1", "b/1"]) made.unwant("p", filter);
  assert.equal(made.stats.widened, 0);
  const done = steps(made);
  assert.equal(done[0], "subscribe a/2=7 a/3=8 b/2=9");
  assert.deepEqual(done.slice(1), ["marker", "unsubscribe a/# b/#"]);
});

test("a want and an unwant, with all their steps, cost the same however many filters there are", () => {
  const cost = (filters: number): number => {
    const made = demand(1_000_000);
    for (const filter of numbered(filters)) made.want("p", filter);
    steps(made);
    return countMapReads(() => {
      made.want("p", "reply/x");
      steps(made);
      made.unwant("p", "reply/x");
      assert.deepEqual(steps(made), ["marker", "unsubscribe reply/x"]);
    });
  };
  assert.equal(cost(10_000), cost(10));
});
