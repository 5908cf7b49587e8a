import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { combine, type Digest, EMPTY_DIGEST, routeDigest } from "../../src/base/digest.ts";
import type { InterestEdge } from "../../src/route/interest-event.ts";
import type { Route, RouteOp } from "../../src/route/route.ts";
import { RouteSet } from "../../src/route/route-set.ts";
import { intersect, minimalCover } from "../../src/topic/algebra.ts";
import { clientFilter, sorted, topicsOf } from "./arbitraries.ts";
import { countMapReads } from "./map-reads.ts";

const MANY = 1_000_000;

function up(filter: string, group: string | null = null): InterestEdge {
  return { filter, group, up: true };
}

function down(filter: string, group: string | null = null): InterestEdge {
  return { filter, group, up: false };
}

function add(filter: string, ...groups: string[]): RouteOp {
  return { op: "add", filter, groups };
}

function del(filter: string): RouteOp {
  return { op: "delete", filter };
}

function filtersOf(routes: RouteSet): string[] {
  return sorted([...routes.routes()].map(({ filter }) => filter));
}

function digestOf(routes: Iterable<Route>): Digest {
  let digest = EMPTY_DIGEST;
  for (const { filter, groups } of routes) digest = combine(digest, routeDigest(filter, groups));
  return digest;
}

test("interest is announced where it meets the link's topics", () => {
  const routes = new RouteSet(["t/#", "c/1"], MANY);
  assert.deepEqual(routes.apply([up("t/1"), up("+/1"), up("x")]), [add("t/1"), add("c/1")]);
  assert.equal(routes.size, 2);
  assert.deepEqual(routes.apply([down("t/1")]), []);
  assert.deepEqual(routes.apply([down("+/1")]), [del("t/1"), del("c/1")]);
  assert.equal(routes.size, 0);
});

test("a link that receives nothing never has a route", () => {
  const routes = new RouteSet([], MANY);
  assert.deepEqual(routes.apply([up("#"), up("a")]), []);
  assert.deepEqual(routes.setWide(true), []);
  assert.deepEqual([routes.size, routes.digest], [0, EMPTY_DIGEST]);
});

test("reserved filters and topics never become routes", () => {
  const routes = new RouteSet(["#", "$SYS/#"], MANY);
  assert.deepEqual(routes.setWide(true), [add("#")]);
  assert.deepEqual(routes.apply([up("$SYS/broker/uptime")]), []);
});

test("what a filter covered is announced in the same batch, before the filter goes", () => {
  const routes = new RouteSet(["#"], MANY);
  routes.apply([up("t/1"), up("t/2")]);
  assert.deepEqual(routes.apply([up("t/#")]), [add("t/#"), del("t/1"), del("t/2")]);
  assert.deepEqual(routes.apply([up("t/3")]), []);
  const ops = routes.apply([down("t/#")]);
  assert.deepEqual(
    ops
      .slice(0, 3)
      .map(({ filter }) => filter)
      .sort(),
    ["t/1", "t/2", "t/3"],
  );
  assert.deepEqual(ops.slice(3), [del("t/#")]);
});

test("what comes and goes within one call is not announced, and what goes and comes stays", () => {
  const routes = new RouteSet(["#"], MANY);
  routes.apply([up("a")]);
  assert.deepEqual(routes.apply([up("b"), down("b")]), []);
  assert.deepEqual(routes.apply([down("a"), up("a")]), []);
  assert.deepEqual(routes.apply([up("#"), up("c"), down("#")]), [add("c")]);
});

test("wide mode announces the topics, and leaves them only after what they covered", () => {
  const routes = new RouteSet(["t/#", "t/1", "c/1"], MANY);
  routes.apply([up("t/1")]);
  assert.deepEqual(routes.setWide(true), [add("t/#"), add("c/1"), del("t/1")]);
  assert.deepEqual(routes.setWide(true), []);
  assert.deepEqual(routes.apply([up("t/2")]), []);
  assert.deepEqual(routes.setWide(false), [add("t/1"), add("t/2"), del("t/#"), del("c/1")].sort(byOp));
  assert.deepEqual(filtersOf(routes), ["t/1", "t/2"]);
});

function byOp(a: RouteOp, b: RouteOp): number {
  return a.op < b.op ? -1 : a.op > b.op ? 1 : 0;
}

test("a route names its groups as long as every subscriber is shared", () => {
  const routes = new RouteSet(["#"], MANY);
  assert.deepEqual(routes.apply([up("t", "g2")]), [add("t", "g2")]);
  assert.deepEqual(routes.apply([up("t", "g1")]), [add("t", "g1", "g2")]);
  assert.deepEqual(routes.apply([up("t")]), [add("t")]);
  assert.deepEqual(routes.apply([down("t", "g2")]), []);
  assert.deepEqual(routes.apply([down("t")]), [add("t", "g1")]);
  assert.deepEqual(routes.digest, routeDigest("t", ["g1"]));
  assert.deepEqual(routes.apply([down("t", "g1")]), [del("t")]);
  assert.deepEqual(routes.digest, EMPTY_DIGEST);
});

test("wide mode makes a topic's route plain and gives it its groups back", () => {
  const routes = new RouteSet(["t"], MANY);
  routes.apply([up("t", "g")]);
  assert.deepEqual(routes.setWide(true), [add("t")]);
  assert.deepEqual(routes.setWide(false), [add("t", "g")]);
});

test("more than 16 groups, or very long ones, are announced as a plain route", () => {
  const routes = new RouteSet(["#"], MANY);
  const groups = Array.from({ length: 16 }, (_, i) => `g${i}`);
  assert.deepEqual(routes.apply(groups.map((group) => up("t", group))), [add("t", ...groups.sort())]);
  assert.deepEqual(routes.apply([up("t", "one more")]), [add("t")]);
  assert.deepEqual(routes.apply([down("t", "one more")]), [add("t", ...groups)]);
  assert.deepEqual(routes.apply([up("u", "g".repeat(4_096))]), [add("u", "g".repeat(4_096))]);
  assert.deepEqual(routes.apply([up("v", "g".repeat(4_097))]), [add("v")]);
});

test("a filter deeper than a peer takes is announced cut", () => {
  const deep = Array.from({ length: 201 }, () => "a").join("/");
  const routes = new RouteSet(["#"], MANY);
  routes.apply([up(deep)]);
  assert.deepEqual(filtersOf(routes), [`${"a/".repeat(199)}#`]);
  assert.deepEqual(routes.apply([down(deep)]).length, 1);
  assert.equal(routes.size, 0);
});

test("past the limit routes are cut to fewer levels, within the topics, and become exact again", () => {
  const routes = new RouteSet(["site/+/dev/#"], 10);
  const edges = Array.from({ length: 11 }, (_, i) => up(`site/${i % 2}/dev/${i}`, "g"));
  assert.equal(routes.apply(edges.slice(0, 10)).length, 10);
  assert.equal(routes.widened, false);
  const widen = routes.apply(edges.slice(10));
  assert.deepEqual(widen.slice(0, 2), [add("site/0/dev/#"), add("site/1/dev/#")]);
  assert.deepEqual(widen.length, 12);
  assert.deepEqual([routes.widened, routes.widenings, routes.size], [true, 1, 2]);
  const back = routes.apply(edges.slice(7).map(({ filter }) => down(filter, "g")));
  assert.deepEqual(
    back.slice(7).map(({ op }) => op),
    ["delete", "delete"],
  );
  assert.deepEqual(back[0]?.op === "add" ? back[0].groups : [], ["g"], "the groups are back too");
  assert.deepEqual([routes.widened, routes.widenings, routes.size], [false, 1, 7]);
});

test("a set that is past the limit only within a call is not widened", () => {
  const routes = new RouteSet(["#"], 3);
  routes.apply([up("a/1"), up("a/2"), up("b/1")]);
  assert.deepEqual(routes.apply([up("c/1"), down("b/1")]), [add("c/1"), del("b/1")]);
  routes.setWide(true);
  assert.equal(routes.setWide(false).length, 4);
  assert.deepEqual([routes.widenings, filtersOf(routes)], [0, ["a/1", "a/2", "c/1"]]);
});

test("covered interest takes no room in the limit", () => {
  const routes = new RouteSet(["#"], 3);
  routes.apply([up("t/#"), ...Array.from({ length: 50 }, (_, i) => up(`t/${i}`)), up("a/b"), up("a/c")]);
  assert.deepEqual([routes.widened, routes.size], [false, 3]);
});

interface Step {
  readonly edges: readonly { readonly filter: string; readonly group: string | null }[];
  readonly wide: boolean | null;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  edges: fc.array(fc.record({ filter: clientFilter, group: fc.constantFrom(null, null, "g", "h") }), {
    maxLength: 5,
  }),
  wide: fc.constantFrom(null, null, null, true, false),
});

/** Runs the steps (each edge toggles its pair) and checks after each what holds at any limit. */
function run(
  topics: readonly string[],
  routesMax: number,
  steps: readonly Step[],
  check: (routes: RouteSet, wanted: Route[]) => void,
): void {
  const routes = new RouteSet(topics, routesMax);
  const held = new Map<string, { filter: string; group: string | null }>();
  const folded = new Map<string, readonly string[]>();
  let wide = false;
  for (const step of steps) {
    const batch: InterestEdge[] = step.edges.map((pair) => {
      const key = JSON.stringify(pair);
      if (held.delete(key)) return { ...pair, up: false };
      held.set(key, pair);
      return { ...pair, up: true };
    });
    wide = step.wide ?? wide;
    const batches = [routes.apply(batch)];
    assert.deepEqual(routes.digest, digestOf(routes.routes()));
    if (step.wide !== null) batches.push(routes.setWide(step.wide));

    for (const ops of batches) {
      const kept = topicsOf(folded.keys());
      const final = new Map(folded);
      for (const op of ops) op.op === "add" ? final.set(op.filter, op.groups) : final.delete(op.filter);
      const always = new Set([...topicsOf(final.keys())].filter((topic) => kept.has(topic)));
      assert.equal(new Set(ops.map(({ filter }) => filter)).size, ops.length, "one operation per filter");
      for (const op of ops) {
        if (op.op === "add") {
          assert.notDeepEqual(folded.get(op.filter), op.groups, `${op.filter} is announced as it was`);
          folded.set(op.filter, op.groups);
        } else assert.equal(folded.delete(op.filter), true, `${op.filter} was not announced`);
        const now = topicsOf(folded.keys());
        for (const topic of always) assert.ok(now.has(topic), `${topic} is without a route on the way`);
      }
    }
    const announced = [...routes.routes()];
    assert.deepEqual(new Map(announced.map(({ filter, groups }) => [filter, groups])), folded);
    assert.deepEqual(routes.digest, digestOf(announced));
    assert.equal(routes.size, announced.length);
    assert.deepEqual(sorted(minimalCover([...folded.keys()])), sorted(folded.keys()), "no route covers another");
    check(routes, wantedOf(topics, [...held.values()], wide));
  }
}

/** From scratch: the minimal cover of all intersections, with the groups of each. */
function wantedOf(
  topics: readonly string[],
  pairs: readonly { filter: string; group: string | null }[],
  wide: boolean,
): Route[] {
  const sources = new Map<string, (string | null)[]>();
  const minimal = minimalCover(topics);
  for (const { filter, group } of [
    ...pairs,
    ...(wide ? minimal.map((topic) => ({ filter: topic, group: null })) : []),
  ]) {
    for (const topic of minimal) {
      const met = intersect(topic, filter);
      if (met !== null) sources.set(met, [...(sources.get(met) ?? []), group]);
    }
  }
  return minimalCover([...sources.keys()]).map((filter) => {
    const groups = sources.get(filter) ?? [];
    return { filter, groups: groups.includes(null) ? [] : sorted(new Set(groups.map(String))) };
  });
}

function byFilter(a: Route, b: Route): number {
  return a.filter < b.filter ? -1 : a.filter > b.filter ? 1 : 0;
}

const anyTopics = fc.array(clientFilter, { maxLength: 3 });

test("after any changes the routes are those computed from scratch, and no batch leaves a gap", () => {
  fc.assert(
    fc.property(anyTopics, fc.array(anyStep, { maxLength: 12 }), (topics, steps) => {
      run(topics, MANY, steps, (routes, wanted) => {
        assert.deepEqual([...routes.routes()].sort(byFilter), wanted.sort(byFilter));
        assert.equal(routes.widened, false);
      });
    }),
    { numRuns: 150 },
  );
});

test("under any limit the routes still reach all that is wanted and nothing beyond the topics", () => {
  fc.assert(
    fc.property(
      fc.array(clientFilter, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(anyStep, { maxLength: 12 }),
      (topics, routesMax, steps) => {
        run(topics, routesMax, steps, (routes, wanted) => {
          const reached = topicsOf(filtersOf(routes));
          const wantedTopics = topicsOf(wanted.map(({ filter }) => filter));
          const allowed = topicsOf(topics);
          for (const topic of wantedTopics) assert.ok(reached.has(topic), `${topic} is wanted`);
          for (const topic of reached) assert.ok(allowed.has(topic), `${topic} is beyond the topics`);
          assert.ok(routes.size <= Math.max(routesMax, topics.length));
          if (wanted.length < 0.8 * routesMax) assert.equal(routes.widened, false);
          if (wanted.length > routesMax) assert.equal(routes.widened, true);
          if (!routes.widened) assert.deepEqual([...routes.routes()].sort(byFilter), wanted.sort(byFilter));
          else for (const { groups } of routes.routes()) assert.deepEqual(groups, []);
        });
      },
    ),
    { numRuns: 150 },
  );
});

test("one subscription costs the same among 200,000 others", () => {
  const routes = new RouteSet(["site/#"], MANY);
  routes.apply([up("site/1/dev/1/state"), up("site/1/dev/2/state"), up("site/2/dev/1/state")]);
  const cost = (): number =>
    countMapReads(() => {
      assert.deepEqual(routes.apply([up("site/1/dev/x/state")]), [add("site/1/dev/x/state")]);
      assert.deepEqual(routes.apply([down("site/1/dev/x/state")]), [del("site/1/dev/x/state")]);
    });
  const before = cost();
  routes.apply(Array.from({ length: 200_000 }, (_, i) => up(`site/${i % 200}/dev/${i + 10}/state`)));
  const after = cost();
  assert.equal(routes.size, 200_003);
  assert.ok(after <= before + 8, `${before} lookups among 3 routes, ${after} among 200,000`);
});
