/** `brokerlink drain LINK`: may this cluster be switched off? With `--wait` it asks until the answer is yes. */
import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../config/formats.ts";
import { printableJson } from "../config/printable.ts";
import { painter } from "../demo/screen.ts";
import type { DrainReport } from "../ops/drain-report.ts";
import { AgentClient } from "./agent-client.ts";
import { AGENT_HELP, type AgentOptions, addAgentOptions, findAgent } from "./agent-options.ts";
import { drainText } from "./drain-text.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
interface DrainOptions extends AgentOptions {
  readonly wait?: boolean;
  readonly within?: number;
}

const ASK_EVERY_MS = 1_000;

const DRAIN_HELP = `
Examples:
  $ brokerlink drain hq
  $ brokerlink drain hq --wait --within 10m && systemctl stop mosquitto

Shows what waits for the peer, what it has confirmed, and whose subscriptions
are still here. Changes nothing. Exit code 1: not yet.
${AGENT_HELP}
${EXIT_CODES_HELP}`;

export function addDrainCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addAgentOptions(program.command("drain"))
    .description("Say whether this cluster may be switched off, as far as one link goes.")
    .argument("<link>", "name of the link")
    .option("--wait", "ask once a second until it may")
    .option("--within <duration>", "with --wait: give up after this long, such as 10m", (text: string) => {
      const ms = parseDuration(text);
      if (ms === null) throw new InvalidArgumentError("It must be a duration, such as 30s or 10m.");
      return ms;
    })
    .addHelpText("after", DRAIN_HELP)
    .action(async (link: string, options: DrainOptions) => {
      done(await drain(link, options, terminal));
    });
}

async function drain(link: string, options: DrainOptions, terminal: Terminal): Promise<number> {
  const address = findAgent(options, terminal);
  if (address === null) return EXIT.config;
  const agent = new AgentClient(address);
  const { wait = false, within = Number.POSITIVE_INFINITY } = options;
  const endMs = performance.now() + within;
  let said = "";
  for (;;) {
    const report = await agent.get<DrainReport>(`/api/v1/drain/${encodeURIComponent(link)}`);
    const isSafe = report.safe_to_switch_off;
    if (isSafe || !wait || performance.now() >= endMs) {
      show(report, options, terminal);
      return isSafe ? EXIT.fine : EXIT.failed;
    }
    // What is waited for, each time it changes; the answer itself goes to stdout.
    const why = report.reasons.join("; ");
    if (why !== said) terminal.error(`waiting: ${why}`);
    said = why;
    await new Promise((resume) => setTimeout(resume, ASK_EVERY_MS));
  }
}

function show(report: DrainReport, { json = false }: DrainOptions, { out, screen }: Terminal): void {
  if (json) out(printableJson(report));
  else screen.write(`${drainText(report, Date.now(), screen.columns, painter(screen.color)).join("\n")}\n`);
}
