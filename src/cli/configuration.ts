/** Reads the configuration for a command, and says what is wrong with it. */
import { ConfigSource } from "../config/config-source.ts";
import type { FlagValues } from "../config/flags.ts";
import type { LoadedConfig } from "../config/load.ts";
import { quoted } from "../config/printable.ts";
import { formatProblem } from "../config/problem.ts";
import type { Terminal } from "./terminal.ts";

export function loadConfiguration(
  path: string | undefined,
  flags: FlagValues,
  { env, readFile, pathKind }: Pick<Terminal, "env" | "readFile" | "pathKind">,
): LoadedConfig {
  return new ConfigSource({ path, env, flags, readFile, pathKind }).load();
}

/** All problems, one a line. `path`: of the file, if there is one. */
export function problemLines(path: string | undefined, { problems }: Extract<LoadedConfig, { ok: false }>): string[] {
  const where = path === undefined ? "" : ` in ${quoted(path)}`;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const hint =
    path === undefined ? ["No file was given: --config names one, and brokerlink run --help shows the flags."] : [];
  return [`CONFIG_INVALID: ${count}${where}`, ...problems.map((problem) => `  ${formatProblem(problem)}`), ...hint];
}
