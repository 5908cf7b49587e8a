/**
 * What the spool on disk costs: as fast as it goes, at a steady rate as an agent uses it (a write for each turn, one sync
 * under way), read back in order, and opened after a kill. On the disk of the temporary folder: set TMPDIR for another.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import type { Message } from "../../src/wire/message.ts";
import { percentile } from "./two-clusters.ts";

const BURST_BYTES = 100 * 1024 * 1024;
const PER_TURN = 100;
const PACED_MS = Number(process.env["BENCH_PACED_MS"] ?? 5_000);
const PACED_PER_SECOND = 5_000;
const TURN_MS = Number(process.env["BENCH_TURN_MS"] ?? 2);
/** Messages that a peer leaves unconfirmed at the steady rate. */
const BEHIND = 3_000;

const root = mkdtempSync(join(tmpdir(), "brokerlink-bench-"));
const report = ({ message }: { message: string }) => console.log(message);

function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function messageOf(bytes: number): Message {
  const payload = new Uint8Array(bytes).fill(7);
  return { topic: "sensors/hall-7/temperature", payload, qos: 1, retain: false, properties: null, expiryMs: null };
}

function synced(log: DiskSpoolLog): Promise<void> {
  return new Promise((resolve, reject) => {
    log.sync((answer) => (answer.ok ? resolve() : reject(new Error(answer.reason))));
  });
}

async function burst(bytes: number): Promise<void> {
  const folder = join(root, `burst-${bytes}`);
  const message = messageOf(bytes);
  const total = Math.floor(BURST_BYTES / (bytes + 60));
  const log = DiskSpoolLog.open(folder, { report });
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let last: Promise<void> = Promise.resolve();
  for (let number = 1; number <= total; number += 1) {
    log.append(message, bytes + 60, 0);
    if (number % PER_TURN > 0) continue;
    log.write();
    const before = last;
    last = synced(log);
    await before;
  }
  log.write();
  await synced(log);
  const wroteMs = performance.now() - startMs;
  const wroteCpuMs = cpuMs(cpu);

  // Not closed: as a kill leaves it.
  const openMs = performance.now();
  const again = DiskSpoolLog.open(folder, { report });
  const openedMs = performance.now() - openMs;
  const readMs = performance.now();
  let read = 0;
  for (let number = again.base; number <= again.lastNumber && read < total; number += 1) {
    if (again.get(number) !== undefined) read += 1;
    if (number % PER_TURN === 0) again.free(number);
  }
  const tookMs = performance.now() - readMs;
  console.log(
    `burst ${bytes} B: ${perSecond(total, wroteMs)}/s written and durable, ` +
      `${((wroteCpuMs * 1_000) / total).toFixed(1)} us of CPU each; ` +
      `opened after a kill in ${openedMs.toFixed(0)} ms (${(log.bytes / 2 ** 20).toFixed(0)} MiB); ` +
      `${read} of ${total} read in order, ${perSecond(read, tookMs)}/s`,
  );
}

function perSecond(count: number, ms: number): string {
  return Math.round((count * 1_000) / ms).toLocaleString("en");
}

async function paced(bytes: number): Promise<void> {
  const log = DiskSpoolLog.open(join(root, `paced-${bytes}`), { report });
  const message = messageOf(bytes);
  const durableAfterMs: number[] = [];
  let blockedMs = 0;
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let given = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const due = Math.floor(((nowMs - startMs) / 1_000) * PACED_PER_SECOND);
      for (; given < due; given += 1) log.append(message, bytes + 60, 0);
      log.free(log.lastNumber - BEHIND);
      log.write();
      if (log.wantsSync) log.sync(() => durableAfterMs.push(performance.now() - nowMs));
      blockedMs = Math.max(blockedMs, performance.now() - nowMs);
      if (nowMs - startMs < PACED_MS) return;
      clearInterval(timer);
      resolve();
    }, TURN_MS);
  });
  await synced(log);
  const share = (100 * cpuMs(cpu)) / (performance.now() - startMs);
  console.log(
    `paced ${PACED_PER_SECOND} x ${bytes} B/s: ${share.toFixed(1)} % of a core; durable after ` +
      `p50 ${percentile(durableAfterMs, 0.5).toFixed(1)} ms, p99 ${percentile(durableAfterMs, 0.99).toFixed(1)} ms; ` +
      `the longest turn took ${blockedMs.toFixed(1)} ms`,
  );
}

try {
  for (const bytes of [100, 1_000]) await burst(bytes);
  for (const bytes of [100, 1_000]) await paced(bytes);
} finally {
  rmSync(root, { recursive: true, force: true });
}
