import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { listen } from "../../src/ops/http.ts";
import { LinkHistory } from "../../src/ops/link-history.ts";
import { OverviewStream, WATCHERS_MAX } from "../../src/ops/overview-stream.ts";
import { until } from "../support/until.ts";
import { agentConfig, agentStatus, agentView } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

const { log } = logLines("silent");
const CHANGE = {
  type: "link_status",
  link: "east",
  from: "connected",
  to: "disconnected",
  why: "transport down",
} as const;

const PERIOD_MS = 5;

/** Everything read so far of a stream of events. */
class Reader {
  text = "";
  ended: "no" | "closed" | "failed" = "no";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    void this.#read();
  }

  count(event: string): number {
    return this.text.split(`event: ${event}\n`).length - 1;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.text += new TextDecoder().decode(value);
      }
      this.ended = "closed";
    } catch {
      this.ended = "failed";
    }
  }
}

function opened(stream: OverviewStream): ReadableStream<Uint8Array> {
  const events = stream.open();
  assert.ok(events !== null);
  return events;
}

function stream(
  t: TestContext,
  stalledMs = 60_000,
): { stream: OverviewStream; history: LinkHistory; made: () => number } {
  const history = new LinkHistory();
  let made = 0;
  const stream = new OverviewStream(
    () => {
      made += 1;
      return { made };
    },
    history,
    { periodMs: PERIOD_MS, stalledMs },
  );
  t.after(() => stream.end());
  return { stream, history, made: () => made };
}

describe("the stream of overviews", () => {
  test("brings the first at once, then one each period, and a change when it happens", async (t) => {
    const { stream: source, history } = stream(t);
    const reader = new Reader(opened(source));
    await until("three overviews", () => reader.count("overview") >= 3);
    assert.ok(reader.text.startsWith('event: overview\ndata: {"made":1}\n\n'));
    history.note(CHANGE, 0);
    await until("the change", () => reader.count("change") === 1);
    assert.match(
      reader.text,
      /event: change\ndata: {"link":"east","at":"1970-01-01T00:00:00.000Z","from":"connected",/,
    );
  });

  test("makes one overview for all who watch, and none when the last has left", async (t) => {
    const { stream: source, made } = stream(t);
    const readers = [new Reader(opened(source)), new Reader(opened(source))];
    await until("ten overviews each", () => readers.every((reader) => reader.count("overview") >= 10));
    assert.ok(made() <= 2 + (readers[0]?.count("overview") ?? 0));
    await Promise.all(readers.map((reader) => reader.cancel()));
    assert.equal(source.watchers, 0);
    const before = made();
    // Another timer of the same length, armed later, fires later: had there been a period, it would be over.
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    assert.equal(made(), before);
  });

  test("lets a limited number watch", (t) => {
    const { stream: source } = stream(t);
    for (let i = 0; i < WATCHERS_MAX; i += 1) opened(source);
    assert.equal(source.open(), null);
  });

  test("keeps little for a watcher that does not read, and lets go of it after a while", async (t) => {
    const { stream: source, history } = stream(t, 20);
    const events = opened(source);
    await until("the watcher is let go", () => source.watchers === 0);
    for (let i = 0; i < 1_000; i += 1) history.note(CHANGE, i);
    const reader = new Reader(events);
    await until("the stream fails", () => reader.ended === "failed");
  });

  test("ends for good with the agent", async (t) => {
    const { stream: source } = stream(t);
    const reader = new Reader(opened(source));
    source.end();
    await until("the stream ends", () => reader.ended === "closed");
    assert.equal(source.open(), null);
  });
});

describe("over a real connection", () => {
  test("a browser's stream ends when the listener closes, and its place is free when the browser goes", async () => {
    const agent = agentView(agentStatus(), true, { config: agentConfig() });
    const http = await listen(agent, agent.config, log);
    const url = `http://127.0.0.1:${http.port}/api/v1/stream`;
    for (let i = 0; i < WATCHERS_MAX + 5; i += 1) {
      const gone = new AbortController();
      const answer = await fetch(url, { signal: gone.signal });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "text/event-stream");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const first = await answer.body?.getReader().read();
      assert.match(new TextDecoder().decode(first?.value), /^event: overview\ndata: {"at":/);
      gone.abort();
    }
    const answer = await fetch(url);
    assert.ok(answer.body !== null);
    const reader = new Reader(answer.body);
    await until("an overview", () => reader.count("overview") >= 1);
    await http.close();
    await until("the stream ends", () => reader.ended === "closed");
  });
});
