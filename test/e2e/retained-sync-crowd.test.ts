/** `retained: sync` with ten thousand values: paced, bounded, and whole after either agent was killed in the midst of it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { until } from "../support/until.ts";
import { retain, stored, synced, texts } from "./retained-store.ts";
import { EVENT_LINES, Pair, type Site } from "./site.ts";

const CROWD = 10_000;
/** As PROTOCOL.md has it: "states under way". */
const UNDER_WAY_MAX = 200;
/** Payloads of 200 bytes, ten thousand of them, with all that belongs to each. */
const MEMORY_MAX_MIB = 60;

function topicsOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}/${at % 7}/${at}`);
}

function rssMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1_024;
}

/** Broker queues as Mosquitto has them unless told otherwise: a crowd at once would overflow them. */
const SHORT_QUEUES = EVENT_LINES.map((line) =>
  line.startsWith("max_queued_messages") ? "max_queued_messages 1000" : line,
);

test("ten thousand come once each while live messages pass, in a window, and no queue overflows", async (t) => {
  const pair = await Pair.open({
    aLines: SHORT_QUEUES,
    bLines: SHORT_QUEUES,
    bConfig: { links: [{ name: "a", retained: "sync" }] },
  });
  try {
    const { a, b } = pair;
    const writer = await a.client();
    const topics = topicsOf("crowd", CROWD);
    await retain(writer, topics, (topic) => `${topic} ${"x".repeat(200)}`);
    const liveReader = await b.client();
    await liveReader.subscribe("live/1");
    await writer.reaches(liveReader, "live/1");
    await synced(a, "b");
    const { readings } = (await a.agent.linkStatus("b")).states;
    const lateMs: number[] = [];
    liveReader.onMessage(({ text }) => void lateMs.push(performance.now() - Number(text)));
    const [beforeA, beforeB] = [rssMib(a.agent.pid), rssMib(b.agent.pid)];
    const reader = await b.client();
    const startMs = performance.now();
    await reader.subscribe("crowd/#", 0);
    let [peakA, peakB, spooled, inbound] = [0, 0, 0, 0];
    await until(
      "all come",
      async () => {
        await writer.publish("live/1", `${performance.now()}`);
        const [atA, atB] = [await a.agent.linkStatus("b"), await b.agent.linkStatus("a")];
        spooled = Math.max(spooled, atA.queue.spooled);
        inbound = Math.max(inbound, atB.queue.inbound);
        peakA = Math.max(peakA, rssMib(a.agent.pid) - beforeA);
        peakB = Math.max(peakB, rssMib(b.agent.pid) - beforeB);
        return reader.received.length >= CROWD || `${reader.received.length}`;
      },
      120_000,
    );
    const tookMs = performance.now() - startMs;
    await synced(a, "b");
    assert.equal((await a.agent.linkStatus("b")).states.readings, readings + 1);
    const live = lateMs.toSorted((x, y) => x - y);
    const atMost = live.at(-1) ?? Number.NaN;
    t.diagnostic(
      `${CROWD} in ${Math.round(tookMs)} ms; ${live.length} live messages, half within ${live[live.length >> 1]?.toFixed(1)} ms, all within ${atMost.toFixed(1)} ms`,
    );
    t.diagnostic(
      `spooled ${spooled}, inbound ${inbound}; memory of A +${peakA.toFixed(1)} MiB, of B +${peakB.toFixed(1)} MiB`,
    );
    assert.deepEqual(new Set(reader.received.map(({ topic }) => topic)), new Set(topics));
    assert.equal(reader.received.length, CROWD, "once each");
    assert.equal((await stored(b, "crowd/#")).size, CROWD);
    assert.ok(spooled <= UNDER_WAY_MAX + 50, `${spooled} in the spool`);
    assert.ok(inbound <= UNDER_WAY_MAX + 50, `${inbound} in B's hands`);
    assert.ok(live.length >= 10 && atMost < tookMs / 3, `a live message took ${atMost} ms`);
    assert.ok(peakA < MEMORY_MAX_MIB && peakB < MEMORY_MAX_MIB, `${peakA} and ${peakB} MiB`);
    for (const { agent } of [a, b]) assert.equal((await agent.status()).brokerDropped, 0);
    assert.equal((await b.agent.linkStatus("a")).states.published, CROWD);
  } finally {
    await pair.close();
  }
});

describe("an agent with a data_dir that is killed in the midst of it", { concurrency: false }, () => {
  for (const name of ["a", "b"] as const) {
    test(`${name}: all come, and what changed meanwhile is not overwritten by what was read before`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "brokerlink-crowd-"));
      const pair = await Pair.open({
        aConfig: { data_dir: join(folder, "a") },
        bConfig: { data_dir: join(folder, "b"), links: [{ name: "a", retained: "sync" }] },
      });
      try {
        const writer = await pair.a.client();
        const topics = topicsOf("cut", 4_000);
        await retain(writer, topics, () => "old");
        const reader = await pair.b.client();
        await reader.subscribe("cut/#", 0);
        await until("some have come", () => reader.received.length >= 500 || `${reader.received.length}`, 30_000);
        const killed: Site = name === "a" ? pair.a : pair.b;
        await killed.agent.stop("SIGKILL");
        const before = reader.received.length;
        assert.ok(before < topics.length, "in the midst of it");
        // Of those that came, those under way, and those to come.
        const changed = topics.filter((_, at) => at % 5 === 0);
        await retain(writer, changed, () => "new");
        await killed.agent.start();
        await Promise.all([pair.a.agent.linked("b"), pair.b.agent.linked("a")]);
        await pair.settled();
        await until(
          "everything is there",
          async () => {
            const there = await stored(pair.b, "cut/#");
            if (there.size === topics.length) return true;
            const { status, states, queue } = await pair.a.agent.linkStatus("b");
            return `${there.size} there; ${JSON.stringify([status, states, queue])}\n${pair.a.tail(40)}\n${pair.b.tail(40)}`;
          },
          60_000,
        );
        await synced(pair.a, "b", 60_000);
        const expected = Object.fromEntries(topics.map((topic) => [topic, changed.includes(topic) ? "new" : "old"]));
        assert.deepEqual(texts(await stored(pair.b, "cut/#")), expected);
      } finally {
        await pair.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
