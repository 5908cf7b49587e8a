import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { combine, type Digest, digestEquals, EMPTY_DIGEST, routeDigest } from "../../src/base/digest.ts";
import { type PeerRouteEdge, PeerRoutes } from "../../src/route/peer-routes.ts";
import type { RouteOp } from "../../src/route/route.ts";
import { LEVELS_MAX } from "../../src/topic/filter.ts";
import type { RoutesMark } from "../../src/wire/message.ts";
import { sorted } from "./arbitraries.ts";

function add(filter: string, ...groups: string[]): RouteOp {
  return { op: "add", filter, groups };
}

function del(filter: string): RouteOp {
  return { op: "delete", filter };
}

function digestOf(ops: Iterable<RouteOp>): Digest {
  let digest = EMPTY_DIGEST;
  for (const op of ops) if (op.op === "add") digest = combine(digest, routeDigest(op.filter, op.groups));
  return digest;
}

function markOf(ops: readonly RouteOp[], op = 1): RoutesMark {
  return { op, count: ops.length, digest: digestOf(ops) };
}

function edges(text: string): PeerRouteEdge[] {
  return text.split(" ").map((edge) => ({ filter: edge.slice(1), up: edge.startsWith("+") }));
}

/** A set that took over the filters in a bootstrap. */
function bootstrapped(routesMax: number, ...filters: string[]): PeerRoutes {
  const routes = new PeerRoutes(routesMax);
  bootstrap(routes, ...filters);
  return routes;
}

function bootstrap(routes: PeerRoutes, ...filters: string[]): readonly PeerRouteEdge[] {
  const ops = filters.map((filter) => add(filter));
  routes.beginBootstrap();
  assert.equal(routes.stage(ops), true);
  const result = routes.commit(markOf(ops));
  assert.ok(result.ok);
  return result.edges;
}

function edgesOf(routes: PeerRoutes, op: RouteOp): readonly PeerRouteEdge[] {
  const result = routes.apply(op);
  assert.ok(result.ok);
  return result.edges;
}

test("operations change what is in force, repeated ones do not", () => {
  const routes = bootstrapped(10);
  assert.deepEqual(edgesOf(routes, add("a")), edges("+a"));
  assert.deepEqual(edgesOf(routes, add("a")), []);
  assert.deepEqual(edgesOf(routes, del("b")), []);
  assert.deepEqual(edgesOf(routes, del("a")), edges("-a"));
  assert.deepEqual([routes.size, routes.effectiveSize, routes.digest], [0, 0, EMPTY_DIGEST]);
});

test("new groups of a route change its digest and nothing in force", () => {
  const routes = bootstrapped(10, "a");
  assert.deepEqual(edgesOf(routes, add("a", "g")), []);
  assert.deepEqual([routes.size, routes.digest], [1, routeDigest("a", ["g"])]);
});

test("a bootstrap takes over in one step, adds first", () => {
  const routes = bootstrapped(10, "a", "b");
  routes.beginBootstrap();
  routes.stage([add("b")]);
  routes.stage([add("c")]);
  assert.deepEqual(sorted(routes.effective()), ["a", "b"]);
  assert.deepEqual(routes.commit(markOf([add("b"), add("c")])), { ok: true, edges: edges("+c -a") });
  assert.deepEqual(sorted(routes.effective()), ["b", "c"]);
});

test("a bootstrap that does not fit its mark changes nothing", () => {
  const routes = bootstrapped(10, "a");
  for (const [mark, problem] of [
    [markOf([add("b"), add("c")]), "count"],
    [markOf([add("c")]), "digest"],
    [markOf([add("b", "g")]), "digest"],
  ] as const) {
    routes.beginBootstrap();
    routes.stage([add("b")]);
    assert.deepEqual(routes.commit(mark), { ok: false, problem });
    assert.deepEqual([sorted(routes.effective()), routes.complete, routes.size], [["a"], true, 1]);
  }
  assert.deepEqual(routes.commit(markOf([add("b")])), { ok: false, problem: "count" }, "it was dropped");
});

test("a bootstrap that begins again forgets what was staged, as does one that is abandoned", () => {
  const routes = bootstrapped(10, "a");
  routes.beginBootstrap();
  routes.stage([add("x")]);
  assert.deepEqual(bootstrap(routes, "a", "b"), edges("+b"));
  routes.beginBootstrap();
  routes.stage([add("x")]);
  routes.abandonStaging();
  assert.equal(routes.commit(markOf([add("x")])).ok, false);
});

test("an earlier life's routes stay in force until the new set is complete", () => {
  const routes = bootstrapped(10, "a", "b");
  assert.deepEqual(routes.newSpeaker(), []);
  assert.deepEqual([routes.complete, routes.size, routes.effectiveSize], [false, 0, 2]);
  assert.deepEqual(edgesOf(routes, add("a")), []);
  assert.deepEqual(edgesOf(routes, add("c")), edges("+c"));
  assert.deepEqual(edgesOf(routes, del("a")), []);
  assert.deepEqual(edgesOf(routes, del("c")), edges("-c"));
  assert.deepEqual(bootstrap(routes, "b", "d"), edges("+d -a"));
  assert.deepEqual([routes.complete, routes.effectiveSize], [true, 2]);
});

test("leaving drops all, of every life", () => {
  const routes = bootstrapped(10, "a");
  routes.newSpeaker();
  routes.apply(add("b"));
  assert.deepEqual(sorted(routes.clear().map(({ filter, up }) => `${up}${filter}`)), ["falsea", "falseb"]);
  assert.deepEqual([routes.size, routes.effectiveSize, routes.complete], [0, 0, false]);
  assert.deepEqual(routes.clear(), []);
});

test("at the limit every route is kept; one more widens to everything and keeps none", () => {
  const routes = bootstrapped(2, "a", "b");
  assert.deepEqual(edgesOf(routes, add("a", "g")), []);
  assert.equal(routes.overflow, false);
  assert.deepEqual(edgesOf(routes, add("c")), edges("+# -a -b"));
  assert.deepEqual([routes.overflow, routes.overflows, routes.size, routes.effectiveSize], [true, 1, 0, 1]);
  assert.deepEqual([...routes.effective()], ["#"]);
  for (const op of [add("d"), del("a"), add("#"), del("#")]) assert.deepEqual(edgesOf(routes, op), []);
  assert.deepEqual([...routes.effective()], ["#"]);
});

test("only a bootstrap that fits ends the overflow", () => {
  const routes = bootstrapped(2, "a", "b");
  routes.apply(add("c"));
  const three = [add("a"), add("b"), add("c")];
  routes.beginBootstrap();
  assert.equal(routes.stage(three), true);
  assert.deepEqual(routes.commit(markOf(three)), { ok: true, edges: [] });
  assert.deepEqual([routes.overflow, routes.overflows, routes.complete], [true, 2, true]);
  assert.deepEqual([routes.fits(2), routes.fits(3)], [true, false]);
  assert.deepEqual(bootstrap(routes, "a", "d"), edges("+a +d -#"));
  assert.deepEqual([routes.overflow, sorted(routes.effective())], [false, ["a", "d"]]);
});

test("a bootstrap past the limit widens when it is complete, not before", () => {
  const routes = bootstrapped(2, "a", "#");
  const three = [add("a"), add("b"), add("c")];
  routes.beginBootstrap();
  routes.stage(three);
  assert.deepEqual([routes.overflow, sorted(routes.effective())], [false, ["#", "a"]]);
  assert.deepEqual(routes.commit(markOf(three)), { ok: true, edges: edges("-a") });
  assert.equal(routes.overflow, true);
});

test("a bootstrap past the limit whose mark says it fits is wrong", () => {
  const routes = bootstrapped(2, "a");
  routes.beginBootstrap();
  routes.stage([add("a"), add("b"), add("c")]);
  assert.deepEqual(routes.commit(markOf([add("a"), add("b")])), { ok: false, problem: "count" });
  assert.deepEqual([routes.overflow, sorted(routes.effective())], [false, ["a"]]);
});

test("a new life inherits the overflow as one stale route", () => {
  const routes = bootstrapped(1, "a");
  routes.apply(add("b"));
  assert.deepEqual(routes.newSpeaker(), []);
  assert.deepEqual([[...routes.effective()], routes.overflow], [["#"], false]);
  assert.deepEqual(bootstrap(routes, "b"), edges("+b -#"));
});

test("lives that end unfinished do not heap up their routes", () => {
  const routes = bootstrapped(2, "a", "b");
  routes.newSpeaker();
  routes.apply(add("c"));
  assert.deepEqual(routes.newSpeaker(), edges("+# -a -b -c"));
  assert.deepEqual([[...routes.effective()], routes.overflows], [["#"], 1]);
  assert.deepEqual(bootstrap(routes, "c"), edges("+c -#"));
});

function addsFirst(a: PeerRouteEdge, b: PeerRouteEdge): number {
  return Number(b.up) - Number(a.up);
}

test("rubbish is refused and changes nothing", () => {
  const deep = Array.from({ length: LEVELS_MAX + 1 }, () => "a").join("/");
  const bad: RouteOp[] = [
    ...["", "a/#/b", "a+", "$SYS/#", "$share/g/a", "a\0b", "\ud800", deep, "+/#", "a".repeat(65_536)].flatMap(
      (filter) => [add(filter), del(filter)],
    ),
    add("a", ""),
    add("a", "g/h"),
    add("a", "g+"),
    add("a", "g\0h"),
    add("a", ...Array.from({ length: 17 }, (_, i) => `g${i}`)),
  ];
  for (const op of bad) {
    const routes = bootstrapped(10, "x");
    assert.deepEqual(routes.apply(op), { ok: false, problem: "bad_filter" }, op.filter.slice(0, 20));
    routes.beginBootstrap();
    assert.equal(routes.stage([add("y"), op]), false);
    assert.equal(routes.commit(markOf([add("y")])).ok, false, "what was staged before it is gone");
    assert.deepEqual(sorted(routes.effective()), ["x"]);
  }
});

/** The same rules, written as plainly as can be. */
class Model {
  live = new Map<string, RouteOp>();
  stale = new Set<string>();
  staging: Map<string, RouteOp> | null = null;
  overflow = false;
  complete = false;

  effective(): Set<string> {
    return this.overflow ? new Set(["#"]) : new Set([...this.live.keys(), ...this.stale]);
  }

  apply(op: RouteOp, routesMax: number): void {
    if (this.overflow) return;
    if (op.op === "delete") this.live.delete(op.filter);
    else this.live.set(op.filter, op);
    if (this.live.size > routesMax) this.#overflown();
  }

  stage(op: RouteOp): void {
    this.staging ??= new Map();
    if (op.op === "add") this.staging.set(op.filter, op);
  }

  /** Answers whether it went through. */
  commit(mark: RoutesMark, routesMax: number): boolean {
    const staged = this.staging;
    this.staging = null;
    if (staged === null) return false;
    if (staged.size > routesMax) {
      if (mark.count <= routesMax) return false;
      this.#overflown();
    } else {
      if (mark.count !== staged.size || !digestEquals(mark.digest, digestOf(staged.values()))) return false;
      this.live = staged;
      this.stale = new Set();
      this.overflow = false;
    }
    this.complete = true;
    return true;
  }

  newSpeaker(routesMax: number): void {
    const remains = this.effective();
    this.stale = this.stale.size > 0 && remains.size > routesMax ? new Set(["#"]) : remains;
    this.live = new Map();
    this.staging = null;
    this.overflow = false;
    this.complete = false;
  }

  #overflown(): void {
    this.overflow = true;
    this.live = new Map();
    this.stale = new Set();
  }
}

test("after any conversation the set in force is the model's, and the edges say so", () => {
  const filter = fc.constantFrom("a", "b", "c", "d", "#", "e/+");
  const op: fc.Arbitrary<RouteOp> = fc.oneof(
    fc.record({ op: fc.constant("add" as const), filter, groups: fc.constantFrom([], ["g"]) }),
    fc.record({ op: fc.constant("delete" as const), filter }),
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant("apply" as const), op }) },
    { weight: 6, arbitrary: fc.record({ what: fc.constant("stage" as const), op }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant("commit" as const), wrong: fc.integer({ min: 0, max: 3 }) }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constantFrom("begin" as const, "speaker" as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("clear" as const, "abandon" as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.integer({ min: 1, max: 4 }), (steps, routesMax) => {
      const routes = new PeerRoutes(routesMax);
      let model = new Model();
      const folded = new Set<string>();
      for (const turn of steps) {
        let changes: readonly PeerRouteEdge[] = [];
        switch (turn.what) {
          case "apply":
            model.apply(turn.op, routesMax);
            changes = edgesOf(routes, turn.op);
            break;
          case "stage":
            if (turn.op.op === "delete") break;
            model.stage(turn.op);
            assert.equal(routes.stage([turn.op]), true);
            break;
          case "commit": {
            const right = markOf([...(model.staging ?? new Map<string, RouteOp>()).values()]);
            const mark =
              turn.wrong === 1
                ? { ...right, count: right.count + 1 }
                : turn.wrong === 2
                  ? { ...right, digest: routeDigest("z", []) }
                  : right;
            const result = routes.commit(mark);
            assert.equal(result.ok, model.commit(mark, routesMax));
            if (result.ok) changes = result.edges;
            break;
          }
          case "begin":
            model.staging = new Map();
            routes.beginBootstrap();
            break;
          case "abandon":
            model.staging = null;
            routes.abandonStaging();
            break;
          case "speaker":
            model.newSpeaker(routesMax);
            changes = routes.newSpeaker();
            break;
          case "clear":
            model = new Model();
            changes = routes.clear();
            break;
        }
        assert.deepEqual(changes, [...changes].sort(addsFirst), "adds first");
        for (const edge of changes) {
          assert.equal(folded.has(edge.filter), !edge.up, `${edge.filter} changes`);
          if (edge.up) folded.add(edge.filter);
          else folded.delete(edge.filter);
        }
        const expected = sorted(model.effective());
        assert.deepEqual(sorted(folded), expected);
        assert.deepEqual(sorted(routes.effective()), expected);
        assert.equal(routes.effectiveSize, expected.length);
        assert.equal(routes.size, model.live.size);
        assert.deepEqual(routes.digest, digestOf(model.live.values()));
        assert.deepEqual([routes.complete, routes.overflow], [model.complete, model.overflow]);
      }
    }),
    { numRuns: 500 },
  );
});
