/** `brokerlink acl`: prints the access rules that the local broker and the peers' brokers need. Connects to nothing. */
import { type Command, Option } from "commander";
import { printableJson } from "../config/printable.ts";
import type { AgentConfig } from "../config/types.ts";
import { ACL_FORMATS, type AclFormat, aclText } from "../doctor/acl-text.ts";
import { type BrokerRights, localRights, peerRights } from "../doctor/broker-rights.ts";
import { goodConfiguration } from "./configuration.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import { addRunOptions, type RunOptions } from "./run-options.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
interface AclOptions extends RunOptions {
  readonly of?: string;
  readonly format?: AclFormat;
  readonly user?: ReadonlyMap<string, string>;
  readonly json?: boolean;
}

const ACL_HELP = `
Examples:
  $ brokerlink acl --config config.yaml --of local > /etc/mosquitto/brokerlink.acl
  $ brokerlink acl --config config.yaml --of hq
  $ brokerlink acl --config config.yaml --format emqx --user hq=link-hq

Without --of: the rules of the local broker, then what each peer's broker needs
for this agent. How a peer's agent logs in here is not in this configuration:
--user says it, else a name is made up, and a comment says so.
${EXIT_CODES_HELP}`;

export function addAclCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = addRunOptions(program.command("acl"))
    .description("Print the access rules that this configuration needs.")
    .addOption(new Option("--of <broker>", "local, or the name of a link; default: all of them"))
    .addOption(
      new Option("--format <kind>", "mosquitto (acl_file) or emqx (acl.conf); default: by local.broker").choices(
        ACL_FORMATS,
      ),
    )
    .addOption(
      new Option("--user <cluster=name>", "how a cluster's agent logs in (repeatable)").argParser(
        (text: string, previous: ReadonlyMap<string, string> = new Map()) => {
          const [, cluster = "", user = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
          if (cluster === "") command.error("error: option '--user <cluster=name>': it must be CLUSTER=NAME");
          return new Map([...previous, [cluster, user]]);
        },
      ),
    )
    .option("--json", "print JSON: brokers, their users, and the rights of each")
    .addHelpText("after", ACL_HELP)
    .action((options: AclOptions) => {
      const loaded = goodConfiguration(options, terminal);
      done(loaded === null ? EXIT.config : acl(loaded.config, options, terminal));
    });
}

function acl(config: AgentConfig, options: AclOptions, { out, error }: Terminal): number {
  const { of, user: users = new Map<string, string>(), json = false } = options;
  const brokers = brokersOf(config, users).filter(({ link }) => of === undefined || of === (link ?? "local"));
  if (brokers.length === 0) {
    const known = brokersOf(config, users).map(({ link }) => link ?? "local");
    error(`error: option '--of <broker>': it must be one of ${known.join(", ")}`);
    return EXIT.usage;
  }
  if (json) out(printableJson(brokers.map(answerOf)));
  else {
    const format = options.format ?? (config.local.broker === "emqx" ? "emqx" : "mosquitto");
    out(brokers.map((broker) => aclText(broker, format).join("\n")).join("\n\n\n"));
  }
  return EXIT.fine;
}

function brokersOf(config: AgentConfig, users: ReadonlyMap<string, string>): BrokerRights[] {
  const peers = config.links.filter(({ enable }) => enable).map((link) => peerRights(config, link, users));
  return [localRights(config, users), ...peers.filter((rights) => rights !== null)];
}

function answerOf({ link, cluster, urls, controlPrefix, users }: BrokerRights) {
  return {
    broker: link ?? "local",
    cluster,
    servers: urls,
    control_prefix: controlPrefix,
    users: users.map(({ user, isGuess, cluster: whose, rights }) => ({
      user,
      guessed: isGuess,
      cluster: whose,
      rights,
    })),
  };
}
