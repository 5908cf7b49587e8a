import assert from "node:assert/strict";
import { test } from "node:test";
import { HELM_MAJORS, helm } from "../support/helm.ts";
import { CHART, CI_VALUES, objectsOf, template, withValues } from "./rendering.ts";

test("there is a file of values for every mode", () => {
  assert.deepEqual(
    ["deployment", "statefulset", "mosquitto", "sidecar"].filter((mode) => !CI_VALUES.includes(`${mode}-values.yaml`)),
    [],
  );
});

for (const major of HELM_MAJORS) {
  test(`this is Helm ${major}`, () => {
    assert.match(helm(major, ["version", "--short"]).out, new RegExp(`^v${major}\\.`));
  });

  for (const name of CI_VALUES) {
    test(`Helm ${major} finds nothing wrong with the chart and ${name}`, () => {
      const { code, out, error } = withValues(name, (file) =>
        helm(major, ["lint", "--strict", CHART, "--values", file]),
      );
      assert.equal(code, 0, out + error);
      assert.doesNotMatch(out, /WARNING|ERROR/);
    });
  }
}

for (const name of CI_VALUES) {
  test(`both versions of Helm make the same of ${name}`, () => {
    const [three, four] = HELM_MAJORS.map((major) => template(name, { major }));
    assert.deepEqual([three?.code, four?.code], [0, 0], `${three?.error}${four?.error}`);
    assert.ok(objectsOf(four?.out ?? "").length > 0);
    assert.deepEqual(objectsOf(four?.out ?? ""), objectsOf(three?.out ?? ""));
  });
}

test("names stay within what Kubernetes allows, whatever the release is called", () => {
  const release = "a-release-with-a-name-of-the-greatest-length-allowed-";
  const { code, out, error } = template("mosquitto-values.yaml", { release });
  assert.equal(code, 1, out);
  assert.match(error, /release name/);
  const { out: good } = template("mosquitto-values.yaml", { release: release.slice(0, -1) });
  for (const { kind, metadata } of objectsOf(good)) {
    assert.ok(metadata.name.length <= 63 && !metadata.name.endsWith("-"), `${kind} ${metadata.name}`);
  }
});

test("Helm says after an install how to verify the link, in each mode", () => {
  for (const name of CI_VALUES) {
    const { code, out, error } = withValues(name, (file) =>
      helm(4, ["install", "r", CHART, "--namespace", "ns", "--values", file, "--dry-run=client"]),
    );
    assert.equal(code, 0, error);
    const notes = out.slice(out.indexOf("\nNOTES:\n"));
    const wanted = name.startsWith("sidecar")
      ? [
          'include "brokerlink.sidecar.container" .Subcharts.brokerlink',
          "  - name: brokerlink\n",
          "volumes:\n  - name: brokerlink-config",
        ]
      : ["helm test r --namespace ns", "port-forward", "/readyz", "brokerlink_(link_up|interest_exact)"];
    assert.deepEqual(
      wanted.filter((text) => !notes.includes(text)),
      [],
      `${name}: ${notes}`,
    );
  }
});
