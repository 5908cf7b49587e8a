/**
 * The command line: commands, flags, help, exit codes. Commands that need the whole agent are loaded when they are asked
 * for, so that `check` and `--help` stay quick.
 */
import { Command, CommanderError } from "commander";
import { LinkError } from "../base/error-codes.ts";
import { ConfigSource } from "../config/config-source.ts";
import { addAclCommand } from "./acl.ts";
import { check } from "./check.ts";
import { addCompletionCommand } from "./completion.ts";
import { goodConfiguration, problemLines } from "./configuration.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addDrainCommand } from "./drain.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import type { ForgetOptions } from "./forget.ts";
import type { HealthcheckOptions } from "./healthcheck.ts";
import { addHttpOption, addRunOptions, flagValues, type RunOptions } from "./run-options.ts";
import { addStatusCommands } from "./status.ts";
import type { Terminal } from "./terminal.ts";
import { addTopCommand } from "./top.ts";

const RUN_HELP = `
Examples:
  $ brokerlink run --config /etc/brokerlink/config.yaml
  $ brokerlink run --cluster a --local mqtt://127.0.0.1:1883 \\
      --broker mosquitto --link b=mqtt://127.0.0.1:2883 --topics b=t/#,c/1

Every key can also come from the environment: BROKERLINK_LOCAL__SERVER,
BROKERLINK_LINKS__0__SERVER. Later ones win: default, file, environment, flags.
No flag takes a secret: use BROKERLINK_LOCAL__PASSWORD_FILE or the file.
SIGTERM and SIGINT let messages under way arrive; a second one stops at once.
SIGHUP, or a change of the file, brings the running agent to its configuration.
${EXIT_CODES_HELP}`;

const FORGET_HELP = `
Examples:
  $ brokerlink forget --dry-run --config /etc/brokerlink/config.yaml
  $ brokerlink forget --config /etc/brokerlink/config.yaml

For an agent that is gone for good, or shall begin anew: its sessions on the
local broker go, with what waits in them, and so do its messages and its state
in data_dir. Nothing asks back. Stop the agent first; one that uses the same
data_dir is noticed, one without a data_dir is not. If the broker cannot be
reached within 10 s, nothing on disk is touched.
${EXIT_CODES_HELP}`;

const CHECK_HELP = `
Examples:
  $ brokerlink check config.yaml
  $ brokerlink check --json config.yaml

Nothing is opened but the files that the configuration names. The environment
counts as it does for run.
${EXIT_CODES_HELP}`;

const HEALTHCHECK_HELP = `
Examples:
  $ brokerlink healthcheck
  $ brokerlink healthcheck --ready --http 127.0.0.1:9465

For container engines: asks /livez of the agent on this machine. --http, or
BROKERLINK_HTTP__HOST and BROKERLINK_HTTP__PORT, say where it listens if it is
not 127.0.0.1:9464; the configuration file is not read.
${EXIT_CODES_HELP}`;

const HELP = `
Examples:
  $ brokerlink demo
  $ brokerlink check config.yaml
  $ brokerlink run --config config.yaml
  $ brokerlink doctor --config config.yaml
  $ brokerlink status
${EXIT_CODES_HELP}`;

/** Answers the exit code. `args`: without the program and the script. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.fine;
  const program = new Command("brokerlink")
    .description(
      "Links MQTT brokers: two brokers far apart share one topic namespace, and only what somebody subscribed to crosses the wire.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, "")),
      writeErr: (text) => terminal.error(withoutSecrets(text.replace(/\n$/, ""))),
    })
    .helpCommand("help [command]", "show the help of a command")
    .helpOption("-h, --help", "show this help")
    .version(await versionFor(args), "-V, --version", "show the version")
    .addHelpText("after", HELP);
  addRunOptions(program.command("run"))
    .description("Run the agent beside a broker until a signal.")
    .addHelpText("after", RUN_HELP)
    .action(async (options: RunOptions) => {
      code = await runAgent(options, terminal);
    });
  program
    .command("check")
    .description("Say what a configuration means, or all that is wrong with it.")
    .argument("<file>", "configuration file, YAML or JSON")
    .option("--json", "print JSON: what the configuration is, or its problems")
    .addHelpText("after", CHECK_HELP)
    .action((file: string, { json }: { json?: boolean }) => {
      code = check(file, json === true, terminal);
    });
  addRunOptions(program.command("forget"))
    .description("Remove what an agent left behind, on its broker and on disk.")
    .option("--dry-run", "only say what would be removed")
    .option("--disk-only", "leave the broker alone, and remove what is on disk")
    .addHelpText("after", FORGET_HELP)
    .action(async (options: RunOptions & ForgetOptions) => {
      code = await forgetAgent(options, terminal);
    });
  addHttpOption(program.command("healthcheck"))
    .description("Ask the agent on this machine whether it lives: for container engines.")
    .option("--ready", "ask /readyz instead of /livez")
    .addHelpText("after", HEALTHCHECK_HELP)
    .action(async (options: HealthcheckOptions) => {
      const { healthcheck } = await import("./healthcheck.ts");
      code = await healthcheck(options, terminal);
    });
  const done = (result: number): void => {
    code = result;
  };
  addAclCommand(program, terminal, done);
  addDoctorCommand(program, terminal, done);
  addStatusCommands(program, terminal, done);
  addTopCommand(program, terminal, done);
  addDrainCommand(program, terminal, done);
  program
    .command("demo")
    .description("Two embedded brokers, two agents, and a live picture of what crosses between them.")
    .addHelpText("after", EXIT_CODES_HELP)
    .action(async () => {
      const { demo } = await import("./demo.ts");
      code = await demo(terminal);
    });
  addCompletionCommand(program, terminal);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    terminal.error(failureText(error));
    return EXIT.failed;
  }
}

/** Read only when somebody may ask for it. */
async function versionFor(args: readonly string[]): Promise<string> {
  if (!args.includes("-V") && !args.includes("--version")) return "";
  const { AGENT_VERSION } = await import("../agent/version.ts");
  return AGENT_VERSION;
}

async function runAgent(options: RunOptions, terminal: Terminal): Promise<number> {
  const { env, readFile, pathKind } = terminal;
  const source = new ConfigSource({ path: options.config, flags: flagValues(options), env, readFile, pathKind });
  const loaded = source.load();
  if (!loaded.ok) {
    terminal.error(problemLines(options.config, loaded).join("\n"));
    return EXIT.config;
  }
  const { run } = await import("./run.ts");
  return run(loaded.config, loaded.warnings, source);
}

async function forgetAgent(options: RunOptions & ForgetOptions, terminal: Terminal): Promise<number> {
  const loaded = goodConfiguration(options, terminal);
  if (loaded === null) return EXIT.config;
  const { forget } = await import("./forget.ts");
  return forget(loaded.config, options, terminal);
}

/** A failure we know has a code and a sentence; anything else is a bug, and its stack is what helps. */
function failureText(error: unknown): string {
  if (error instanceof LinkError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Commander repeats what it does not know: `--password=…`, or a URL in the place of a command. */
function withoutSecrets(text: string): string {
  return text.replace(/('--?[^\s'=]+)=[\s\S]*'/, "$1=…'").replace(/(:\/\/)[\s\S]*@/, "$1******@");
}
