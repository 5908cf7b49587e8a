/** Retained values over a hostile network, seed after seed. STATES_SEED=n replays one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./states-world.ts";

const SECONDS = Number(process.env["SIM_SECONDS"] ?? 20);

test("states: a live value always wins, an own one stays, what is there comes, and comes once", (t) => {
  const only = process.env["STATES_SEED"];
  const first = only === undefined ? 1 : Number(only);
  const endMs = Date.now() + SECONDS * 1_000;
  const totals = { states: 0, readings: 0, live: 0 };
  let seed = first;
  do {
    const { failures, counts } = new World(seed).run();
    for (const what of ["states", "readings", "live"] as const) totals[what] += counts[what] ?? 0;
    assert.deepEqual(failures, [], `seed ${seed} (replay: STATES_SEED=${seed} npm run test:sim)`);
    seed += 1;
  } while (only === undefined && Date.now() < endMs);
  t.diagnostic(`seeds ${first}..${seed - 1}: ${JSON.stringify(totals)}`);
  assert.ok(totals.states > 0 && totals.live > 0);
});
