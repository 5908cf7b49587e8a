import { World } from "./world.ts";

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const began = Date.now();
let steps = 0,
  expected = 0,
  delivered = 0,
  bad = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const result = new World(seed).run(4);
  steps += result.steps;
  expected += result.expected;
  delivered += result.delivered;
  if (result.failures.length > 0) {
    bad += 1;
    console.log("seed", seed, result.failures.length, result.failures.slice(0, 4), JSON.stringify(result.faults));
  }
}
console.log({ count, bad, steps, expected, delivered, ms: Date.now() - began });
