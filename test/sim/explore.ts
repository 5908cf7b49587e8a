/** For long searches by hand: `node build/test/sim/explore.js FIRST COUNT [ROUNDS]` runs seeds and prints what failed. */
import { World } from "./world.ts";

const [first = 1, count = 1, rounds = 4] = process.argv.slice(2).map(Number);
const beganMs = Date.now();
const totals = new Map<string, number>();
let failed = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const { failures, steps, counts, faults } = new World(seed).run(rounds);
  for (const [what, number] of Object.entries({ steps, ...counts, ...faults }))
    totals.set(what, (totals.get(what) ?? 0) + number);
  if (failures.length === 0) continue;
  failed += 1;
  console.log(`seed ${seed}: ${failures.length} failures`);
  for (const failure of failures.slice(0, 4)) console.log(`  ${failure}`);
}
console.log({ first, count, failed, seconds: (Date.now() - beganMs) / 1000, ...Object.fromEntries(totals) });
