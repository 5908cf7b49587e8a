/**
 * The flags of `run`: their shape is checked here, and a bad one is bad usage. What they mean is up to the configuration,
 * where they come last.
 */
import { type Command, Option } from "commander";
import {
  type FlagValues,
  type LinkFlag,
  parseHttpFlag,
  parseLinkFlag,
  parseTopicsFlag,
  type TopicsFlag,
} from "../config/flags.ts";
import { quotedAddress } from "../config/printable.ts";
import { BROKER_KINDS, LOG_LEVELS } from "../config/types.ts";
import { EXIT } from "./exit-codes.ts";

/** As commander hands them over. */
export interface RunOptions {
  readonly config?: string;
  readonly cluster?: string;
  readonly local?: string;
  readonly broker?: string;
  readonly link?: readonly LinkFlag[];
  readonly topics?: readonly TopicsFlag[];
  readonly http?: { readonly host: string; readonly port: number };
  readonly dataDir?: string;
  readonly logLevel?: string;
}

export function addRunOptions(command: Command): Command {
  const refuse = refuser(command);
  const once = onceMaker(command);
  const repeated = <T>(
    flags: string,
    description: string,
    parse: (text: string) => T | null,
    expected: string,
  ): Option =>
    new Option(flags, description).argParser((text: string, previous: readonly T[] = []): readonly T[] => [
      ...previous,
      parse(text) ?? refuse(flags, text, `it must be ${expected}`),
    ]);
  return command
    .addOption(once("--config <file>", "configuration file, YAML or JSON"))
    .addOption(once("--cluster <name>", "name of this cluster"))
    .addOption(once("--local <url>", "the local broker: mqtt://, mqtts://, ws:// or wss://"))
    .addOption(once("--broker <kind>", BROKER_KINDS.join(", ")))
    .addOption(
      repeated(
        "--link <name[=url]>",
        "a peer and its broker; without URL the peer dials in (repeatable)",
        parseLinkFlag,
        "NAME or NAME=URL",
      ),
    )
    .addOption(
      repeated(
        "--topics <name=filters>",
        "what to receive from a peer, separated by commas (repeatable)",
        parseTopicsFlag,
        "NAME=FILTER or NAME=FILTER,FILTER",
      ),
    )
    .addOption(httpOption(command, "where to listen for health checks, metrics and the API"))
    .addOption(once("--data-dir <dir>", "where messages and state are kept; without it, in memory"))
    .addOption(once("--log-level <level>", LOG_LEVELS.join(", ")));
}

/** Of `healthcheck`: the same flag, and the other side of it. */
export function addHttpOption(command: Command): Command {
  return command.addOption(httpOption(command, "where the agent listens"));
}

function httpOption(command: Command, description: string): Option {
  return onceMaker(command)("--http <host:port>", description, parseHttpFlag, "HOST:PORT, or [ADDRESS]:PORT for IPv6");
}

/** Not commander's own error, which repeats the whole value: somebody may have put a password into it. */
function refuser(command: Command) {
  return (flags: string, text: string, why: string): never =>
    command.error(`error: option '${flags}' ${quotedAddress(text)}: ${why}`, { exitCode: EXIT.usage });
}

/** Makes options that are a mistake when given twice: commander would silently take the last. */
function onceMaker(command: Command) {
  const refuse = refuser(command);
  return (flags: string, description: string, parse = (text: string): unknown => text, expected = ""): Option =>
    new Option(flags, description).argParser((text: string, previous: unknown): unknown => {
      if (previous !== undefined) return refuse(flags, text, "it is given twice");
      return parse(text) ?? refuse(flags, text, `it must be ${expected}`);
    });
}

export function flagValues({ cluster, local, broker, link, topics, http, dataDir, logLevel }: RunOptions): FlagValues {
  return { cluster, local, broker, links: link, topics, http, dataDir, logLevel };
}
