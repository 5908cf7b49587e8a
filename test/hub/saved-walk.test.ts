/**
 * Snapshots are walked through over many turns. What the walk hands out must, together with what is told piece by piece
 * meanwhile, be the whole state at its end: each entry that nobody touched has to come, however the tables change under it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EMPTY_DIGEST } from "../../src/base/digest.ts";
import { DigestedRoutes } from "../../src/route/digested-routes.ts";
import type { InterestEdge } from "../../src/route/interest-event.ts";
import { PeerRoutes } from "../../src/route/peer-routes.ts";
import { SubscriptionTable } from "../../src/route/subscription-table.ts";
import { linkOptions, pair } from "./world.ts";

/** A snapshot as the journal makes it: a key that was told anew is not taken from the walk. */
class Walk {
  readonly kept = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #keys: Iterator<string | null>;

  constructor(keys: Iterable<string | null>) {
    this.#keys = keys[Symbol.iterator]();
  }

  step(): boolean {
    const { done, value } = this.#keys.next();
    if (done === true) return false;
    if (value !== null && !this.#changed.has(value)) this.kept.add(value);
    return true;
  }

  told(key: string, isThere: boolean): void {
    this.#changed.add(key);
    if (isThere) this.kept.add(key);
    else this.kept.delete(key);
  }

  whole(): string[] {
    while (this.step());
    return [...this.kept].sort();
  }
}

test("a peer's routes that change, age and are replaced while they are walked through", () => {
  const filter = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constantFrom("add", "add", "delete"), filter }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("speaker", "clear"), filter }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("set"), filters: fc.uniqueArray(filter) }) },
  );
  const steps = fc.array(fc.record({ step, walked: fc.nat(2) }), { maxLength: 25 });
  fc.assert(
    fc.property(steps, steps, fc.integer({ min: 3, max: 7 }), (before, during, routesMax) => {
      const routes = new PeerRoutes(routesMax);
      let walk: Walk | null = null;
      for (const [part, all] of [before, during].entries()) {
        if (part === 1) walk = new Walk(routes.walk());
        for (const { step: each, walked } of all) {
          for (const { filter: name, up } of edgesOf(routes, each)) walk?.told(name, up);
          for (let times = 0; times < walked; times += 1) walk?.step();
        }
      }
      assert.deepEqual(walk?.whole(), [...routes.effective()].sort());
    }),
    { numRuns: 2_000 },
  );
});

type RouteStep = { what: string; filter: string } | { what: string; filters: string[] };

function edgesOf(routes: PeerRoutes, step: RouteStep): readonly { readonly filter: string; readonly up: boolean }[] {
  if ("filters" in step) {
    const set = new DigestedRoutes();
    for (const filter of step.filters) set.set(filter, []);
    routes.beginBootstrap();
    routes.stage(step.filters.map((filter) => ({ op: "add" as const, filter, groups: [] })));
    const result = routes.commit({ op: 1, count: set.size, digest: set.size === 0 ? EMPTY_DIGEST : set.digest });
    return result.ok ? result.edges : [];
  }
  if (step.what === "speaker") return routes.newSpeaker();
  if (step.what === "clear") return routes.clear();
  const { filter } = step;
  const result = routes.apply(step.what === "add" ? { op: "add", filter, groups: [] } : { op: "delete", filter });
  return result.ok ? result.edges : [];
}

test("subscriptions that come and go, with their clients, while they are walked through", () => {
  const event = fc.record({
    kind: fc.constantFrom("sub", "sub", "sub", "unsub", "clean", "end", "disconnect"),
    client: fc.constantFrom("c", "d", "e", "me"),
    filter: fc.constantFrom("a", "b", "c", "$SYS/x"),
    walked: fc.nat(3),
    told: fc.boolean(),
  });
  const events = fc.array(event, { maxLength: 25 });
  fc.assert(
    fc.property(events, events, (before, during) => {
      const edges: InterestEdge[] = [];
      const options = { ownClients: new Set(["me"]), ignoreClients: [], controlPrefix: "$LINK", rowsMax: 100 };
      const table = new SubscriptionTable(options);
      const keys = function* (): Generator<string | null> {
        for (const row of table.interestRows()) yield row === null ? null : `${row.client} ${row.filter}`;
      };
      let walk: Walk | null = null;
      const tell = () => {
        for (const { client, filter, isHeld } of table.changes.take()) walk?.told(`${client} ${filter}`, isHeld);
      };
      for (const [part, all] of [before, during].entries()) {
        tell();
        if (part === 1) walk = new Walk(keys());
        for (const { kind, client, filter, walked, told } of all) {
          if (kind === "sub") table.subscribed(client, filter, true, edges);
          else if (kind === "unsub") table.unsubscribed(client, filter, true, edges);
          else if (kind === "clean") table.connected(client, true, "outlives_connection", edges);
          else if (kind === "end") table.sessionEnded(client, edges);
          else table.disconnected(client, edges);
          // The walk may go on in the middle of a turn, the changes are told at its end.
          if (told) tell();
          for (let times = 0; times < walked; times += 1) walk?.step();
        }
      }
      tell();
      assert.deepEqual(walk?.whole(), [...keys()].filter((key) => key !== null).sort());
    }),
    { numRuns: 2_000 },
  );
});

test("links that come and go in the middle of a walk lose nothing that is known of their peers", () => {
  for (const what of ["off", "on", "off and on"]) {
    const { world, a, b } = pair();
    a.subscribe("t/#");
    world.settle();
    b.publish("t/1", "x");
    world.settle();
    if (what === "on") a.hub.changes.remove("b", world.nowMs);
    a.turn();
    const told = new Map(a.saved);
    assert.deepEqual([...told.keys()].map((key) => key.split("/")[0]).sort(), ["peer", "record", "row"], what);
    const walk = a.hub.saved();
    if (what !== "on") a.hub.changes.remove("b", world.nowMs);
    if (what !== "off") a.hub.changes.add(linkOptions("b"), world.nowMs);
    a.turn();
    const whole = new Map([...walk].filter((entry) => entry !== null));
    for (const [key, value] of a.saved) assert.ok(whole.has(key) || told.get(key) !== value, `${what}: ${key}`);
    assert.equal(a.saved.size, 3, what);
  }
});
