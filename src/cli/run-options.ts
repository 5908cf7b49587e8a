/**
 * The flags of `run`: their shape is checked here, and a bad one is bad usage. What they mean is up to the configuration,
 * where they come last.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type FlagValues,
  type LinkFlag,
  parseHttpFlag,
  parseLinkFlag,
  parseTopicsFlag,
  type TopicsFlag,
} from "../config/flags.ts";

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
  return command
    .addOption(once("--config <file>", "configuration file, YAML or JSON"))
    .addOption(once("--cluster <name>", "name of this cluster"))
    .addOption(once("--local <url>", "the local broker: mqtt://, mqtts://, ws:// or wss://"))
    .addOption(once("--broker <kind>", "mosquitto, aedes, emqx, events or static"))
    .option("--link <name[=url]>", "a peer and its broker; without URL the peer dials in (repeatable)", collectLink)
    .option("--topics <name=filters>", "what to receive from a peer, separated by commas (repeatable)", collectTopics)
    .addOption(once("--http <host:port>", "where to listen for health checks, metrics and the API", httpAddress))
    .addOption(once("--data-dir <dir>", "not in this version: messages wait in memory"))
    .addOption(once("--log-level <level>", "trace, debug, info, warn, error, fatal or silent"));
}

export function flagValues({ cluster, local, broker, link, topics, http, dataDir, logLevel }: RunOptions): FlagValues {
  return { cluster, local, broker, links: link, topics, http, dataDir, logLevel };
}

/** An option that is a mistake when given twice: commander would silently take the last. */
function once(flags: string, description: string, parse: (text: string) => unknown = (text) => text): Option {
  return new Option(flags, description).argParser((text: string, previous: unknown): unknown => {
    if (previous !== undefined) throw new InvalidArgumentError("It is given twice.");
    return parse(text);
  });
}

function httpAddress(text: string): { readonly host: string; readonly port: number } {
  const address = parseHttpFlag(text);
  if (address === null) throw new InvalidArgumentError("It must be HOST:PORT, or [ADDRESS]:PORT for IPv6.");
  return address;
}

function collectLink(text: string, previous: readonly LinkFlag[] = []): readonly LinkFlag[] {
  const link = parseLinkFlag(text);
  if (link === null) throw new InvalidArgumentError("It must be NAME or NAME=URL.");
  return [...previous, link];
}

function collectTopics(text: string, previous: readonly TopicsFlag[] = []): readonly TopicsFlag[] {
  const topics = parseTopicsFlag(text);
  if (topics === null) throw new InvalidArgumentError("It must be NAME=FILTER or NAME=FILTER,FILTER.");
  return [...previous, topics];
}
