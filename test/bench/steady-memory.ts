/**
 * Resident memory of both agents under 1,000 messages a second at QoS 1, in a container's limit of 192 MiB and with the options that
 * the image gives to Node: `node build/test/bench/steady-memory.js [minutes]`, ten unless given. Ends with 1 when more than
 * 128 MiB were needed, or a message is missing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { steadyMemory } from "./steady-load.ts";

const PRINT_EVERY_MS = 15_000;
const RESIDENT_MAX_MIB = 128;

const minutes = Number(process.argv[2] ?? 10);
const dir = mkdtempSync(join(tmpdir(), "brokerlink-memory-"));
let printedMs = 0;
console.log("seconds  published  received  RSS a MiB  RSS b MiB");
try {
  const result = await steadyMemory(dir, minutes * 60_000, (row) => {
    if (row.atMs - printedMs < PRINT_EVERY_MS) return;
    printedMs = row.atMs;
    const values = [row.atMs / 1_000, row.published, row.received, row.aMib, row.bMib];
    console.log(values.map((value) => value.toFixed(0).padStart(9)).join(" "));
  });
  console.log(JSON.stringify(result));
  const tooMuch = Math.max(result.aMaxMib, result.bMaxMib) > RESIDENT_MAX_MIB;
  process.exitCode = tooMuch || result.received < result.published ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
