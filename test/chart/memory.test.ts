/** The short form of `node build/test/bench/steady-memory.js`, which takes ten minutes. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { steadyMemory } from "../bench/steady-load.ts";

const DURATION_MS = 20_000;
const RESIDENT_MAX_MIB = 128;

test("two agents in 192 MiB each, at 1,000 messages a second, need at most 128 MiB, and every message arrives", async () => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-memory-"));
  try {
    const result = await steadyMemory(dir, DURATION_MS);
    console.log(JSON.stringify(result));
    assert.equal(result.received, result.published);
    assert.ok(result.aMaxMib <= RESIDENT_MAX_MIB, `the receiver: ${result.aMaxMib} MiB`);
    assert.ok(result.bMaxMib <= RESIDENT_MAX_MIB, `the sender: ${result.bMaxMib} MiB`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
