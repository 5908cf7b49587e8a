/** A list of the broker's subscriptions as proof: when it is believed, what it ends, what spoils it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Interest, type InterestOptions } from "../../src/route/interest.ts";

class Rig {
  readonly interest: Interest;
  nowMs = 0;

  constructor(options: Partial<InterestOptions> = {}) {
    this.interest = new Interest(
      {
        ownClients: new Set(["me"]),
        ignoreClients: [],
        controlPrefix: "$LINK",
        rowsMax: 1_000,
        untrackedSubscriptions: 0,
        atStart: "unknown",
        trustAfterMs: null,
        ...options,
      },
      0,
    );
  }

  apply(event: Parameters<Interest["apply"]>[0]): this {
    this.interest.apply(event, this.nowMs);
    return this;
  }
  sub(client: string, filter: string, listed = false): this {
    return this.apply({ type: "subscribed", client, filter, certain: true, listed });
  }
  begin(): this {
    return this.apply({ type: "snapshot_begin" });
  }
  end(calm = true): this {
    return this.apply({ type: "snapshot_end", calm });
  }
  list(...filters: string[]): this {
    this.begin();
    for (const filter of filters) this.sub("c", filter, true);
    return this.end();
  }
  restless(...filters: string[]): this {
    this.begin();
    for (const filter of filters) this.sub("c", filter, true);
    return this.end(false);
  }
  is(reason: string, ...filters: string[]): this {
    assert.equal(this.interest.wide?.reason ?? "exact", reason);
    assert.deepEqual([...this.interest.rows()].flatMap((row) => row?.filter ?? []).sort(), filters);
    return this;
  }
  counts(): [proven: number, ghosts: number] {
    const { proven, ghosts } = this.interest.stats;
    return [proven, ghosts];
  }
}

describe("a calm list", () => {
  test("proves the table complete, and ends what it does not show", () => {
    const rig = new Rig().sub("c", "old").is("starting", "old");
    rig.list("a", "$share/g/b").is("exact", "$share/g/b", "a");
    assert.deepEqual(rig.interest.stats.mended, { added: 2, removed: 1 });
    rig.list("a").is("exact", "a");
  });

  test("leaves alone what an event showed since it began", () => {
    const rig = new Rig().list("a", "b").begin().sub("d", "new").sub("c", "a", true);
    rig.apply({ type: "unsubscribed", client: "c", filter: "a", certain: true }).end().is("exact", "new");
  });

  test("doubts nothing while it is read", () => {
    const rig = new Rig().list("a", "b").begin();
    assert.deepEqual(rig.counts(), [2, 0]);
    rig.is("exact", "a", "b");
    assert.equal(rig.interest.wantsFreshCount, false);
    rig.sub("c", "a", true);
    assert.deepEqual(rig.counts(), [2, 0]);
  });

  test("keeps a row that was doubtful and is on it", () => {
    const rig = new Rig().list("a").apply({ type: "disconnected", client: "c" });
    assert.deepEqual(rig.counts(), [0, 1]);
    rig.list("a").is("exact", "a");
    assert.deepEqual(rig.counts(), [1, 0]);
  });

  test("ends the rows of an earlier life", () => {
    const rig = new Rig();
    rig.interest.restore(new Map([["c", ["a", "b"]]]));
    rig.list("a").is("exact", "a");
  });

  test("ends no row of the own agent that it shows, and takes it for no interest", () => {
    const rig = new Rig().sub("me", "own").begin().sub("me", "own", true).end().is("exact");
    assert.equal(rig.interest.stats.rows, 1);
  });
});

describe("a restless list", () => {
  test("is believed the third time in a row", () => {
    const rig = new Rig().restless("a").is("starting", "a").restless("b").is("starting", "a", "b");
    rig.restless("b").is("exact", "a", "b");
    // `a` was seen since the third last began; now it was not.
    rig.restless("b").is("exact", "b");
  });

  test("ends nothing that was seen in one of the last three", () => {
    const rig = new Rig().list("a", "b");
    rig.restless("a").restless("a").is("exact", "a", "b").restless("a").is("exact", "a");
    assert.deepEqual(rig.interest.stats.mended, { added: 2, removed: 1 });
  });

  test("spares a doubtful row as long as others", () => {
    const rig = new Rig().list("a", "b").apply({ type: "unsubscribed", client: "c", filter: "b", certain: false });
    rig.restless("a").restless("a").is("exact", "a", "b").restless("a").is("exact", "a");
  });
});

describe("what spoils a list", () => {
  test("a gap meanwhile; the lists before it count no more", () => {
    const rig = new Rig().restless("a").restless("a").begin().sub("c", "a", true);
    rig.apply({ type: "gap", reason: "events_dropped" }).end(false).is("events_dropped", "a");
    rig.restless("a").restless("a").is("events_dropped", "a").restless("a").is("exact", "a");
    rig
      .begin()
      .apply({ type: "gap", reason: "events_dropped" })
      .end()
      .is("events_dropped", "a")
      .list("a")
      .is("exact", "a");
  });

  test("events that only begin to come meanwhile", () => {
    const rig = new Rig().apply({ type: "events_enabled", enabled: false }).begin();
    rig.apply({ type: "events_enabled", enabled: true }).end().is("starting").list().is("exact");
    rig.apply({ type: "events_enabled", enabled: false }).list().is("events_disabled");
  });

  test("a table without room, until everything fits", () => {
    const rig = new Rig({ rowsMax: 10 });
    const many = Array.from({ length: 12 }, (_, index) => `f/${index}`);
    rig.list(...many);
    assert.equal(rig.interest.wide?.reason, "table_full");
    rig.list(...many);
    assert.equal(rig.interest.wide?.reason, "table_full");
    // What is not on it goes; what is on it comes with the next one.
    rig.list("a", "b").is("table_full");
    rig.list("a", "b").is("exact", "a", "b");
  });

  test("a failure: what is exact stays so, what waits for proof waits for the list", () => {
    const rig = new Rig().begin().sub("c", "a", true).apply({ type: "snapshot_failed" });
    rig.end().is("api_unavailable", "a").list("a").is("exact", "a");
    rig.begin().apply({ type: "snapshot_failed" }).is("exact", "a");
    rig.apply({ type: "gap", reason: "api_unavailable" }).is("api_unavailable", "a");
    const late = new Rig();
    late.nowMs = 40_000;
    late.interest.tick(late.nowMs);
    late.is("no_counter").begin().apply({ type: "snapshot_failed" }).is("api_unavailable");
    const first = new Rig({ atStart: "none" }).begin().apply({ type: "snapshot_failed" });
    first.is("exact");
  });

  test("one that is begun anew: the half one does not count", () => {
    const rig = new Rig().list("a", "b").restless("a").begin().begin().sub("c", "a", true).end(false);
    rig.is("exact", "a", "b").restless("a").is("exact", "a");
  });
});

test("a broker that hands over a living session keeps its rows, others do not", () => {
  const connected = { type: "connected", client: "c", cleanStart: false, session: "with_connection" } as const;
  const rig = new Rig()
    .apply(connected)
    .sub("c", "a")
    .apply({ ...connected, takesOver: true })
    .is("starting", "a");
  rig.apply(connected).is("starting");
});
