/**
 * The configuration in environment variables: `BROKERLINK_LOCAL__SERVER`, `BROKERLINK_LINKS__0__SERVER`, or all links as
 * JSON in `BROKERLINK_LINKS`. A variable that begins so and names no key is a typing error, and a problem.
 */
import { didYouMean } from "./closest.ts";
import type { Keys, Leaf } from "./format.ts";
import { LINK_KEYS, LINK_REFUSED } from "./link-keys.ts";
import { printable } from "./printable.ts";
import type { Path } from "./problem.ts";
import { AGENT_KEYS, AGENT_REFUSED } from "./schema.ts";
import { textValue } from "./text-value.ts";

export const ENVIRONMENT_PREFIX = "BROKERLINK_";

/**
 * What Kubernetes puts into every container when a Service is called `brokerlink` or `brokerlink-…`. None of our keys
 * ends so with single underscores before it.
 */
const KUBERNETES =
  /^BROKERLINK(_[A-Z0-9]+)*_(SERVICE_(HOST|PORT(_[A-Z0-9]+)*)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

export interface Setting {
  readonly path: Path;
  readonly value: unknown;
  /** The variable or flag that says it. */
  readonly label: string;
}

export interface Environment {
  /** Whole values before their parts: `links` before `links[0].server`. */
  readonly settings: readonly Setting[];
  readonly problems: readonly { readonly variable: string; readonly message: string }[];
}

/** Empty variables count as absent: compose files and charts make them from defaults. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const settings: Setting[] = [];
  const problems: { variable: string; message: string }[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(ENVIRONMENT_PREFIX) || text === undefined || text === "") continue;
    const found = leafOf(variable);
    if (found !== null) {
      settings.push({ path: found.path, value: textValue(text, found.leaf.format.text), label: variable });
    } else if (!KUBERNETES.test(variable)) {
      problems.push({ variable: printable(variable), message: unknownVariable(variable) });
    }
  }
  settings.sort((a, b) => a.path.length - b.path.length || byIndex(a.path, b.path));
  return { settings, problems };
}

/** The variable of a key; `path` of a link's key begins with `links` and an index. */
export function variableOf(path: Path): string {
  return ENVIRONMENT_PREFIX + path.map((segment) => `${segment}`.toUpperCase()).join("__");
}

function leafOf(variable: string): { readonly leaf: Leaf<unknown>; readonly path: Path } | null {
  const segments = variable.slice(ENVIRONMENT_PREFIX.length).split("__");
  if (segments.some((segment) => segment !== segment.toUpperCase())) return null;
  const names = segments.map((segment) => segment.toLowerCase());
  const [first, index = "", ...rest] = names;
  if (first === "links" && names.length > 1) {
    if (!/^\d{1,4}$/.test(index)) return null;
    const leaf = find(LINK_KEYS, rest);
    return leaf === null ? null : { leaf, path: ["links", Number(index), ...rest] };
  }
  const leaf = find(AGENT_KEYS, names);
  return leaf === null ? null : { leaf, path: names };
}

function find(keys: Keys, names: readonly string[]): Leaf<unknown> | null {
  const [first, ...rest] = names;
  const node = first !== undefined && Object.hasOwn(keys, first) ? keys[first] : undefined;
  if (node === undefined) return null;
  if (node.kind === "group") return find(node.keys, rest);
  return rest.length === 0 ? node : null;
}

function unknownVariable(variable: string): string {
  const names = variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase().split("__");
  const isLink = names[0] === "links";
  const name = names.slice(isLink ? 2 : 0).join(".");
  const refused = isLink ? LINK_REFUSED : AGENT_REFUSED;
  if (Object.hasOwn(refused, name)) return refused[name] ?? "";
  const index = isLink && /^\d{1,4}$/.test(names[1] ?? "") ? Number(names[1]) : 0;
  const known = [...leafPaths(AGENT_KEYS, []), ...leafPaths(LINK_KEYS, ["links", index])].map(variableOf);
  return `is no variable of brokerlink${didYouMean(variable, known)}`;
}

function leafPaths(keys: Keys, base: Path): Path[] {
  return Object.entries(keys).flatMap(([key, node]) =>
    node.kind === "group" ? leafPaths(node.keys, [...base, key]) : [[...base, key]],
  );
}

function byIndex(a: Path, b: Path): number {
  return typeof a[1] === "number" && typeof b[1] === "number" ? a[1] - b[1] : 0;
}
