/**
 * How long the event loop stands still while the journal of an agent with a million subscriptions is written anew, and what
 * an append takes meanwhile: `node build/test/bench/journal-snapshot.js [rows]`. Each run is followed by one of the same length that
 * does nothing, four milliseconds at a time: a busy machine stops that as well.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextRound, setTimeout as pause } from "node:timers/promises";
import { Journal } from "../../src/store/journal.ts";
import type { DiskAnswer } from "../../src/store/store-problem.ts";
import { linkOptions, World } from "../hub/world.ts";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 3;

const world = new World();
const rows = {
  ownClients: new Set<string>(),
  ignoreClients: [],
  untrackedSubscriptions: 0,
  atStart: "none" as const,
  trustAfterMs: null,
  controlPrefix: "$LINK",
  rowsMax: 2 * ROWS,
};
const a = world.add("a", [linkOptions("b", { routesMax: 2 * ROWS, demandMax: 2 * ROWS })], { interest: rows });
for (let i = 0; i < ROWS; i += 1) a.subscribe(`site/${i % 100}/device/${i}/state`, `client ${i >> 2}`);
a.turn();

const dir = mkdtempSync(join(tmpdir(), "brokerlink-journal-"));
const { journal } = Journal.open(join(dir, "journal"), { report: (problem) => console.error(problem) });

async function watched(what: string, act: () => Promise<string>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let [appends, appendMaxMs] = [0, 0];
  const ticking = setInterval(() => {
    const began = performance.now();
    journal.put(`record/b/${appends % 1_000}`, new Uint8Array(8));
    journal.write();
    appends += 1;
    appendMaxMs = Math.max(appendMaxMs, performance.now() - began);
  }, 1);
  // The first interval that the monitor sees does not count.
  await pause(50);
  const began = performance.now();
  const answer = await act();
  const tookMs = performance.now() - began;
  await pause(20);
  clearInterval(ticking);
  delay.disable();
  const [max, p99] = [delay.max, delay.percentile(99)].map((ns) => Math.round(ns / 1e5) / 10);
  const shown = { took_ms: Math.round(tookMs), loop_max_ms: max, loop_p99_ms: p99 };
  console.log(what, JSON.stringify({ ...shown, appends, append_max_ms: Math.round(appendMaxMs) }), answer);
  return tookMs;
}

function busy(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

for (let run = 0; run < RUNS; run += 1) {
  const tookMs = await watched("snapshot", async () => {
    const answer = await new Promise<DiskAnswer>((done) => journal.compact(a.hub.saved(), done));
    return `${journal.bytes} bytes, ${answer.ok ? "ok" : answer.reason}`;
  });
  await watched("nothing ", async () => {
    for (const endMs = performance.now() + tookMs; performance.now() < endMs; await nextRound()) busy(4);
    return "";
  });
}
await new Promise((done) => journal.close(done));
rmSync(dir, { recursive: true, force: true });
