/** How the commands that ask a running agent find it: by its configuration, or by address and token. */
import { type Command, Option } from "commander";
import { parseHttpFlag } from "../config/flags.ts";
import { quotedAddress } from "../config/printable.ts";
import type { HttpConfig } from "../config/types.ts";
import { type AgentAddress, agentAddress } from "./agent-address.ts";
import { loadConfiguration, problemLines } from "./configuration.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
export interface AgentOptions {
  readonly config?: string;
  readonly http?: { readonly host: string; readonly port: number };
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Where an agent listens unless it is told otherwise. */
const DEFAULT: HttpConfig = { host: "127.0.0.1", port: 9464, token: null };

export const AGENT_HELP = `
The agent is asked at http.host and http.port of the configuration (the file,
and the environment), or at 127.0.0.1:9464; --http and --token-file say
otherwise.`;

export function addAgentOptions(command: Command): Command {
  const http = new Option("--http <host:port>", "where the agent listens").argParser((text: string) => {
    const address = parseHttpFlag(text);
    if (address === null) {
      const why = `error: option '--http <host:port>' ${quotedAddress(text)}: it must be HOST:PORT, or [ADDRESS]:PORT for IPv6`;
      command.error(why, { exitCode: EXIT.usage });
    }
    return address;
  });
  return command
    .option("--config <file>", "the agent's configuration file")
    .addOption(http)
    .option("--token-file <file>", "file with the token of the agent's API")
    .option("--json", "print JSON, as the agent's API answers it");
}

/** Null: the configuration is bad, or the token cannot be read; that has been said then. */
export function findAgent(options: AgentOptions, terminal: Terminal): AgentAddress | null {
  const http = configured(options, terminal);
  if (http === null) return null;
  const { host, port } = options.http ?? http;
  const { tokenFile } = options;
  if (tokenFile === undefined) return agentAddress({ host, port, token: http.token });
  try {
    return agentAddress({ host, port, token: terminal.readFile(tokenFile).trim() });
  } catch (error) {
    terminal.error(`--token-file: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** Without a file the environment may have a whole configuration; if it has not, nobody said where. */
function configured({ config, http }: AgentOptions, terminal: Terminal): HttpConfig | null {
  const loaded = loadConfiguration(config, {}, terminal);
  if (loaded.ok) return loaded.config.http;
  if (config === undefined) return { ...DEFAULT, ...http };
  terminal.error(problemLines(config, loaded).join("\n"));
  return null;
}
