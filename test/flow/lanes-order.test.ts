/** Whatever happens, messages of one topic come in the order in which they were accepted, and all of them. LANES_SEED=n replays one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LaneWorld } from "./lane-world.ts";

const RUNS = 250;
const STEPS = 2_000;

test("with two lanes each topic keeps its order, and nothing is lost, through losses, cuts and restarts", (t) => {
  const only = process.env["LANES_SEED"];
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, at) => at + 1) : [Number(only)];
  let [accepted, passed] = [0, 0];
  for (const seed of seeds) {
    const world = new LaneWorld(seed);
    const wrong = world.run(STEPS);
    assert.deepEqual(wrong.slice(0, 5), [], `seed ${seed}`);
    accepted += world.accepted.length;
    passed += world.passed;
  }
  t.diagnostic(`${accepted} messages, ${passed} past a backlog`);
  if (only === undefined) assert.ok(passed > accepted / 100, `${passed} of ${accepted} passed`);
});
