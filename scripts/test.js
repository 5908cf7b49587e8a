/**
 * Runs the compiled tests of one kind: `node scripts/test.js [unit | sim | e2e | chart | faults] [flags of node --test …]`; no kind: all but `faults`.
 *
 * Owns nothing but the choice of files: naming each file is the only form of `node --test` that means the same on Node 20
 * and 24. Build first (`npm run build:test`); the end-to-end tests run the built agent too (`npm run build`).
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILD = join(ROOT, "build", "test");
const SIM_FOLDERS = ["sim"];
/** They start brokers and agents of their own. */
const E2E_FOLDERS = ["e2e", "contract"];
/** The chart, the image and the package as they are shipped: Helm, npm, an empty root. */
const CHART_FOLDERS = ["chart"];
/** They keep the whole machine busy for minutes: a kind of its own, after all others. */
const FAULT_FOLDERS = ["faults"];
/** Each of these files keeps several processes busy: more files at once only make each other's deadlines fail. */
const E2E_FILES_AT_ONCE = 3;
/** Nothing of ours takes minutes: a file that does, hangs. */
const FILE_TIMEOUT_MS = 15 * 60_000;

const KINDS = {
  unit: (folder) => ![...SIM_FOLDERS, ...E2E_FOLDERS, ...CHART_FOLDERS, ...FAULT_FOLDERS].includes(folder),
  sim: (folder) => SIM_FOLDERS.includes(folder),
  e2e: (folder) => E2E_FOLDERS.includes(folder),
  chart: (folder) => CHART_FOLDERS.includes(folder),
  faults: (folder) => FAULT_FOLDERS.includes(folder),
  all: (folder) => !FAULT_FOLDERS.includes(folder),
};

const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith("-");
const kind = named ? first : "all";
const flags = named || first === undefined ? rest : [first, ...rest];
if (!Object.hasOwn(KINDS, kind)) fail(64, `unknown kind of test "${kind}": use unit, sim, e2e, chart, faults or none`);

if (kind !== "unit" && kind !== "sim" && !hasMosquitto()) {
  fail(1, 'mosquitto is not installed: run "bash .ci/run", or "apt-get install mosquitto" and this again');
}

const files = testFiles().filter((file) => KINDS[kind](relative(BUILD, file).split(sep)[0]));
if (files.length === 0) fail(1, `no ${kind} test in ${BUILD}: run "npm run build:test" first`);
const filesAtOnce = kind === "unit" || kind === "sim" ? availableParallelism() : E2E_FILES_AT_ONCE;

console.log(`node ${process.version}: ${kind} tests, ${files.length} files, ${filesAtOnce} at once`);
const child = spawn(
  process.execPath,
  [
    "--enable-source-maps",
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${filesAtOnce}`,
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    ...flags,
    ...files,
  ],
  { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] },
);
// Ctrl-C reaches the whole process group; a lone SIGTERM would leave the runner and its brokers behind.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => fail(1, `cannot start ${process.execPath}: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal !== null) console.error(`the test runner was ended by ${signal}`);
  process.exitCode = code ?? 1;
});

/** Debian puts the broker where only root looks. */
function hasMosquitto() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  return folders.some((folder) => folder !== "" && existsSync(join(folder, "mosquitto")));
}

/** Compiled tests whose source is still there: tsc never removes the output of a file that was. */
function testFiles() {
  if (!existsSync(BUILD)) return [];
  return readdirSync(BUILD, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(".test.js"))
    .filter((path) => existsSync(join(ROOT, "test", path.replace(/\.js$/, ".ts"))))
    .map((path) => join(BUILD, path))
    .sort();
}

function fail(exitCode, message) {
  console.error(`scripts/test.js: ${message}`);
  process.exit(exitCode);
}
