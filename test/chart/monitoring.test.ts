import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { repoFolder } from "../support/repo-folder.ts";
import { CHART, type KubeObject, only, render } from "./rendering.ts";

const read = (path: string): string => readFileSync(join(repoFolder(), path), "utf8");
const OBJECTS = render("deployment-full-values.yaml");

for (const name of ["alerts.yaml", "dashboard.json"]) {
  test(`the chart's ${name} is that of examples/monitoring: npm run docs`, () => {
    assert.equal(readFileSync(join(CHART, "files", name), "utf8"), read(`examples/monitoring/${name}`));
  });
}

test("the PrometheusRule has the example's groups, templates and all, and then the user's own", () => {
  const { groups } = only(OBJECTS, "PrometheusRule")["spec"] as { groups: { name: string }[] };
  const { groups: example } = parse(read("examples/monitoring/alerts.yaml")) as { groups: object[] };
  assert.deepEqual(groups.slice(0, -1), example);
  assert.equal(groups.at(-1)?.name, "mine");
});

test("the dashboard is in a ConfigMap that Grafana's sidecar finds, under a name of its own", () => {
  const object: KubeObject = only(OBJECTS, "ConfigMap", "-dashboards");
  assert.equal(object.metadata.labels?.["grafana_dashboard"], "1");
  assert.equal(object.metadata.annotations?.["grafana_folder"], "MQTT");
  const data = object["data"] as Record<string, string>;
  assert.deepEqual(Object.keys(data), ["link-a.json"]);
  assert.deepEqual(JSON.parse(data["link-a.json"] ?? ""), JSON.parse(read("examples/monitoring/dashboard.json")));
});
