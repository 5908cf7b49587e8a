/** The Pod Security Standard "restricted" (kubernetes.io/docs/concepts/security/pod-security-standards), on every pod. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CI_VALUES, type Container, type PodSpec, podsOf, render } from "./rendering.ts";

const VOLUMES: ReadonlySet<string> = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
const SECCOMP: ReadonlySet<string | undefined> = new Set(["RuntimeDefault", "Localhost"]);

function violations(spec: PodSpec): string[] {
  const problems: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || problems.push(what));
  must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, "namespaces of the host");
  for (const volume of spec.volumes ?? []) {
    const kinds = Object.keys(volume).filter((key) => key !== "name");
    must(
      kinds.every((kind) => VOLUMES.has(kind)),
      `volume ${JSON.stringify(volume)}`,
    );
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const what of containerViolations(container, spec)) must(false, `${container.name}: ${what}`);
  }
  return problems;
}

function containerViolations(
  { securityContext: own = {} }: Container,
  { securityContext: pod = {} }: PodSpec,
): string[] {
  const user = own.runAsUser ?? pod.runAsUser;
  return [
    own.allowPrivilegeEscalation === false ? "" : "allowPrivilegeEscalation",
    own.privileged !== true ? "" : "privileged",
    own.capabilities?.drop?.includes("ALL") === true ? "" : "capabilities are not all dropped",
    (own.capabilities?.add ?? []).every((capability) => capability === "NET_BIND_SERVICE") ? "" : "capabilities added",
    (own.runAsNonRoot ?? pod.runAsNonRoot) === true ? "" : "runAsNonRoot",
    user === undefined || user > 0 ? "" : "runAsUser 0",
    SECCOMP.has((own.seccompProfile ?? pod.seccompProfile)?.type) ? "" : "seccompProfile",
  ].filter((problem) => problem !== "");
}

for (const name of CI_VALUES) {
  test(`every pod of ${name} is restricted, with a read-only root for what is ours`, () => {
    for (const { where, spec } of podsOf(render(name))) {
      assert.deepEqual(violations(spec), [], where);
      assert.equal(spec.automountServiceAccountToken, false, `${where} gets a token of its service account`);
      for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
        if (["idle", "first"].includes(container.name)) continue;
        assert.equal(container.securityContext?.readOnlyRootFilesystem, true, `${where}: ${container.name}`);
        assert.ok(container.resources?.limits?.["memory"], `${where}: ${container.name} has no memory limit`);
        for (const mount of container.volumeMounts ?? []) {
          const writable = /-(spool|data)$/.test(mount.name) || mount.name === "more";
          assert.equal(mount.readOnly === true, !writable, `${where}: ${mount.name}`);
        }
      }
    }
  });
}

test("a pod that is not restricted would be seen", () => {
  const lax = { securityContext: { runAsUser: 0, capabilities: { drop: [] } } };
  for (const { spec } of podsOf(render("deployment-values.yaml"))) {
    const [container] = spec.containers;
    assert.ok(container !== undefined);
    assert.ok(violations({ ...spec, containers: [{ ...container, ...lax }] }).length >= 3);
    assert.deepEqual(violations({ ...spec, hostNetwork: true }), ["namespaces of the host"]);
    assert.equal(violations({ ...spec, volumes: [{ name: "x", hostPath: { path: "/" } }] }).length, 1);
  }
});
