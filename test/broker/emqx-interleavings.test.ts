/** Events and pages of the list in every order that a seed brings: what is held is never missing, and what is gone goes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EmqxAdapter } from "../../src/broker/emqx.ts";
import { Interest } from "../../src/route/interest.ts";
import { EmqxModel, EVENT_DELAY_MAX_MS } from "./emqx-model.ts";
import { encoder, FakeSession, Recorder, seeded } from "./recorder.ts";

const POLL_MS = 2_000;
const CHECK_EVERY_MS = 40;
/** Two lists of many slow pages: the first may still be restless. */
const RESTS_MS = 16_000;

class World extends Recorder {
  readonly model: EmqxModel;
  readonly adapter: EmqxAdapter;
  readonly interest: Interest;
  readonly session = new FakeSession("OWN");
  isUp = false;

  constructor(seed: number, pageRows: number) {
    super();
    const random = seeded(seed);
    this.model = new EmqxModel(random, (topic, payload) => {
      if (this.isUp) this.adapter.message(topic, payload, false, this.model.nowMs);
    });
    this.interest = new Interest(
      {
        ownClients: new Set(["OWN"]),
        ignoreClients: [],
        controlPrefix: "$LINK",
        rowsMax: 1_000,
        untrackedSubscriptions: 0,
        atStart: "unknown",
        trustAfterMs: null,
      },
      this.model.nowMs,
    );
    this.adapter = new EmqxAdapter(
      { cluster: "a", controlPrefix: "$LINK", sink: this, random },
      { transport: this.model, pollIntervalMs: POLL_MS, pageRows },
    );
  }

  override event(event: Parameters<Recorder["event"]>[0]): void {
    super.event(event);
    this.interest.apply(event, this.model.nowMs);
  }

  connect(): void {
    const { nowMs } = this.model;
    this.isUp = true;
    this.adapter.up(this.session, { sessionPresent: false, awayMs: null }, nowMs);
    const probe = this.session.subscribed.flat().findLast((filter) => filter.includes("/probe-"));
    for (const answer of this.session.waiting.splice(0)) answer([0]);
    const payload = encoder.encode(JSON.stringify({ clientid: "OWN", topic: probe }));
    this.adapter.message("$SYS/brokers/n1/clients/OWN/subscribed", payload, false, nowMs);
  }

  disconnect(): void {
    this.isUp = false;
    this.adapter.down(this.model.nowMs);
  }

  /** Goes on for so long; `check` looks in now and then. */
  live(ms: number, check: () => void = () => {}): void {
    const endMs = this.model.nowMs + ms;
    let checkMs = this.model.nowMs;
    while (this.model.nowMs < endMs) {
      const deadlineMs = Math.max(this.adapter.deadlineMs, this.model.nowMs);
      this.model.run(Math.min(this.model.nextMs, deadlineMs, checkMs, endMs));
      this.adapter.tick(this.model.nowMs);
      this.interest.tick(this.model.nowMs);
      if (this.model.nowMs < checkMs) continue;
      checkMs += CHECK_EVERY_MS;
      check();
    }
  }

  rows(): string[] {
    return [...this.interest.rows()].flatMap((row) => (row === null ? [] : `${row.client} ${row.filter}`)).sort();
  }
}

function missing(world: World): string[] {
  const known = new Set(world.rows());
  return world.model.held(EVENT_DELAY_MAX_MS).filter((row) => !known.has(row));
}

for (const [pages, pageRows] of [
  ["one page", 1_000],
  ["many pages", 4],
] as const) {
  describe(`the list in ${pages}`, () => {
    test("while it is exact, every row that is held is known; when clients rest, nothing else is", () => {
      let exactChecks = 0;
      for (let seed = 1; seed <= 150; seed += 1) {
        const world = new World(seed, pageRows);
        world.live(3_000);
        world.connect();
        world.live(20_000, () => {
          if (world.interest.wide !== null) return;
          exactChecks += 1;
          const trail = world.events.length;
          assert.deepEqual(missing(world), [], `seed ${seed}, event ${trail}`);
        });
        world.model.quiet = true;
        world.live(RESTS_MS);
        assert.deepEqual(world.rows(), world.model.held(0), `seed ${seed}`);
        assert.equal(world.interest.wide, null, `seed ${seed}`);
      }
      assert.ok(exactChecks > 20_000, `${exactChecks} checks`);
    });

    test("a cut of the events session, at any moment: wide until the list has made up for it", () => {
      let exactChecks = 0;
      for (let seed = 1; seed <= 60; seed += 1) {
        const world = new World(seed, pageRows);
        const check = (): void => {
          if (world.interest.wide !== null) return;
          exactChecks += 1;
          assert.deepEqual(missing(world), [], `seed ${seed}`);
        };
        world.connect();
        for (let cut = 0; cut < 4; cut += 1) {
          world.live(1_500 + 977 * ((seed + cut) % 5), check);
          world.disconnect();
          world.live(700);
          world.connect();
          assert.equal(world.interest.wide === null, false, `seed ${seed}: a cut is a gap`);
        }
        world.live(10_000, check);
        world.model.quiet = true;
        world.live(RESTS_MS);
        assert.deepEqual(world.rows(), world.model.held(0), `seed ${seed}`);
        assert.equal(world.interest.wide, null, `seed ${seed}`);
      }
      assert.ok(exactChecks > 1_000, `${exactChecks} checks`);
    });

    test("what lost events left behind, the list mends", () => {
      for (let seed = 1; seed <= 100; seed += 1) {
        const world = new World(seed, pageRows);
        world.connect();
        world.model.loses = 0.3;
        world.live(15_000);
        world.model.quiet = true;
        world.live(RESTS_MS);
        assert.deepEqual(world.rows(), world.model.held(0), `seed ${seed}`);
        const { added, removed } = world.interest.stats.mended;
        assert.ok(added > 0 && removed > 0, `seed ${seed}: ${added} added, ${removed} removed`);
      }
    });
  });
}
