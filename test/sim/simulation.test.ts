/**
 * Whole agents over a hostile network, seed after seed. SIM_SEED=n replays one; SIM_SECONDS says how long to go on.
 * A failure names its seed; the same seed gives the same run on every machine.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

const ROUNDS = 4;
const SECONDS = Number(process.env["SIM_SECONDS"] ?? 55);
const FIRST_SEED = 1;

test("two to five agents over a hostile network: nothing lost, nothing twice, nothing left over", (t) => {
  const only = process.env["SIM_SEED"];
  const first = only === undefined ? FIRST_SEED : Number(only);
  const endMs = Date.now() + SECONDS * 1000;
  const totals = new Map<string, number>();
  const add = (what: string, count: number): void => void totals.set(what, (totals.get(what) ?? 0) + count);
  let seed = first;
  do {
    const result = new World(seed).run(ROUNDS);
    add("steps", result.steps);
    for (const [what, count] of Object.entries(result.counts)) add(what, count);
    for (const [fault, count] of Object.entries(result.faults)) add(`fault ${fault}`, count);
    assert.deepEqual(result.failures, [], `seed ${seed} (replay: SIM_SEED=${seed} npm run test:sim)`);
    seed += 1;
  } while (only === undefined && Date.now() < endMs);
  t.diagnostic(`seeds ${first}..${seed - 1}: ${[...totals].map(([what, count]) => `${what} ${count}`).join(", ")}`);
  if (only === undefined) assert.ok((totals.get("fault packed") ?? 0) > 0, "some frames were compressed");
  assert.ok((totals.get("expected") ?? 0) > 0, "the oracle expected something");
});
