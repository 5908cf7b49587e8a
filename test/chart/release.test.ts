/** What a release checks, and what the npm package has in it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { repoRoot } from "../config/repo-root.ts";
import { repoFolder } from "../support/repo-folder.ts";

interface Texts {
  readonly packageJson: string;
  readonly packageLock: string;
  readonly chart: string;
  readonly changelog: string;
  readonly compose: string;
  readonly tag?: string | null;
}

const read = (path: string): string => readFileSync(join(repoFolder(), path), "utf8");
const { releaseProblems } = (await import(new URL("scripts/release-problems.js", repoRoot()).href)) as {
  releaseProblems(texts: Texts): string[];
};

const VERSION = (JSON.parse(read("package.json")) as { version: string }).version;
/** The repository as it is, with the changelog of a release. */
const READY: Texts = {
  packageJson: read("package.json"),
  packageLock: read("package-lock.json"),
  chart: read("helm/brokerlink/Chart.yaml"),
  compose: read("examples/compose/compose.yaml"),
  changelog: `# Changelog\n\n## Unreleased\n\n## ${VERSION} - 2026-11-25\n\n- Something.\n\n## 0.0.1 - 2026-01-01\n`,
};

test("everything in the repository that names the version names the same one", () => {
  assert.deepEqual(releaseProblems(READY), []);
  assert.deepEqual(releaseProblems({ ...READY, tag: `v${VERSION}` }), []);
});

test("what stands against a release is said, each thing on its own", () => {
  const other = (text: string, pattern: RegExp, by: string): string => {
    assert.match(text, pattern);
    return text.replace(pattern, by);
  };
  const cases: readonly (readonly [Partial<Texts>, RegExp])[] = [
    [{ chart: other(READY.chart, /^version: .*$/m, "version: 9.9.9") }, /^Chart\.yaml: version is 9\.9\.9/],
    [{ chart: other(READY.chart, /^appVersion: .*$/m, 'appVersion: "9.9.9"') }, /^Chart\.yaml: appVersion is 9\.9\.9/],
    [{ chart: other(READY.chart, /\/brokerlink:\S+/, "/brokerlink:9.9.9") }, /artifacthub\.io\/images is 9\.9\.9/],
    [
      { compose: other(READY.compose, /\/brokerlink:\S+/, "/brokerlink:9.9.9") },
      /^examples\/compose: image is 9\.9\.9/,
    ],
    [
      { packageLock: JSON.stringify({ version: VERSION, packages: { "": { version: "9.9.9" } } }) },
      /^package-lock\.json: packages/,
    ],
    [{ tag: "v9.9.9" }, /^the tag is v9\.9\.9/],
    [
      { changelog: READY.changelog.replace("Unreleased\n", "Unreleased\n\n- New.\n") },
      /"Unreleased" still has entries/,
    ],
    [{ changelog: READY.changelog.replace(" - 2026-11-25", "") }, /has no date/],
    [{ changelog: READY.changelog.replace("- Something.", "") }, /is empty/],
    [{ changelog: "# Changelog\n" }, /no section/],
  ];
  for (const [change, problem] of cases) {
    const problems = releaseProblems({ ...READY, ...change });
    assert.equal(problems.length, 1, problems.join("; "));
    assert.match(problems[0] ?? "", problem);
  }
});

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

test("the npm package has what a user needs and nothing else", () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [packed] = JSON.parse(
    execFileSync("npm", args, { cwd: repoFolder(), encoding: "utf8", stdio: "pipe" }),
  ) as Packed[];
  assert.ok(packed !== undefined);
  const paths = packed.files.map(({ path }) => path);
  const wanted = [
    "bin/brokerlink.js",
    "dist/cli/main.js",
    "docs/KUBERNETES.md",
    "examples/brokerlink.yaml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ];
  assert.deepEqual(
    wanted.filter((path) => !paths.includes(path)),
    [],
  );
  const allowed = /^(bin|dist|docs|examples)\/|^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
  assert.deepEqual(
    paths.filter((path) => !allowed.test(path)),
    [],
  );
  assert.deepEqual(
    paths.filter((path) => /\.(test\.js|tgz|log|cpuprofile)$|(^|\/)(node_modules|build)\//.test(path)),
    [],
  );
  assert.ok(packed.size < 1_500_000, `${packed.size} bytes`);
});

test("publint finds nothing to complain about", async () => {
  const { publint } = await import("publint");
  const { messages } = await publint({ pkgDir: repoFolder(), pack: "npm", strict: true });
  assert.deepEqual(messages, []);
});

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>> | string;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>;
        readonly "timeout-minutes"?: number;
        readonly steps: readonly {
          readonly uses?: string;
          readonly run?: string;
          readonly with?: Readonly<Record<string, unknown>>;
        }[];
      }
    >
  >;
}

const WORKFLOWS = readdirSync(join(repoFolder(), ".github", "workflows")).map(
  (name) => [name, parse(read(`.github/workflows/${name}`)) as Workflow] as const,
);

test("workflows may do nothing but what they say, and end", () => {
  for (const [name, { permissions, jobs }] of WORKFLOWS) {
    assert.deepEqual(permissions, { contents: "read" }, name);
    for (const [job, { "timeout-minutes": minutes }] of Object.entries(jobs))
      assert.ok(minutes, `${name}: ${job} has no timeout`);
  }
});

test("the npm package, the image and the chart are released with provenance, and what is in them is listed", () => {
  const release = WORKFLOWS.find(([name]) => name === "release.yml")?.[1];
  assert.ok(release !== undefined);
  const { check, npm, image, chart } = release.jobs;
  const runs = (job: typeof check): string => (job?.steps ?? []).map(({ run }) => run ?? "").join("\n");
  assert.match(runs(check), /npm run release:check -- "?\$GITHUB_REF_NAME/);
  assert.match(runs(npm), /npm publish --provenance/);
  assert.match(runs(npm), /npm sbom/);
  assert.equal(npm?.permissions?.["id-token"], "write");
  const build = image?.steps.find(({ uses }) => uses?.startsWith("docker/build-push-action@"));
  assert.deepEqual(
    [build?.with?.["provenance"], build?.with?.["sbom"], build?.with?.["platforms"]],
    ["mode=max", true, "linux/amd64,linux/arm64"],
  );
  assert.match(runs(chart), /helm push/);
  assert.ok(chart?.steps.some(({ uses }) => uses?.startsWith("actions/attest-build-provenance@")));
});

test("every npm script that a workflow runs exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const [name] of WORKFLOWS) {
    for (const [, script = ""] of read(`.github/workflows/${name}`).matchAll(/npm run ([\w:]+)/g)) {
      assert.ok(scripts[script] !== undefined, `${name}: npm run ${script}`);
    }
  }
});
