/** The agent in the pods of other charts: the named templates, and the examples that were made with them. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { HELM_MAJORS, helm } from "../support/helm.ts";
import { repoFolder } from "../support/repo-folder.ts";
import { agentPod, CHART, type Container, objectsOf, type PodSpec, render, withValues } from "./rendering.ts";

const EXAMPLES = join(repoFolder(), "examples", "kubernetes");
let parent = "";

/** What `helm dependency build` does, without a repository. */
before(() => {
  parent = mkdtempSync(join(tmpdir(), "brokerlink-parent-"));
  cpSync(join(EXAMPLES, "parent-chart"), parent, { recursive: true });
  cpSync(CHART, join(parent, "charts", "brokerlink"), { recursive: true });
});
after(() => rmSync(parent, { recursive: true, force: true }));

for (const major of HELM_MAJORS) {
  test(`Helm ${major} renders a chart that takes the sidecar from this one`, () => {
    const lint = helm(major, ["lint", "--strict", parent]);
    assert.equal(lint.code, 0, lint.out + lint.error);
    const objects = objectsOf(helm(major, ["template", "r", parent, "--namespace", "ns"]).out);
    assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
      "ConfigMap r-brokerlink",
      "Pod r-brokerlink-test-ready",
      "Service r-brokerlink",
      "StatefulSet r-broker",
    ]);
    const { spec, agent } = agentPod(objects);
    assert.deepEqual([agent.restartPolicy, agent.readinessProbe, agent.image], ["Always", undefined, agentImage()]);
    const mounted = new Set((agent.volumeMounts ?? []).map(({ name }) => name));
    const claims = ["brokerlink-spool"];
    const there = new Set([...(spec.volumes ?? []).map((volume) => volume["name"]), ...claims]);
    assert.deepEqual(
      [...mounted].filter((name) => !there.has(name)),
      [],
    );
  });
}

/** Its tag is this chart's appVersion, whatever the chart around it is called and versioned. */
function agentImage(): string {
  const { appVersion } = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")) as { appVersion: string };
  return `ghcr.io/brokerlink/brokerlink:${appVersion}`;
}

test("the named templates follow an alias, and a changed configuration restarts the pod around it", () => {
  const sum = (more: readonly string[]): unknown => {
    const { out } = helm(4, ["template", "r", parent, ...more]);
    const [set] = objectsOf(out).filter(({ kind }) => kind === "StatefulSet");
    assert.ok(set !== undefined);
    const { template } = set["spec"] as { template: { metadata: { annotations: Record<string, string> } } };
    return template.metadata.annotations["checksum/config"];
  };
  assert.notEqual(sum([]), sum(["--set", "brokerlink.config.log.level=warn"]));
});

/** What `helm install brokerlink` prints for pasting. */
function printed(broker: string): {
  readonly initContainers: readonly Container[];
  readonly volumes: PodSpec["volumes"];
} {
  const values = join(EXAMPLES, "other-charts", `brokerlink-beside-${broker}.yaml`);
  const { code, out, error } = withValues(values, (file) =>
    helm(4, ["install", "brokerlink", CHART, "--values", file, "--dry-run=client"]),
  );
  assert.equal(code, 0, error);
  return parse(out.slice(out.indexOf("\ninitContainers:\n")), { version: "1.1" });
}

function example(broker: string): Record<string, unknown> {
  return parse(readFileSync(join(EXAMPLES, "other-charts", `${broker}.yaml`), "utf8"), { version: "1.1" });
}

test("the example for EMQX's charts has the container and the volumes that the chart prints", () => {
  const { initContainers, volumes } = printed("emqx");
  const { initContainers: own, extraVolumes, replicaCount } = example("emqx");
  assert.deepEqual([own, extraVolumes, replicaCount], [initContainers, volumes, 1]);
});

test("the example for Mosquitto's community charts does too", () => {
  const { initContainers, volumes } = printed("mosquitto");
  const { initContainers: own, additionalVolumes, strategy } = example("mosquitto");
  assert.deepEqual([own, additionalVolumes, strategy], [initContainers, volumes, { type: "Recreate" }]);
});

test("the example for HiveMQ's chart has the container, and names the same volumes in that chart's form", () => {
  const { initContainers, volumes } = printed("hivemq");
  const { additionalInitContainers, additionalVolumes } = example("hivemq");
  assert.deepEqual(additionalInitContainers, initContainers);
  const named = (additionalVolumes as { type: string; name: string; mountName?: string; containerName: string }[]).map(
    ({ type, name, mountName = name, containerName }) => {
      assert.equal(containerName, "brokerlink");
      return `${mountName}: ${type}`;
    },
  );
  const wanted = (volumes ?? []).map(({ name, ...rest }) => `${name}: ${Object.keys(rest)[0]}`);
  assert.deepEqual(named, wanted);
});

test("in a pod of somebody else the agent can read its Secret, whatever the pod's group", () => {
  const modes = (spec: PodSpec): unknown[] =>
    (spec.volumes ?? []).flatMap(
      (volume) => (volume["secret"] as { defaultMode?: number } | undefined)?.defaultMode ?? [],
    );
  assert.deepEqual(new Set(modes({ containers: [], volumes: printed("emqx").volumes ?? [] })), new Set([0o444]));
  assert.deepEqual(new Set(modes(agentPod(render("statefulset-values.yaml")).spec)), new Set([0o440]));
});
