/**
 * Lays the sources over one another: file < environment < flags. Groups are merged key by key, everything else is
 * replaced; links are found by index (environment) or by name (flags). Nothing is checked but what merging itself needs.
 */
import type { Setting } from "./environment.ts";
import { type FlagValues, flagSettings, serverValue } from "./flags.ts";
import { grouped } from "./formats.ts";
import { LINKS_MAX } from "./links-format.ts";
import type { Origins } from "./origins.ts";
import { quotedAddress } from "./printable.ts";
import type { Path, ProblemList } from "./problem.ts";
import { isTree, type Tree, tree } from "./tree.ts";

/** Changes `root`. */
export function applySettings(root: Tree, settings: readonly Setting[], origins: Origins, problems: ProblemList): void {
  for (const { path, value, label } of settings) {
    const problem = put(root, path, value, origins, label);
    if (problem !== null) problems.addNamed(label, problem, null);
    else origins.set(path, label);
  }
}

/** Changes `root`. */
export function applyFlags(root: Tree, flags: FlagValues, origins: Origins, problems: ProblemList): void {
  applySettings(root, flagSettings(flags), origins, problems);
  const seen = new Set<string>();
  for (const { name, server } of flags.links ?? []) {
    if (seen.has(name)) {
      problems.addNamed(
        "--link",
        `${quotedAddress(name)} is given twice; several URLs of one peer go behind one sign, with commas`,
        null,
      );
      continue;
    }
    seen.add(name);
    const links = linksOf(root);
    if (links === null) return;
    let index = indexOf(links, name);
    if (index < 0) {
      index = links.length;
      links.push(Object.assign(tree(), { name }));
      origins.set(["links", index], "--link");
    }
    set(links[index], "server", server === null ? null : serverValue(server));
    origins.set(["links", index, "server"], "--link");
  }
  const topics = new Map<string, string[]>();
  for (const { name, filters } of flags.topics ?? []) topics.set(name, [...(topics.get(name) ?? []), ...filters]);
  for (const [name, filters] of topics) {
    const links = linksOf(root);
    if (links === null) return;
    const index = indexOf(links, name);
    if (index < 0)
      problems.addNamed("--topics", `there is no link ${quotedAddress(name)}: name it with --link too`, null);
    else {
      set(links[index], "topics", filters);
      origins.set(["links", index, "topics"], "--topics");
    }
  }
}

/** Null: done; else what is wrong. */
function put(root: Tree, path: Path, value: unknown, origins: Origins, label: string): string | null {
  let at: Tree = root;
  const last = path.at(-1);
  const way = path.slice(0, -1);
  for (const [depth, segment] of way.entries()) {
    if (typeof segment === "number") continue;
    const next = path[depth + 1];
    if (typeof next === "number") {
      const links = linksOf(root);
      // The list itself is wrong, and is reported as such.
      if (links === null) return null;
      if (next > links.length) {
        return `sets links[${next}], and there are ${grouped(links.length)} links: the next one is links[${links.length}]`;
      }
      if (next >= LINKS_MAX) return `is past the limit of ${grouped(LINKS_MAX)} links`;
      if (next === links.length) {
        links.push(tree());
        origins.set(["links", next], label);
      }
      const link = links[next];
      if (!isTree(link)) return null;
      at = link;
      continue;
    }
    const inner = at[segment] ?? null;
    if (inner === null) at[segment] = tree();
    // Something else is in the place of the group, and is reported as such.
    else if (!isTree(inner)) return null;
    at = at[segment] as Tree;
  }
  if (typeof last === "string") at[last] = value;
  return null;
}

/** The list of links, made if absent; null: there is something else in its place. */
function linksOf(root: Tree): unknown[] | null {
  root["links"] ??= [];
  const links = root["links"];
  return Array.isArray(links) ? links : null;
}

function indexOf(links: readonly unknown[], name: string): number {
  return links.findIndex((link) => isTree(link) && link["name"] === name);
}

function set(link: unknown, key: string, value: unknown): void {
  if (isTree(link)) link[key] = value;
}
