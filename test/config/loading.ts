/** Loads configurations for tests: from objects and texts, with files that exist only here. */
import { type ConfigSources, type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import type { AgentConfig } from "../../src/config/types.ts";

export interface Sources {
  /** Text, or what is written as JSON. */
  readonly file?: string | object;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: ConfigSources["flags"];
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
}

export const LOCAL = { server: "mqtt://127.0.0.1:1883", broker: "mosquitto" } as const;
export const BASE = { cluster: "a", local: LOCAL } as const;

export function load({ file, env = {}, flags = {}, files = {}, folders = [] }: Sources): LoadedConfig {
  return loadConfig({
    ...(file === undefined
      ? {}
      : { file: { path: "conf/agent.yaml", text: typeof file === "string" ? file : JSON.stringify(file) } }),
    env,
    flags,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) {
        throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
          code: "ENOENT",
        });
      }
      return text;
    },
    pathKind: (path) => {
      if (folders.includes(path)) return "directory";
      if (path.startsWith("/forbidden/")) throw new Error(`EACCES: permission denied, stat '${path}'`);
      return files[path] === undefined ? null : "other";
    },
  });
}

export function loaded(sources: Sources): AgentConfig {
  const result = load(sources);
  if (!result.ok) throw new Error(`refused:\n${result.problems.map(formatProblem).join("\n")}`);
  return result.config;
}

export function warningsOf(sources: Sources): readonly string[] {
  const result = load(sources);
  if (!result.ok) throw new Error(`refused:\n${result.problems.map(formatProblem).join("\n")}`);
  return result.warnings;
}

/** `path: message`, without the source. */
export function problemsOf(sources: Sources): string[] {
  const result = load(sources);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** A configuration with one link `b` to mqtt://h, and more keys of it. */
export function withLink(link: object): { readonly file: object } {
  return { file: { ...BASE, links: [{ name: "b", server: "mqtt://h", ...link }] } };
}
