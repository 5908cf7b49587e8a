/** The chart as Helm renders it: objects, and what tests look up in them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { type HelmMajor, helm } from "../support/helm.ts";
import { repoFolder } from "../support/repo-folder.ts";

export const CHART = join(repoFolder(), "helm", "brokerlink");
const CI = join(CHART, "ci");

/** Names of the files in ci/. */
export const CI_VALUES: readonly string[] = readdirSync(CI)
  .filter((name) => name.endsWith("-values.yaml"))
  .sort();

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly [key: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly args?: readonly string[];
  readonly startupProbe?: unknown;
  readonly readinessProbe?: { readonly httpGet?: { readonly path: string } };
  readonly livenessProbe?: { readonly httpGet?: { readonly path: string } };
  readonly lifecycle?: unknown;
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface SecurityContext {
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly securityContext?: SecurityContext;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
}

export interface RenderOptions {
  readonly major?: HelmMajor;
  readonly chart?: string;
  readonly release?: string;
  readonly more?: readonly string[];
  /** Files of values that lie under the given ones. */
  readonly beneath?: readonly string[];
}

/** Of a file in ci/, or of values. */
export function render(values: string | object, options: RenderOptions = {}): KubeObject[] {
  const { code, out, error } = template(values, options);
  if (code !== 0) throw new Error(`helm template failed with ${code}: ${error}`);
  return objectsOf(out);
}

/** As Helm answers, good or bad. */
export function template(values: string | object, options: RenderOptions = {}): ReturnType<typeof helm> {
  const { major = 4, chart = CHART, release = "r", more = [], beneath = [] } = options;
  return withValues(values, (file) =>
    helm(major, [
      "template",
      release,
      chart,
      "--namespace",
      "ns",
      ...beneath.flatMap((path) => ["--values", path]),
      "--values",
      file,
      ...more,
    ]),
  );
}

export function withValues<T>(values: string | object, use: (file: string) => T): T {
  if (typeof values === "string") return use(values.includes("/") ? values : join(CI, basename(values)));
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-values-"));
  try {
    const file = join(folder, "values.json");
    writeFileSync(file, JSON.stringify(values));
    return use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** YAML 1.1, as Kubernetes reads it: 0440 is octal. */
export function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text, { version: "1.1" }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

/** The one object of a kind; `suffix` tells several apart. */
export function only(objects: readonly KubeObject[], kind: string, suffix = ""): KubeObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(suffix));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} objects of kind ${kind}: ${objects.map((object) => object.kind)}`);
  }
  return first;
}

/** Every pod that the objects bring, with where it stands. */
export function podsOf(objects: readonly KubeObject[]): { readonly where: string; readonly spec: PodSpec }[] {
  return objects.flatMap((object) => {
    const where = `${object.kind} ${object.metadata.name}`;
    if (object.kind === "Pod") return [{ where, spec: object["spec"] as PodSpec }];
    const spec = object["spec"] as { readonly template?: { readonly spec?: PodSpec } } | undefined;
    return spec?.template?.spec === undefined ? [] : [{ where, spec: spec.template.spec }];
  });
}

/** The pod that runs an agent, and the agent in it. */
export function agentPod(objects: readonly KubeObject[]): { readonly spec: PodSpec; readonly agent: Container } {
  for (const { spec } of podsOf(objects)) {
    const agent = [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === "brokerlink");
    if (agent !== undefined) return { spec, agent };
  }
  throw new Error("no pod has an agent");
}

/** Text of a key of the ConfigMap with the agent's configuration. */
export function configText(objects: readonly KubeObject[], key: string): string {
  for (const object of objects) {
    const data = object["data"] as Record<string, string> | undefined;
    if (object.kind === "ConfigMap" && data?.["brokerlink.yaml"] !== undefined) return data[key] ?? "";
  }
  throw new Error("no ConfigMap has a brokerlink.yaml");
}

export function ciText(name: string): string {
  return readFileSync(join(CI, name), "utf8");
}
