import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ApiAnswer, ApiTransport } from "../../src/broker/api-transport.ts";
import { SubscriptionPoll } from "../../src/broker/subscription-poll.ts";
import type { ApiProblem } from "../../src/ops/broker-api-status.ts";
import type { InterestEvent } from "../../src/route/interest-event.ts";
import { encoder, Recorder } from "./recorder.ts";

const SETTLE_MS = 1_000;
const TAIL_MS = 250;
const INTERVAL_MS = 30_000;

class Transport implements ApiTransport {
  readonly asked: string[] = [];
  cancelled = 0;
  #done: ((answer: ApiAnswer) => void) | null = null;

  get(path: string, done: (answer: ApiAnswer) => void): void {
    this.asked.push(path);
    this.#done = done;
  }
  cancel(): void {
    this.cancelled += 1;
  }
  /** Also after it was cancelled, as a careless transport would. */
  answer(answer: ApiAnswer): void {
    const done = this.#done;
    this.#done = null;
    done?.(answer);
  }
}

class Sink extends Recorder {
  readonly problems: (ApiProblem | null)[] = [];
  apiProblem(problem: ApiProblem | null): void {
    this.problems.push(problem);
  }
}

class PollRig {
  readonly sink = new Sink();
  readonly transport = new Transport();
  readonly poll: SubscriptionPoll;
  nowMs = 1_000_000;

  constructor(pageRows = 2) {
    this.poll = new SubscriptionPoll({
      sink: this.sink,
      transport: this.transport,
      intervalMs: INTERVAL_MS,
      pageRows,
      random: () => 0.5,
    });
  }

  /** Time goes on; what is due is done. */
  pass(ms: number): this {
    const endMs = this.nowMs + ms;
    while (this.poll.deadlineMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.poll.deadlineMs);
      this.poll.tick(this.nowMs);
    }
    this.nowMs = endMs;
    return this;
  }

  /** The first list is asked for. */
  asking(): this {
    this.poll.start();
    return this.pass(SETTLE_MS);
  }

  page(rows: readonly string[], { count = rows.length as number | null, hasnext = false } = {}): this {
    const data = rows.map((row) => ({ clientid: row.split(" ")[0], topic: row.split(" ")[1] }));
    const meta = { ...(count === null ? {} : { count }), hasnext };
    this.transport.answer({ ok: true, body: encoder.encode(JSON.stringify({ data, meta })) });
    return this.pass(0);
  }

  /** One page, and its tail. */
  list(...rows: string[]): this {
    return this.page(rows).pass(TAIL_MS);
  }

  fail(code: ApiProblem["code"] = "LOCAL_API_UNREACHABLE", retryAfterMs: number | null = null): this {
    this.transport.answer({ ok: false, problem: { code, why: "why" }, retryAfterMs });
    return this.pass(0);
  }

  note(event: InterestEvent, dies = false): this {
    this.poll.note(event, dies, this.nowMs);
    return this;
  }
  sub(client: string, filter: string): this {
    return this.note({ type: "subscribed", client, filter, certain: true });
  }
  unsub(client: string, filter: string, certain = true): this {
    return this.note({ type: "unsubscribed", client, filter, certain });
  }
}

const CLEAN = { type: "connected", client: "c", cleanStart: true, session: "with_connection" } as const;
const RESUMED = { type: "connected", client: "c", cleanStart: false, session: "outlives_connection" } as const;

describe("the list, read in one page", () => {
  test("begins a second after the events, and again an interval after its end", () => {
    const rig = new PollRig();
    assert.equal(rig.poll.deadlineMs, Number.POSITIVE_INFINITY);
    rig.poll.start();
    rig.pass(SETTLE_MS - 1);
    assert.deepEqual(rig.transport.asked, []);
    rig.pass(1);
    assert.deepEqual(rig.transport.asked, ["/subscriptions?limit=2&page=1"]);
    assert.equal(rig.poll.status.state, "starting");
    rig.list("a x", "b $queue/y");
    assert.deepEqual(rig.sink.take(), ["list", "=a x", "=b $share/$queue/y", "listed"]);
    assert.equal(rig.poll.status.state, "working");
    assert.deepEqual(rig.poll.status.last, { rows: 2, atMs: rig.nowMs, tookMs: TAIL_MS, calm: true });
    rig.pass(INTERVAL_MS - 1);
    assert.equal(rig.transport.asked.length, 1);
    rig.pass(1);
    assert.equal(rig.transport.asked.length, 2);
  });

  test("an event wins over the page that was asked for before it, and over one asked for within two seconds after", () => {
    for (const [lateMs, wins] of [
      [0, true],
      [1_999, true],
      [2_001, false],
    ] as const) {
      const rig = new PollRig().asking().list();
      rig
        .pass(INTERVAL_MS - lateMs)
        .unsub("c", "x")
        .note(CLEAN)
        .pass(lateMs);
      rig.sink.take();
      rig.page(["c x", "d x"]);
      assert.deepEqual(rig.sink.take(), wins ? ["=d x"] : ["=c x", "=d x"], `${lateMs} ms`);
    }
    const during = new PollRig().asking().unsub("c", "x").note({ type: "disconnected", client: "d" }, true);
    during.sink.take();
    during.page(["c x", "c y", "d x"]);
    assert.deepEqual(during.sink.take(), ["=c y"]);
  });

  test("who subscribed again after that holds what the event says; who lives on keeps what the page says", () => {
    const rig = new PollRig().asking().note(CLEAN).sub("c", "x").note({ type: "disconnected", client: "d" }, false);
    rig.sink.take();
    rig.page(["c x", "c old", "d y"]);
    assert.deepEqual(rig.sink.take(), ["=d y"]);
  });

  test("an unsubscribe that may be overtaken decides nothing", () => {
    const rig = new PollRig().asking().unsub("c", "x", false);
    rig.sink.take();
    assert.deepEqual(rig.page(["c x"]).sink.take(), ["=c x"]);
  });

  test("what came just before the list began is told once more: the list may not have it yet", () => {
    const rig = new PollRig().asking().list();
    rig
      .pass(INTERVAL_MS - 1_000)
      .sub("c", "x")
      .sub("c", "gone")
      .unsub("c", "gone")
      .sub("d", "y")
      .note(CLEAN);
    rig.sink.take();
    rig.pass(1_000);
    assert.deepEqual(rig.sink.take(), ["list", "+d y"]);
  });

  test("a session that may have moved between nodes meanwhile makes it restless", () => {
    const rig = new PollRig().asking().note(RESUMED);
    rig.sink.take();
    assert.deepEqual(rig.list("c x").sink.take(), ["=c x", "listed restless"]);
    const late = new PollRig().asking().page([]).note(RESUMED).pass(TAIL_MS);
    assert.deepEqual(late.sink.take(), ["list", "listed restless"]);
  });
});

describe("the list, read in pages", () => {
  test("is calm while nothing goes and the count stays", () => {
    const rig = new PollRig().asking();
    rig.page(["a 1", "a 2"], { count: 3, hasnext: true }).pass(0).sub("z", "new");
    rig.page(["a 3"], { count: 3 }).pass(TAIL_MS);
    assert.deepEqual(rig.transport.asked, ["/subscriptions?limit=2&page=1", "/subscriptions?limit=2&page=2"]);
    assert.deepEqual(rig.sink.take(), ["list", "=a 1", "=a 2", "=a 3", "listed"]);
  });

  for (const [what, between, count] of [
    ["something is unsubscribed", (rig: PollRig) => rig.unsub("q", "x"), 3],
    ["a client goes", (rig: PollRig) => rig.note({ type: "disconnected", client: "q" }, true), 3],
    ["a client comes", (rig: PollRig) => rig.note(CLEAN), 3],
    ["the count changes", () => {}, 4],
    ["there is no count", () => {}, null],
  ] as const) {
    test(`is restless when ${what}, and read again soon until three are through`, () => {
      const rig = new PollRig().asking();
      for (let pass = 1; pass <= 3; pass += 1) {
        rig.page(["a 1", "a 2"], { count: count === null ? null : 3, hasnext: true });
        between(rig);
        rig.page(["a 3"], { count }).pass(TAIL_MS);
        assert.equal(rig.sink.take().at(-1), "listed restless");
        assert.equal(rig.transport.asked.length, 2 * pass);
        if (pass < 3) rig.pass(2_000);
      }
      rig.pass(INTERVAL_MS - 1);
      assert.equal(rig.transport.asked.length, 6);
    });
  }

  test("an empty page ends it, whatever it says of the next; a page without end is refused", () => {
    const rig = new PollRig().asking();
    rig.page(["a 1"], { count: 1, hasnext: true }).page([], { count: 1, hasnext: true }).pass(TAIL_MS);
    assert.deepEqual(rig.sink.take(), ["list", "=a 1", "listed"]);
    const endless = new PollRig(1).asking();
    for (let page = 0; page < 10_000; page += 1) endless.page(["a 1"], { count: 1, hasnext: true });
    assert.match(endless.sink.problems[0]?.why ?? "", /10000 pages/);
  });

  test("a long page is taken in slices, and events go between them", () => {
    const rig = new PollRig(5_000).asking();
    const rows = Array.from({ length: 1_200 }, (_, index) => `c ${index}`);
    rig.sink.take();
    const data = rows.map((row) => ({ clientid: "c", topic: row.slice(2) }));
    const body = encoder.encode(JSON.stringify({ data, meta: { count: 1_200, hasnext: false } }));
    rig.transport.answer({ ok: true, body });
    rig.poll.tick(rig.nowMs);
    assert.equal(rig.sink.take().length, 500);
    rig.unsub("c", "1100").pass(0);
    const rest = rig.sink.take();
    assert.equal(rest.length, 699);
    assert.ok(!rest.includes("=c 1100"));
  });
});

describe("what spoils a list", () => {
  test("after a gap, or when events begin to come, it starts anew", () => {
    for (const event of [
      { type: "gap", reason: "events_unparsable" },
      { type: "events_enabled", enabled: true },
    ] as const) {
      const rig = new PollRig().asking().note(event);
      assert.equal(rig.transport.cancelled, 1);
      rig.page(["a 1"]);
      assert.deepEqual(rig.sink.take(), ["list"], "the answer comes too late");
      rig.pass(SETTLE_MS).list("a 2");
      assert.deepEqual(rig.sink.take(), ["list", "=a 2", "listed"]);
    }
  });

  test("without the events session nothing is asked", () => {
    const rig = new PollRig().asking();
    rig.poll.stop();
    assert.equal(rig.transport.cancelled, 1);
    rig.page(["a 1"]).pass(10 * INTERVAL_MS);
    rig.note({ type: "gap", reason: "events_unparsable" }).pass(10 * INTERVAL_MS);
    assert.equal(rig.transport.asked.length, 1);
  });

  test("asked for out of turn, it comes two seconds after the last, and never between pages or failures", () => {
    const rig = new PollRig().asking().list();
    rig.poll.soon(rig.nowMs);
    rig.pass(1_999);
    assert.equal(rig.transport.asked.length, 1);
    rig.pass(1);
    assert.equal(rig.transport.asked.length, 2);
    rig.fail();
    rig.poll.soon(rig.nowMs);
    rig.pass(800);
    assert.equal(rig.transport.asked.length, 2);
  });
});

describe("an API that fails", () => {
  test("is asked again, ever more seldom, and said once", () => {
    const rig = new PollRig().asking();
    const waits: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      rig.fail();
      const fromMs = rig.nowMs;
      waits.push(rig.poll.deadlineMs - fromMs);
      rig.pass(rig.poll.deadlineMs - fromMs);
    }
    assert.deepEqual(waits, [875, 1_750, 3_500, 7_000, 14_000, 28_000, 52_500, 52_500, 52_500]);
    assert.deepEqual(rig.sink.problems, [{ code: "LOCAL_API_UNREACHABLE", why: "why" }]);
    assert.equal(rig.poll.status.failures, 9);
    assert.equal(rig.poll.status.state, "failing");
    rig.list("a 1");
    assert.deepEqual(rig.sink.problems.at(-1), null);
    assert.equal(rig.poll.status.state, "working");
    assert.equal(rig.sink.take().filter((text) => text === "unlisted").length, 9);
  });

  test("is left alone for as long as it asks, within reason", () => {
    const rig = new PollRig().asking().fail("LOCAL_API_UNREACHABLE", 20_000);
    assert.equal(rig.poll.deadlineMs - rig.nowMs, 20_000);
    rig.pass(20_000).fail("LOCAL_API_UNREACHABLE", 86_400_000);
    assert.equal(rig.poll.deadlineMs - rig.nowMs, 600_000);
    // Also by a list that starts anew.
    rig.note({ type: "gap", reason: "events_unparsable" }).pass(599_999);
    assert.equal(rig.transport.asked.length, 2);
  });

  test("and answers nonsense is one that fails", () => {
    const rig = new PollRig().asking();
    rig.transport.answer({ ok: true, body: encoder.encode("<html>") });
    assert.equal(rig.sink.problems[0]?.code, "LOCAL_API_FAILED");
  });

  test("for long leaves lost events unmended: the table is in doubt, once, until a list is through", () => {
    const rig = new PollRig().asking().list("a 1");
    const gaps = (): number => rig.sink.take().filter((text) => text === "gap api_unavailable").length;
    rig.pass(INTERVAL_MS);
    for (let turn = 0; turn < 5; turn += 1) rig.fail().pass(rig.poll.deadlineMs - rig.nowMs);
    assert.equal(gaps(), 0);
    rig.pass(300_000).fail().pass(60_000).fail().pass(60_000);
    assert.equal(gaps(), 1);
    rig.list("a 1").pass(INTERVAL_MS).fail();
    assert.equal(gaps(), 0);
  });

  test("from the start puts nothing in doubt that was not", () => {
    const rig = new PollRig().asking();
    for (let turn = 0; turn < 30; turn += 1) rig.fail().pass(rig.poll.deadlineMs - rig.nowMs);
    assert.ok(rig.sink.take().every((text) => text === "list" || text === "unlisted"));
  });
});

test("odd rows are counted and do not stop the list", () => {
  const rig = new PollRig().asking().list("c a/#/b", "c good");
  assert.deepEqual(rig.sink.take(), ["list", "=c good", "listed"]);
  assert.deepEqual(rig.sink.oddities, ["unparsable"]);
});
