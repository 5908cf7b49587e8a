/** `brokerlink check FILE`: says what a configuration means, or everything that is wrong with it. Opens nothing. */
import { describeConfig } from "../config/describe.ts";
import { effectiveConfig } from "../config/effective.ts";
import { ENVIRONMENT_PREFIX } from "../config/environment.ts";
import { printableJson } from "../config/printable.ts";
import { loadConfiguration, problemLines } from "./configuration.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Answers the exit code. */
export function check(path: string, asJson: boolean, terminal: Terminal): number {
  const loaded = loadConfiguration(path, {}, terminal);
  const code = loaded.ok ? EXIT.fine : EXIT.config;
  if (asJson) {
    const answer = loaded.ok
      ? { ok: true, file: path, warnings: loaded.warnings, config: effectiveConfig(loaded.config) }
      : { ok: false, file: path, problems: loaded.problems };
    terminal.out(printableJson(answer));
  } else if (!loaded.ok) terminal.error(problemLines(path, loaded).join("\n"));
  else {
    const lines = describeConfig(loaded.config);
    const variables = Object.keys(terminal.env).filter(
      (name) => name.startsWith(ENVIRONMENT_PREFIX) && terminal.env[name],
    );
    if (variables.length > 0) lines.push("", `Variables of the environment count too: ${variables.sort().join(", ")}`);
    for (const [index, warning] of loaded.warnings.entries())
      lines.push(...(index === 0 ? [""] : []), `warning: ${warning}`);
    terminal.out(lines.join("\n"));
  }
  return code;
}
