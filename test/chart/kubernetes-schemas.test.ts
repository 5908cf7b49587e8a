/** Rendered objects against the schemas that Kubernetes and the Prometheus operator publish. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { repoFolder } from "../support/repo-folder.ts";
import { CI_VALUES, type KubeObject, render } from "./rendering.ts";

const require = createRequire(import.meta.url);

interface Model {
  validate(): void;
}

/** The module with the schema of a kind, and whether it is of Kubernetes itself. */
function moduleOf({ apiVersion, kind }: KubeObject): string {
  const group = apiVersion.startsWith("monitoring.coreos.com/")
    ? "@kubernetes-models/prometheus-operator"
    : "kubernetes-models";
  return `${group}/${apiVersion}/${kind}`;
}

function schemaProblem(object: KubeObject): string | null {
  const Kind = (require(moduleOf(object)) as Record<string, new (data: unknown) => Model>)[object.kind];
  if (Kind === undefined) throw new Error(`no schema for ${object.kind}`);
  try {
    new Kind(object).validate();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

for (const name of CI_VALUES) {
  test(`every object of ${name} has the shape that Kubernetes publishes`, () => {
    for (const object of render(name))
      assert.equal(schemaProblem(object), null, `${object.kind} ${object.metadata.name}`);
  });
}

test("the schemas refuse what is wrong", () => {
  const [object] = render("deployment-values.yaml").filter(({ kind }) => kind === "Deployment");
  assert.ok(object !== undefined);
  assert.match(
    schemaProblem({ ...object, spec: { ...(object["spec"] as object), replicas: "one" } }) ?? "",
    /replicas/,
  );
});

/** The validators let unknown fields pass; the types made from the same schemas do not. */
function unknownFields(objects: readonly KubeObject[]): string {
  const folder = join(repoFolder(), "node_modules", ".cache", `chart-types-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const lines = objects.map(
      (object, index) =>
        `import type { I${object.kind} as T${index} } from "${moduleOf(object)}";\nexport const o${index}: T${index} = ${JSON.stringify(object)};`,
    );
    writeFileSync(join(folder, "objects.ts"), lines.join("\n"));
    const flags = [
      "--ignoreConfig",
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--target",
      "es2023",
      "--module",
      "nodenext",
      "--types",
      "node",
    ];
    const tsc = join(repoFolder(), "node_modules", ".bin", "tsc");
    execFileSync(tsc, [...flags, "objects.ts"], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    return "";
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    return said || String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("no object has a field that Kubernetes does not know", () => {
  assert.equal(unknownFields(CI_VALUES.flatMap((name) => render(name))), "");
});

test("a misspelt field would be seen", () => {
  const [object] = render("deployment-values.yaml").filter(({ kind }) => kind === "Service");
  assert.ok(object !== undefined);
  const found = unknownFields([{ ...object, spec: { ...(object["spec"] as object), publishNotReadyAdresses: true } }]);
  assert.match(found, /publishNotReadyAdresses/);
});
