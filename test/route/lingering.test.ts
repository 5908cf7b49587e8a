/** Interest outlives a client that leaves by a moment, and an unsubscribe not at all: against a model that remembers everything. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Interest } from "../../src/route/interest.ts";
import type { InterestEdge, InterestEvent, SessionEnd } from "../../src/route/interest-event.ts";
import { LingeringEdges } from "../../src/route/lingering.ts";
import { RouteSet } from "../../src/route/route-set.ts";

/** At least for so long a route stands, and no longer than this. */
const STANDS_MS = 1_500;
const GONE_MS = 1_750;

function newInterest(): Interest {
  return new Interest(
    {
      ownClients: new Set(),
      ignoreClients: [],
      controlPrefix: "$LINK",
      rowsMax: 1_000,
      untrackedSubscriptions: 0,
      atStart: "none",
      trustAfterMs: null,
    },
    0,
  );
}

function down(filter: string, group: string | null = null): InterestEdge {
  return { filter, group, up: false };
}

function up(filter: string, group: string | null = null): InterestEdge {
  return { filter, group, up: true };
}

/** What is wanted, by the edges told so far; each must change something. */
class Told {
  readonly pairs = new Set<string>();
  count = 0;

  take(edges: readonly InterestEdge[]): void {
    for (const edge of edges) {
      const name = pairOf(edge.filter, edge.group);
      assert.equal(this.pairs.has(name), !edge.up, `${name} went ${edge.up ? "up" : "down"} twice`);
      if (edge.up) this.pairs.add(name);
      else this.pairs.delete(name);
      this.count += 1;
    }
  }
}

function pairOf(filter: string, group: string | null): string {
  return group === null ? filter : `$share/${group}/${filter}`;
}

/** Who holds what, and for each pair that nobody holds when and why the last one let go. */
class Model {
  readonly rows = new Map<string, Set<string>>();
  readonly #sessions = new Map<string, SessionEnd>();
  readonly #ends = new Map<string, { atMs: number; left: boolean }>();

  event(event: InterestEvent, nowMs: number): void {
    const before = this.#held();
    if (event.type === "subscribed") this.rows.get(event.client)?.add(event.filter);
    else if (event.type === "unsubscribed") this.rows.get(event.client)?.delete(event.filter);
    else if (event.type === "session_ended") this.rows.set(event.client, new Set());
    else if (event.type === "connected") {
      const isNew = event.cleanStart === true || this.#sessions.get(event.client) === "with_connection";
      if (isNew || !this.rows.has(event.client)) this.rows.set(event.client, new Set());
      this.#sessions.set(event.client, event.session);
    } else if (event.type === "disconnected" && this.#sessions.get(event.client) === "with_connection") {
      this.rows.set(event.client, new Set());
    }
    const after = this.#held();
    for (const pair of before)
      if (!after.has(pair)) this.#ends.set(pair, { atMs: nowMs, left: event.type !== "unsubscribed" });
  }

  /** Null: either is right. */
  wanted(pair: string, nowMs: number): boolean | null {
    if (this.#held().has(pair)) return true;
    const end = this.#ends.get(pair);
    if (end === undefined || !end.left || nowMs >= end.atMs + GONE_MS) return false;
    return nowMs < end.atMs + STANDS_MS ? true : null;
  }

  #held(): Set<string> {
    return new Set([...this.rows.values()].flatMap((filters) => [...filters]));
  }
}

const FILTERS = ["a", "b/#", "$share/g/a", "$share/h/a"] as const;
const step = fc.record({
  kind: fc.constantFrom("sub", "sub", "sub", "unsub", "connect", "disconnect", "disconnect", "end", "count"),
  client: fc.constantFrom("c", "d", "e"),
  filter: fc.constantFrom(...FILTERS),
  clean: fc.boolean(),
  session: fc.constantFrom<SessionEnd>("with_connection", "with_connection", "outlives_connection"),
  afterMs: fc.constantFrom(0, 0, 1, 249, 250, 400, 900, 1_499, 1_500, 2_000),
});

test("a pair stands while it is held and for a moment after its last client left, whatever happens", () => {
  let lingered = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const interest = newInterest();
      const model = new Model();
      const told = new Told();
      const connected = new Set<string>();
      let nowMs = 0;
      const happens = (event: InterestEvent): void => {
        told.take(interest.apply(event, nowMs).edges);
        model.event(event, nowMs);
      };
      for (const { kind, client, filter, clean, session, afterMs } of steps) {
        nowMs += afterMs;
        const isDue = interest.deadlineMs <= nowMs;
        const before = told.count;
        told.take(interest.tick(nowMs).edges);
        assert.equal(told.count > before, isDue, "the deadline is when something is due");
        assert.ok(interest.deadlineMs > nowMs, "what is due is done");
        if (kind === "connect" || (kind === "sub" && !connected.has(client))) {
          happens({ type: "connected", client, cleanStart: clean, session });
          connected.add(client);
        }
        if (kind === "sub") happens({ type: "subscribed", client, filter, certain: true });
        else if (kind === "unsub" && connected.has(client))
          happens({ type: "unsubscribed", client, filter, certain: true });
        else if (kind === "disconnect" && connected.delete(client)) happens({ type: "disconnected", client });
        else if (kind === "end" && !connected.has(client)) happens({ type: "session_ended", client });
        else if (kind === "count") {
          const rows = [...model.rows.values()].flatMap((filters) => [...filters]);
          const shared = rows.filter((row) => row.startsWith("$share/")).length;
          happens({ type: "count", plain: rows.length - shared, shared });
          assert.equal(interest.wide, null, "what lingers is not counted as held");
        }
        for (const pair of FILTERS) {
          const wanted = model.wanted(pair, nowMs);
          if (wanted !== null) assert.equal(told.pairs.has(pair), wanted, `${pair} at ${nowMs}`);
        }
        const { lingering, rows } = interest.stats;
        lingered += lingering;
        assert.equal(
          rows,
          [...model.rows.values()].reduce((sum, filters) => sum + filters.size, 0),
        );
        assert.equal(lingering, told.pairs.size - [...interest.edges()].length);
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(lingered > 100, `the steps do let pairs linger: ${lingered}`);
});

describe("a filter", () => {
  test("whose client comes back within a second has its route all the time", () => {
    const interest = newInterest();
    const routes = new RouteSet(["t/#"], 1_000);
    const happens = (event: InterestEvent, nowMs: number) => routes.apply(interest.apply(event, nowMs).edges);
    let nowMs = 0;
    let ops = 0;
    for (let round = 0; round < 20; round += 1) {
      for (const edge of interest.tick(nowMs).edges) ops += routes.apply([edge]).length;
      ops += happens({ type: "connected", client: "c", cleanStart: true, session: "with_connection" }, nowMs).length;
      ops += happens({ type: "subscribed", client: "c", filter: "t/1", certain: true }, nowMs).length;
      // Every second time it is taken over instead.
      if (round % 2 === 0) ops += happens({ type: "disconnected", client: "c" }, nowMs + 3_000).length;
      nowMs += round % 2 === 0 ? 4_000 : 1;
    }
    assert.equal(ops, 1);
    assert.deepEqual([...routes.routes()], [{ filter: "t/1", groups: [] }]);
  });

  test("that nobody comes back for goes at the deadline, together with those that left about then", () => {
    const lingering = new LingeringEdges();
    assert.equal(lingering.deadlineMs, Number.POSITIVE_INFINITY);
    for (const [n, nowMs] of [1_001, 1_100, 1_249, 1_251].entries())
      assert.deepEqual(lingering.pass([down(`t/${n}`)], true, nowMs), []);
    assert.equal(lingering.deadlineMs, 2_750);
    assert.deepEqual(lingering.due(2_749), []);
    assert.deepEqual(lingering.due(2_750), [down("t/0"), down("t/1"), down("t/2")]);
    assert.deepEqual([lingering.size, lingering.deadlineMs], [1, 3_000]);
  });

  test("that is unsubscribed goes at once, also when it lingered before and others linger", () => {
    const lingering = new LingeringEdges();
    assert.deepEqual(lingering.pass([down("a"), down("b")], true, 0), []);
    assert.deepEqual(lingering.pass([up("a")], false, 10), []);
    assert.deepEqual(lingering.pass([down("a")], false, 20), [down("a")]);
    assert.deepEqual(lingering.due(10_000), [down("b")]);
  });

  test("lingers apart from its groups", () => {
    const lingering = new LingeringEdges();
    assert.deepEqual(lingering.pass([down("a"), down("a", "g"), down("a", "h")], true, 0), []);
    assert.deepEqual(lingering.pass([up("a", "g")], false, 0), []);
    assert.deepEqual(lingering.pass([up("a", "i")], false, 0), [up("a", "i")]);
    assert.deepEqual(lingering.due(10_000), [down("a"), down("a", "h")]);
  });
});

test("past the limit filters go with their clients, counted, until there is room again", () => {
  const lingering = new LingeringEdges(2);
  assert.deepEqual(lingering.pass([down("a"), down("b"), down("c"), down("d")], true, 0), [down("c"), down("d")]);
  assert.deepEqual([lingering.size, lingering.overflows], [2, 2]);
  assert.deepEqual(lingering.due(10_000), [down("a"), down("b")]);
  assert.deepEqual(lingering.pass([down("e")], true, 10_000), []);
  assert.equal(lingering.overflows, 2);
});
