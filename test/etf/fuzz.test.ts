/** Rubbish by the million: seeded, so that what fails can be looked at. `ETF_SEED=… ETF_TERMS=…` for another run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { readTerm } from "../../src/etf/read-term.ts";
import { binary, list, map, type Term, tuple } from "../../src/etf/term.ts";
import { Prng } from "../sim/prng.ts";
import { PAYLOADS } from "./captured.ts";

const SEED = Number(process.env["ETF_SEED"] ?? 20_261_125);
const TERMS = Number(process.env["ETF_TERMS"] ?? 1_200_000);
/** A million terms in a minute and a half of a busy machine: one that takes a second hangs. */
const SLOWEST_MS = 1_000;
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

test("mutated and truncated terms never throw, hang or take memory without bound, and what decodes encodes", () => {
  const random = new Prng(SEED);
  const seeds = PAYLOADS.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 1_000);
  seeds.push(encodeTerm(tuple(list([binary("a")]), map([[binary("k"), list([])]]))));
  const before = process.memoryUsage().rss;
  let [decoded, slowestMs] = [0, 0];
  for (let count = 0; count < TERMS; count += 1) {
    const seed = seeds[below(random, seeds.length)] ?? new Uint8Array(0);
    const bytes = mutated(seed, random);
    const startMs = performance.now();
    const result = readTerm(bytes, zlibInflate);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    if (!result.ok) continue;
    decoded += 1;
    if (count % 16 !== 0) continue;
    const again = readTerm(encodeTerm(result.value), zlibInflate);
    assert.ok(again.ok, `seed ${SEED}, term ${count}: ${Buffer.from(bytes).toString("hex")}`);
    assert.deepEqual(encodeTerm(again.value), encodeTerm(result.value));
  }
  assert.ok(decoded > TERMS / 50 && decoded < TERMS, `${decoded} of ${TERMS} decoded`);
  assert.ok(slowestMs < SLOWEST_MS, `the slowest took ${slowestMs} ms`);
  const growth = process.memoryUsage().rss - before;
  assert.ok(growth < GROWTH_BYTES_MAX, `grew by ${growth} bytes`);
});

test("random bytes behind a version are no reason to fail either", () => {
  const random = new Prng(SEED + 1);
  for (let count = 0; count < 200_000; count += 1) {
    const bytes = new Uint8Array(1 + below(random, 40));
    for (let at = 1; at < bytes.length; at += 1) bytes[at] = below(random, 256);
    bytes[0] = 131;
    const result = readTerm(bytes, zlibInflate);
    if (result.ok) assert.ok(isTerm(result.value));
  }
});

function below(random: Prng, end: number): number {
  return random.int(0, end - 1);
}

function isTerm(term: Term): boolean {
  return typeof term.kind === "string";
}

function mutated(seed: Uint8Array, random: Prng): Uint8Array {
  const bytes = Uint8Array.from(seed);
  switch (below(random, 4)) {
    case 0:
      return bytes.subarray(0, below(random, bytes.length + 1));
    case 1: {
      for (let flips = 1 + below(random, 4); flips > 0; flips -= 1)
        bytes[below(random, bytes.length)] = below(random, 256);
      return bytes;
    }
    case 2: {
      // A length that lies: four bytes anywhere.
      const at = below(random, Math.max(1, bytes.length - 4));
      for (let index = 0; index < 4; index += 1) bytes[at + index] = below(random, 4) === 0 ? 255 : below(random, 3);
      return bytes;
    }
    default: {
      // A piece of itself, somewhere else: values within values.
      const [from, to] = [below(random, bytes.length), below(random, bytes.length)];
      bytes.copyWithin(to, from, Math.min(bytes.length, from + below(random, 40)));
      return bytes;
    }
  }
}
