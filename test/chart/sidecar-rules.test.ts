/** What is right beside a broker (docs/KUBERNETES.md): probes, order of start and end, one agent at a time, what may be reached. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DRAIN_MS } from "../../src/agent/agent.ts";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { agentPod, CI_VALUES, configText, type KubeObject, only, render } from "./rendering.ts";

const WITH_POD = CI_VALUES.filter((name) => !name.startsWith("sidecar"));
/** What run.ts adds to the drain before it gives up. */
const OVERSTAY_MS = 10_000;

for (const name of WITH_POD) {
  test(`${name}: no probe waits for a broker's start, and none asks about a peer`, () => {
    const { agent } = agentPod(render(name));
    assert.equal(agent.startupProbe, undefined);
    assert.equal(agent.lifecycle, undefined, "SIGTERM does it");
    const paths = [agent.livenessProbe?.httpGet?.path, agent.readinessProbe?.httpGet?.path];
    assert.ok(paths[0] === "/livez" || paths[0] === undefined);
    assert.ok(paths[1] === "/readyz" || paths[1] === undefined);
  });

  test(`${name}: the agent has time to hand over what it has, and Kubernetes' own variables do not disturb it`, () => {
    const { spec } = agentPod(render(name));
    assert.ok((spec.terminationGracePeriodSeconds ?? 0) * 1_000 > DRAIN_MS + OVERSTAY_MS);
    assert.equal(spec.enableServiceLinks, false);
  });

  test(`${name}: never two agents of one cluster`, () => {
    const objects = render(name);
    const [workload] = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    const spec = workload?.["spec"] as { replicas: number; strategy?: object; podManagementPolicy?: string };
    assert.ok(spec.replicas <= 1);
    if (workload?.kind === "Deployment") assert.deepEqual(spec.strategy, { type: "Recreate" });
    assert.equal(objects.filter(({ kind }) => kind === "HorizontalPodAutoscaler").length, 0);
  });
}

test("in Mosquitto's pod the agent is a native sidecar, and its readiness is not the pod's", () => {
  const { spec, agent } = agentPod(render("mosquitto-values.yaml"));
  assert.equal(spec.initContainers?.at(-1), agent);
  assert.equal(agent.restartPolicy, "Always");
  assert.equal(agent.readinessProbe, undefined);
  const { agent: asked } = agentPod(render("mosquitto-tls-values.yaml"));
  assert.equal(asked.readinessProbe?.httpGet?.path, "/readyz", "unless somebody wants it so");
});

test("in a pod of its own the agent is an ordinary container that can be not ready", () => {
  for (const name of ["deployment-values.yaml", "statefulset-values.yaml"]) {
    const { spec, agent } = agentPod(render(name));
    assert.equal(spec.containers[0], agent);
    assert.equal(agent.restartPolicy, undefined);
    assert.equal(agent.readinessProbe?.httpGet?.path, "/readyz");
  }
});

test("the agent has the request and the limit that were measured", () => {
  const { agent } = agentPod(render("deployment-values.yaml"));
  assert.equal(agent.resources?.requests?.["memory"], "96Mi");
  assert.deepEqual(agent.resources?.limits, { memory: "192Mi" }, "no CPU limit");
});

test("a changed configuration restarts the pod, and nothing else does", () => {
  const sums = (values: object): unknown => {
    const spec = only(render(values), "Deployment")["spec"] as { template: { metadata: { annotations: unknown } } };
    return spec.template.metadata.annotations;
  };
  const config = { cluster: "a", local: { server: "mqtt://h", broker: "mosquitto" } };
  assert.deepEqual(sums({ config }), sums({ config, service: { port: 80 } }));
  assert.notDeepEqual(sums({ config }), sums({ config: { ...config, log: { level: "warn" } } }));
});

test("mosquitto.conf has every line that the agent asks for", () => {
  const lines = configText(render("mosquitto-values.yaml"), "mosquitto.conf").split("\n");
  assert.deepEqual(
    MOSQUITTO_LINES.filter((line) => !lines.includes(line)),
    [],
  );
});

test("with TLS only the agent in the pod can do without it", () => {
  const objects = render("mosquitto-tls-values.yaml");
  const lines = configText(objects, "mosquitto.conf").split("\n");
  assert.ok(lines.includes("listener 1883 127.0.0.1") && lines.includes("listener 8883"));
  const { ports } = only(objects, "Service", "-mosquitto")["spec"] as { ports: { name: string }[] };
  assert.deepEqual(
    ports.map(({ name }) => name),
    ["mqtts"],
  );
});

test("an own access list replaces the chart's", () => {
  assert.equal(render("mosquitto-tls-values.yaml").filter(({ kind }) => kind === "Secret").length, 0);
  assert.equal(render("mosquitto-values.yaml").filter(({ kind }) => kind === "Secret").length, 1);
});

interface Rule {
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly to?: readonly unknown[];
  readonly from?: readonly unknown[];
}

function policy(objects: readonly KubeObject[]): {
  readonly egress: readonly Rule[];
  readonly ingress: readonly Rule[];
} {
  return only(objects, "NetworkPolicy")["spec"] as { egress: Rule[]; ingress: Rule[] };
}

test("the network policy lets out to names, the local broker and the peers, and to nothing else", () => {
  const ports = (name: string): unknown =>
    policy(render(name)).egress.map((rule) => rule.ports.map(({ port }) => port));
  assert.deepEqual(ports("deployment-full-values.yaml"), [[53, 53], [8883, 443], [8883], [443]]);
  assert.deepEqual(ports("memory-values.yaml"), [[53, 53], [1883], [80, 2883, 2884]]);
  assert.deepEqual(ports("statefulset-values.yaml"), [[53, 53], [1883], [8883]]);
  assert.deepEqual(ports("mosquitto-tls-values.yaml"), [[53, 53], [8883]], "the local broker is on loopback");
  const [, local, peers] = policy(render("deployment-full-values.yaml")).egress;
  assert.deepEqual(peers?.to, [{ ipBlock: { cidr: "192.0.2.7/32" } }]);
  assert.ok(local?.to !== undefined);
});

test("the network policy lets in to health and metrics, and clients to Mosquitto", () => {
  const ports = policy(render("mosquitto-tls-values.yaml")).ingress.map((rule) => rule.ports.map(({ port }) => port));
  assert.deepEqual(ports, [[9464], [8883]]);
  assert.ok(policy(render("deployment-full-values.yaml")).ingress[0]?.from !== undefined);
});

test("the Service finds the agent's pod, the monitors find the Service or the pod, and the test pod is not among them", () => {
  const matches = (selector: object, labels: Record<string, string> | undefined): boolean =>
    Object.entries(selector).every(([key, value]) => labels?.[key] === value);
  for (const name of ["deployment-full-values.yaml", "mosquitto-tls-values.yaml"]) {
    const objects = render(name);
    const [workload] = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    assert.ok(workload !== undefined);
    const pod = (workload["spec"] as { template: KubeObject }).template.metadata.labels;
    for (const service of objects.filter(({ kind }) => kind === "Service")) {
      const { selector } = service["spec"] as { selector: object };
      assert.ok(matches(selector, pod), service.metadata.name);
      assert.ok(!matches(selector, only(objects, "Pod").metadata.labels), "the test pod asks, and does not answer");
    }
    for (const monitor of objects.filter(({ kind }) => kind === "ServiceMonitor" || kind === "PodMonitor")) {
      const { matchLabels } = (monitor["spec"] as { selector: { matchLabels: object } }).selector;
      const found =
        monitor.kind === "PodMonitor"
          ? [pod]
          : objects.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata.labels);
      assert.equal(found.filter((labels) => matches(matchLabels, labels)).length, 1, monitor.kind);
    }
  }
});
