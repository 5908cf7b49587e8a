/** What every command that asks a running agent does: finds it, asks, prints text or the answer itself. */
import { printableJson } from "../config/printable.ts";
import { type Paint, painter } from "../demo/screen.ts";
import { AgentClient } from "./agent-client.ts";
import { type AgentOptions, findAgent } from "./agent-options.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Resolves with the exit code. */
export async function ask<Answer>(
  options: AgentOptions,
  terminal: Terminal,
  question: (agent: AgentClient) => Promise<Answer>,
  text: (answer: Answer, columns: number, paint: Paint) => readonly string[],
): Promise<number> {
  const address = findAgent(options, terminal);
  if (address === null) return EXIT.config;
  const answer = await question(new AgentClient(address));
  const { screen } = terminal;
  if (options.json === true) terminal.out(printableJson(answer));
  else screen.write(`${text(answer, screen.columns, painter(screen.color)).join("\n")}\n`);
  return EXIT.fine;
}

/** `?a=1&b=2`, without what is not given. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? "" : `?${given.join("&")}`;
}
