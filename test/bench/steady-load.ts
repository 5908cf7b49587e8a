/** Two agents as the image runs them, each in 192 MiB, under an even load from B to A; and what they needed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentProcess } from "../e2e/agent-process.ts";
import { Site } from "../e2e/site.ts";
import { imageNodeOptions } from "../support/dockerfile.ts";
import { MemoryCage } from "../support/memory-cage.ts";
import { newerNode } from "../support/newer-node.ts";
import { until } from "../support/until.ts";

const PER_SECOND = 1_000;
const PAYLOAD_BYTES = 200;
const TOPICS = 100;
/** The chart's default limit. */
const LIMIT_MIB = 192;
const MIB = 2 ** 20;
const SAMPLE_EVERY_MS = 250;
const UNDER_WAY_MAX = 2_000;

export interface MemoryRow {
  readonly atMs: number;
  readonly published: number;
  readonly received: number;
  readonly aMib: number;
  readonly bMib: number;
}

export interface SteadyMemory {
  readonly published: number;
  readonly received: number;
  readonly perSecond: number;
  readonly aMaxMib: number;
  readonly bMaxMib: number;
  /** Whether the kernel kept the limit too, and not only Node its share of it. */
  readonly caged: boolean;
}

/** A receives and keeps its state in memory, B sends and keeps its spool on disk: one of each kind. */
export async function steadyMemory(
  dir: string,
  durationMs: number,
  onRow: (row: MemoryRow) => void = () => {},
): Promise<SteadyMemory> {
  const why: string[] = [];
  const cages = ["a", "b"].map((name) => MemoryCage.open(name, LIMIT_MIB * MIB, (reason) => why.push(reason)));
  const caged = cages.every((cage) => cage !== null);
  if (!caged) console.log(`no control group here, so only Node's own limit holds: ${why.join("; ")}`);
  const [a, b] = [await Site.open("a"), await Site.open("b")];
  try {
    const agents = [a, b].map((site, index) => {
      const peer = site === a ? b : a;
      const links = [{ name: peer.name, server: peer.broker.url, topics: site === a ? ["load/#"] : [] }];
      return new AgentProcess({
        cluster: site.name,
        local: site.broker.url,
        config: { ...(site === b ? { data_dir: join(dir, "b") } : {}), log: { level: "info" }, links },
        launcher: [...(cages[index]?.launcher ?? []), newerNode()],
        env: { NODE_OPTIONS: caged ? imageNodeOptions() : fixedOptions(), NODE_ENV: "production" },
      });
    });
    const [agentA, agentB] = agents;
    if (agentA === undefined || agentB === undefined) throw new Error("unreachable: there are two");
    a.agent = agentA;
    b.agent = agentB;
    await Promise.all(agents.map((agent) => agent.start()));
    await Promise.all([agentA.linked("b"), agentB.linked("a")]);
    const [reader, writer] = [await a.client(), await b.client()];
    await reader.subscribe("load/#");
    await writer.reaches(reader, "load/0");
    let [received, published, aMaxMib, bMaxMib, sampledMs] = [0, 0, 0, 0, 0];
    reader.onMessage(() => {
      received += 1;
      reader.received.length = 0;
    });
    const payload = Buffer.alloc(PAYLOAD_BYTES, "x");
    const waiting = new Set<Promise<void>>();
    const startMs = Date.now();
    for (let atMs = 0; atMs < durationMs; atMs = Date.now() - startMs) {
      while (published < (atMs / 1_000) * PER_SECOND && waiting.size < UNDER_WAY_MAX) {
        published += 1;
        const publishing: Promise<void> = writer.publish(`load/${published % TOPICS}`, payload);
        waiting.add(publishing);
        void publishing.finally(() => waiting.delete(publishing));
      }
      if (atMs - sampledMs >= SAMPLE_EVERY_MS) {
        sampledMs = atMs;
        const [aMib, bMib] = [residentMib(agentA.pid), residentMib(agentB.pid)];
        [aMaxMib, bMaxMib] = [Math.max(aMaxMib, aMib), Math.max(bMaxMib, bMib)];
        onRow({ atMs, published, received, aMib, bMib });
      }
      await new Promise((again) => setTimeout(again, 2));
    }
    const seconds = (Date.now() - startMs) / 1_000;
    await Promise.all(waiting);
    await until("all of it arrives", () => received >= published || `${received} of ${published}`, 60_000);
    return { published, received, perSecond: published / seconds, aMaxMib, bMaxMib, caged };
  } finally {
    await Promise.all([a.close(), b.close()]);
    await Promise.all(cages.map((cage) => cage?.close()));
  }
}

/** What the image's percentage comes to in the chart's limit, for a machine where no control group can be made. */
function fixedOptions(): string {
  return imageNodeOptions().replace(
    /--max-old-space-size-percentage=(\d+)/,
    (_, percent: string) => `--max-old-space-size=${Math.floor((LIMIT_MIB * Number(percent)) / 100)}`,
  );
}

function residentMib(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(found ?? Number.NaN) / 1_024;
}
