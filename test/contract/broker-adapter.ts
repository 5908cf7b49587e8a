/**
 * What every broker adapter must make of the same doings of clients, on a live broker. One suite for all: a `World` lets
 * clients do things, an `EventsWatch` shows what the adapter made of them.
 *
 * The promise under test: what a client holds is never missing. Where a broker does not say that a row is gone, the world
 * says so in `Forgets`, and the row may stay.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import type { EventsWatch } from "./events-watch.ts";

/** A connected client. Each call returns when the broker has acknowledged it, where it acknowledges anything. */
export interface WorldClient {
  subscribe(...filters: string[]): Promise<void>;
  unsubscribe(...filters: string[]): Promise<void>;
  /** Ends with a DISCONNECT. */
  end(): Promise<void>;
  /** The socket goes away without a word. */
  kill(): Promise<void>;
}

export interface World {
  readonly watch: EventsWatch;
  /** An MQTT 3.1.1 client. */
  connect(id: string, how: { clean: boolean }): Promise<WorldClient>;
  /** A client that subscribes and never sends anything again; keepalive one second. */
  connectSilent(id: string, filter: string): Promise<void>;
  stop(): Promise<void>;
}

/** What the broker does not tell, so that rows of the past stay: forwarded too much, never too little. */
export interface Forgets {
  /** A clean connect in place of a persistent session says nothing of the rows it wiped. */
  readonly wipes: boolean;
  /** Lines of the time away are queued for the events session. */
  readonly queues: boolean;
}

export function brokerAdapterContract(name: string, forgets: Forgets, open: () => Promise<World>): void {
  // One thing after the other, whatever runs beside it.
  describe(`the adapter for ${name}`, { concurrency: false }, () => {
    let world: World;
    let watch: EventsWatch;
    before(async () => {
      world = await open();
      watch = world.watch;
      await watch.up();
      await watch.answered();
    });
    after(async () => {
      await watch.close();
      await world.stop();
    });

    test("follows subscribe, repeated subscribe, unsubscribe and shared subscriptions", async () => {
      const client = await world.connect("c1", { clean: true });
      await client.subscribe("a/b", "c/#", "d/+/e", "$share/g/t/1");
      await client.subscribe("a/b");
      await watch.settles(["c1 $share/g/t/1", "c1 a/b", "c1 c/#", "c1 d/+/e"]);
      await client.unsubscribe("c/#", "not/held", "$share/g/t/1");
      await watch.settles(["c1 a/b", "c1 d/+/e"]);
      await client.end();
      await watch.settles([]);
    });

    test("a clean client that is killed holds nothing any more", async () => {
      const client = await world.connect("killed", { clean: true });
      await client.subscribe("k/1", "k/2");
      await watch.settles(["killed k/1", "killed k/2"]);
      await client.kill();
      await watch.settles([]);
    });

    test("ids and filters that look like log lines are read as they are", async () => {
      const first = await world.connect("X 1 evil/topic", { clean: true });
      const second = await world.connect("X disconnected.", { clean: true });
      await first.subscribe("real/topic", "s p/1 c e");
      await second.subscribe("x y");
      await watch.settles(["X 1 evil/topic real/topic", "X 1 evil/topic s p/1 c e", "X disconnected. x y"]);
      await first.unsubscribe("s p/1 c e");
      await second.kill();
      await watch.settles(["X 1 evil/topic real/topic"]);
      await first.end();
      await watch.settles([]);
    });

    test("a takeover by a clean client leaves exactly what the new connection subscribed", async () => {
      const old = await world.connect("dup", { clean: true });
      await old.subscribe("dup/1", "dup/2");
      await watch.settles(["dup dup/1", "dup dup/2"]);
      const fresh = await world.connect("dup", { clean: true });
      await fresh.subscribe("dup/1", "dup/3");
      await watch.settles(["dup dup/1", "dup dup/3"]);
      await fresh.unsubscribe("dup/3");
      await watch.settles(["dup dup/1"]);
      await fresh.end();
      await watch.settles([]);
    });

    test("takeovers in a row never lose the last connection's rows", async () => {
      const FILTERS = ["row/a", "row/b", "row/c"];
      let last = await world.connect("row", { clean: true });
      await last.subscribe(...FILTERS);
      for (let turn = 0; turn < 10; turn += 1) {
        last = await world.connect("row", { clean: true });
        await last.subscribe(...FILTERS);
        await watch.settles(FILTERS.map((filter) => `row ${filter}`));
      }
      const marker = await world.connect("marker", { clean: true });
      await marker.subscribe("m");
      await watch.settles(["marker m", ...FILTERS.map((filter) => `row ${filter}`)]);
      await marker.end();
      await last.unsubscribe(...FILTERS);
      await last.end();
      // Where the end of ten connections cannot be told apart, rows may stay for a while; missing ones may not.
      const only = watch.rows().every((row) => row.startsWith("row ") || row.startsWith("marker "));
      assert.ok(only, watch.rows().join("; "));
      const cleaner = await world.connect("row", { clean: true });
      await cleaner.end();
    });

    test("a persistent session keeps its rows while the client is away, and gets them back", async () => {
      const first = await world.connect("keeps", { clean: false });
      await first.subscribe("p/1", "p/2");
      await first.end();
      await watch.event("down keeps");
      assert.deepEqual(mine(watch, "keeps"), ["keeps p/1", "keeps p/2"]);
      const again = await world.connect("keeps", { clean: false });
      await again.unsubscribe("p/1");
      await again.subscribe("p/3");
      await has(watch, "keeps p/3");
      assert.ok(mine(watch, "keeps").includes("keeps p/2"));
      await again.kill();
      const taken = await world.connect("keeps", { clean: false });
      const takes = await world.connect("keeps", { clean: false });
      await takes.subscribe("p/4");
      await has(watch, "keeps p/4");
      for (const row of ["keeps p/2", "keeps p/3"]) assert.ok(mine(watch, "keeps").includes(row), row);
      await taken.kill();
      await takes.end();
      const wiping = await world.connect("keeps", { clean: true });
      await wiping.subscribe("p/5");
      await has(watch, "keeps p/5");
      if (!forgets.wipes) assert.deepEqual(mine(watch, "keeps"), ["keeps p/5"]);
      await wiping.end();
      if (!forgets.wipes) await holdsNothing(watch, "keeps");
    });

    test("a client that falls silent holds nothing after its keepalive", async () => {
      await world.connectSilent("silent", "k/a");
      await watch.event("+silent k/a");
      await holdsNothing(watch, "silent", 15_000);
    });

    test("nothing is forgotten while the events session is away, and a gap is said where lines were lost", async () => {
      const client = await world.connect("stays", { clean: true });
      await client.subscribe("s/1");
      await has(watch, "stays s/1");
      await watch.drop();
      await client.subscribe("s/2");
      const seen = watch.texts().length;
      await watch.up();
      assert.ok(mine(watch, "stays").includes("stays s/1"));
      if (forgets.queues) await has(watch, "stays s/2");
      else assert.ok(watch.texts().slice(seen).includes("gap events_dropped"), watch.texts().slice(seen).join(", "));
      await client.subscribe("s/3");
      await has(watch, "stays s/3");
      await client.end();
    });
  });
}

function mine(watch: EventsWatch, client: string): string[] {
  return watch.rows().filter((row) => row.startsWith(`${client} `));
}

async function has(watch: EventsWatch, row: string): Promise<void> {
  await until(`the row ${row}`, () => watch.rows().includes(row) || watch.rows().join("; "));
}

async function holdsNothing(watch: EventsWatch, client: string, timeoutMs?: number): Promise<void> {
  await until(
    `no rows of ${client}`,
    () => mine(watch, client).length === 0 || mine(watch, client).join("; "),
    timeoutMs,
  );
}
