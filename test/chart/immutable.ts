/** What Kubernetes never lets an upgrade change, of each object. */
import type { KubeObject } from "./rendering.ts";

/** `Kind name` → its fields that stay as they were made; an object without one is there for its name alone. */
export function immutableParts(objects: readonly KubeObject[]): Record<string, unknown> {
  const parts: Record<string, unknown> = {};
  for (const object of objects) {
    // Hooks are made anew each time.
    if (object.metadata.annotations?.["helm.sh/hook"] !== undefined) continue;
    const spec = (object["spec"] ?? {}) as Record<string, unknown>;
    const fields: Record<string, readonly string[]> = {
      Deployment: ["selector"],
      StatefulSet: ["selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"],
    };
    const kept = (fields[object.kind] ?? []).map((field) => [field, spec[field] ?? null]);
    parts[`${object.kind} ${object.metadata.name}`] = Object.fromEntries(kept);
  }
  return parts;
}
