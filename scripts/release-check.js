/** `npm run release:check [-- vX.Y.Z]`: ends with 1 and says why, unless everything that names the version agrees and the changelog has it. */
import { readFileSync } from "node:fs";
import { releaseProblems } from "./release-problems.js";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const problems = releaseProblems({
  packageJson: read("package.json"),
  packageLock: read("package-lock.json"),
  chart: read("helm/brokerlink/Chart.yaml"),
  changelog: read("CHANGELOG.md"),
  compose: read("examples/compose/compose.yaml"),
  tag: process.argv[2] ?? null,
});
for (const problem of problems) console.error(`release:check: ${problem}`);
console.log(problems.length === 0 ? "ready for a release" : `${problems.length} things stand against a release`);
process.exitCode = problems.length === 0 ? 0 : 1;
