/**
 * The configuration of an agent from all its sources: default < file < environment < flags. Everything that is wrong is
 * reported at once; what is right comes out parsed, complete and frozen. Opens nothing but the files that the
 * configuration names, through `readFile`, and looks at its directory, through `pathKind`.
 */
import { agentConfig } from "./agent-config.ts";
import { readEnvironment } from "./environment.ts";
import { parseConfigFile } from "./file.ts";
import { FileValues } from "./file-values.ts";
import type { FlagValues } from "./flags.ts";
import { applyFlags, applySettings } from "./merge.ts";
import { Origins } from "./origins.ts";
import { type ConfigProblem, formatPath, type Path, ProblemList } from "./problem.ts";
import { readKeys } from "./read-keys.ts";
import { AGENT_KEYS, AGENT_REFUSED } from "./schema.ts";
import { isTree } from "./tree.ts";
import type { AgentConfig } from "./types.ts";
import { configWarnings } from "./warnings.ts";

export interface ConfigSources {
  readonly file?: { readonly path: string; readonly text: string } | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: FlagValues;
  /** Text of a file that the configuration names. Throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  /** What a name stands for; null: nothing yet. Throws when it cannot be told. */
  readonly pathKind: (path: string) => "directory" | "other" | null;
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: AgentConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export function loadConfig({ file, env, flags, readFile, pathKind }: ConfigSources): LoadedConfig {
  const parsed = parseConfigFile(file?.text ?? "");
  const origins = new Origins((path) => parsed.lineOf(path));
  const problems = new ProblemList((path) => origins.where(path));
  for (const { path, message, line } of parsed.problems) {
    problems.addNamed(path, message, line === null ? null : `line ${line}`);
  }
  const environment = readEnvironment(env);
  for (const { variable, message } of environment.problems) problems.addNamed(variable, message, null);
  const root = parsed.tree;
  // Without its file everything would seem to be missing.
  if (root === null) return { ok: false, problems: problems.list() };

  applySettings(root, environment.settings, origins, problems);
  applyFlags(root, flags, origins, problems);
  const values = readKeys(AGENT_KEYS, AGENT_REFUSED, root, problems.below([]));
  const files = new FileValues({ readFile, pathKind, configPath: file?.path ?? null }, origins, problems);
  const config = agentConfig(values, files, problems);
  if (problems.count > 0) return { ok: false, problems: problems.list() };
  const warnings = [...emptyKeys(root, []).flatMap((path) => emptyWarning(path, origins)), ...configWarnings(config)];
  return { ok: true, config: frozen(config), warnings };
}

/** Keys with nothing behind them. The tree has passed: it is no larger than the schema lets it be. */
function emptyKeys(value: unknown, path: Path): Path[] {
  if (value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => emptyKeys(item, [...path, index]));
  return isTree(value) ? Object.entries(value).flatMap(([key, item]) => emptyKeys(item, [...path, key])) : [];
}

/** Those of the file: a flag that takes a value away means it. */
function emptyWarning(path: Path, origins: Origins): string[] {
  if (origins.outsideFile(path) !== null) return [];
  const where = origins.where(path);
  return [
    `${formatPath(path)}: has nothing behind it and counts as absent${where === null ? "" : ` (${where})`}; a text that begins with # needs quotes`,
  ];
}

/** Everything below too: a configuration changes by being loaded again, never in place. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
