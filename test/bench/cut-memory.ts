/**
 * Memory of both agents while the link is down and 5,000 messages a second arrive, and what becomes of them: dropped by the
 * spool's limit, and counted. `node build/test/bench/cut-memory.js [minutes]`, ten unless given.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentProcess } from "../e2e/agent-process.ts";
import { EVENT_LINES, Site } from "../e2e/site.ts";
import { TcpProxy } from "../e2e/tcp-proxy.ts";

const PER_SECOND = 5_000;
const PAYLOAD = Buffer.alloc(200, "x");
const SPOOL_BYTES = 64 * 1024 * 1024;
const PRINT_EVERY_MS = 15_000;
const CLIENTS = 5;

function rssMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line?.[1] ?? 0) / 1024;
}

const minutes = Number(process.argv[2] ?? 10);
const dir = mkdtempSync(join(tmpdir(), "brokerlink-memory-"));
const [a, b] = [await Site.open("a"), await Site.open("b", EVENT_LINES)];
const proxy = await TcpProxy.start(a.broker.port);
try {
  a.agent = new AgentProcess({
    cluster: "a",
    local: a.broker.url,
    config: { data_dir: join(dir, "a"), links: [{ name: "b", topics: ["load/#"] }] },
  });
  b.agent = new AgentProcess({
    cluster: "b",
    local: b.broker.url,
    config: {
      data_dir: join(dir, "b"),
      spool: { max_bytes: SPOOL_BYTES },
      links: [{ name: "a", server: proxy.url, topics: [] }],
    },
  });
  await Promise.all([a.agent.start(), b.agent.start()]);
  await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
  const reader = await a.client();
  await reader.subscribe("load/#");
  const writers = await Promise.all(Array.from({ length: CLIENTS }, () => b.client()));
  await writers[0]?.reaches(reader, "load/0");
  proxy.cut();
  await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
  const startMs = Date.now();
  const base = await b.agent.linkStatus("a");
  let [sent, printedMs] = [0, startMs];
  const waiting = new Set<Promise<void>>();
  console.log("seconds  published  spooled  spool MB  dropped  RSS a MB  RSS b MB");
  while (Date.now() - startMs < minutes * 60_000) {
    const due = ((Date.now() - startMs) / 1_000) * PER_SECOND;
    while (sent < due && waiting.size < 2_000) {
      sent += 1;
      const writer = writers[sent % CLIENTS];
      if (writer === undefined) throw new Error("no writer");
      const publishing: Promise<void> = writer.publish(`load/${sent % 100}`, PAYLOAD);
      waiting.add(publishing);
      void publishing.finally(() => waiting.delete(publishing));
    }
    await new Promise((again) => setTimeout(again, 2));
    if (Date.now() - printedMs < PRINT_EVERY_MS) continue;
    printedMs = Date.now();
    const { queue, dropped } = await b.agent.linkStatus("a");
    const full = dropped.find(({ reason }) => reason === "spool_full")?.count ?? 0;
    const row = [
      (printedMs - startMs) / 1_000,
      sent,
      queue.spooled,
      queue.spooledBytes / 1e6,
      full,
      rssMb(a.agent.pid),
      rssMb(b.agent.pid),
    ];
    console.log(row.map((value) => value.toFixed(0).padStart(9)).join(" "));
  }
  await Promise.all(waiting);
  let last = "";
  for (let same = 0; same < 20; ) {
    const { queue, dropped } = await b.agent.linkStatus("a");
    const full = dropped.find(({ reason }) => reason === "spool_full")?.count ?? 0;
    const now = `${queue.spooled - base.queue.spooled} spooled + ${full} dropped = ${queue.spooled - base.queue.spooled + full} of ${sent} published`;
    same = now === last ? same + 1 : 0;
    last = now;
    await new Promise((again) => setTimeout(again, 100));
  }
  console.log(last);
  const { dropped } = await b.agent.linkStatus("a");
  console.log(JSON.stringify(dropped.filter(({ count }) => count > 0)));
} finally {
  await Promise.all([a.close(), b.close(), proxy.stop()]);
  rmSync(dir, { recursive: true, force: true });
}
