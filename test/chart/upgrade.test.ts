/**
 * Upgrades from released versions of the chart: their values still render, and nothing changes that Kubernetes refuses to change. For each
 * version, released/ has its values.yaml (what `helm upgrade --reuse-values` brings along), the user's values of its ci/, and the parts
 * of its objects that must stay. A release adds its own: `UPDATE_RELEASED=1 node --test build/test/chart/upgrade.test.js`.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { repoFolder } from "../support/repo-folder.ts";
import { immutableParts } from "./immutable.ts";
import { CHART, CI_VALUES, ciText, render } from "./rendering.ts";

const RELEASED = join(repoFolder(), "test", "chart", "released");
const { version: VERSION } = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")) as { version: string };

interface Scenario {
  /** The user's values. */
  readonly values: object;
  readonly immutable: Record<string, unknown>;
}

if (process.env["UPDATE_RELEASED"] === "1") {
  const scenarios: Record<string, Scenario> = {};
  for (const name of CI_VALUES)
    scenarios[name] = { values: parse(ciText(name)), immutable: immutableParts(render(name)) };
  mkdirSync(join(RELEASED, VERSION), { recursive: true });
  writeFileSync(join(RELEASED, VERSION, "scenarios.json"), `${JSON.stringify(scenarios, null, 2)}\n`);
  writeFileSync(join(RELEASED, VERSION, "values.yaml"), readFileSync(join(CHART, "values.yaml")));
}

const VERSIONS = readdirSync(RELEASED).sort();

test("the version that this chart has is among those that upgrades are tried from", () => {
  assert.ok(existsSync(join(RELEASED, VERSION, "scenarios.json")), `run it once with UPDATE_RELEASED=1 for ${VERSION}`);
});

for (const version of VERSIONS) {
  const scenarios = JSON.parse(readFileSync(join(RELEASED, version, "scenarios.json"), "utf8")) as Record<
    string,
    Scenario
  >;
  for (const [name, { values, immutable }] of Object.entries(scenarios)) {
    test(`an upgrade from ${version} with the values of ${name} changes nothing that must stay`, () => {
      const now = immutableParts(render(values));
      for (const [object, parts] of Object.entries(immutable)) assert.deepEqual(now[object], parts, object);
    });

    test(`${name} of ${version} upgrades with --reuse-values too`, () => {
      const old = join(RELEASED, version, "values.yaml");
      const now = immutableParts(render(values, { beneath: [old] }));
      for (const [object, parts] of Object.entries(immutable)) assert.deepEqual(now[object], parts, object);
    });
  }
}

test("a selector that changes would be seen", () => {
  const before = immutableParts(render("deployment-values.yaml"));
  const after = immutableParts(
    render("deployment-values.yaml", { more: ["--set", "nameOverride=other,fullnameOverride=r-brokerlink"] }),
  );
  assert.notDeepEqual(after["Deployment r-brokerlink"], before["Deployment r-brokerlink"]);
});
