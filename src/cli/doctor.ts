/** `brokerlink doctor`: connects to the local broker and to each peer's, and says what works and what to change. */
import type { Command } from "commander";
import { printableJson } from "../config/printable.ts";
import type { AgentConfig } from "../config/types.ts";
import { painter } from "../demo/screen.ts";
import type { Examination } from "../doctor/finding.ts";
import { agentAddress } from "./agent-address.ts";
import { goodConfiguration } from "./configuration.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import { reportText, verdict } from "./report-text.ts";
import { addRunOptions, type RunOptions } from "./run-options.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
interface DoctorOptions extends RunOptions {
  readonly queue?: boolean;
  readonly json?: boolean;
}

const ANSWER_WITHIN_MS = 2_000;

const DOCTOR_HELP = `
Examples:
  $ brokerlink doctor --config /etc/brokerlink/config.yaml

Connects under client ids of its own, CLIENTID-doctor-..., beside a running
agent or in place of one, and publishes below the control prefix only, what no
agent takes for a word. It listens for up to 12 s. Warnings do not fail.
Exit code 1: there is a fault, and the lines that mend it are printed.
${EXIT_CODES_HELP}`;

export function addDoctorCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addRunOptions(program.command("doctor"))
    .description("Say what works between this agent, its broker and its peers, and what to change.")
    .option("--queue", "measure the local broker's queue beside a running agent too")
    .option("--json", "print JSON: brokers, and what was found at each")
    .addHelpText("after", DOCTOR_HELP)
    .action(async (options: DoctorOptions) => {
      const loaded = goodConfiguration(options, terminal);
      done(loaded === null ? EXIT.config : await doctor(loaded.config, loaded.warnings, options, terminal));
    });
}

async function doctor(
  config: AgentConfig,
  warnings: readonly string[],
  { queue = false, json = false }: DoctorOptions,
  { out, screen }: Terminal,
): Promise<number> {
  const { examine } = await import("../doctor/examine.ts");
  const agentRuns = !queue && (await isRunning(config));
  const examinations: Examination[] = [...configuration(warnings), ...(await examine(config, agentRuns))];
  const isFaulty = examinations.some(({ findings }) => findings.some(({ level }) => level === "fault"));
  if (json) out(printableJson({ ok: !isFaulty, agent_runs: agentRuns, examinations }));
  else {
    const lines = [...reportText(examinations, screen.columns, painter(screen.color)), "", verdict(examinations)];
    screen.write(`${lines.join("\n")}\n`);
  }
  return isFaulty ? EXIT.failed : EXIT.fine;
}

function configuration(warnings: readonly string[]): Examination[] {
  if (warnings.length === 0) return [];
  const findings = warnings.map((text) => ({ check: "configuration", level: "warning" as const, text, fixes: [] }));
  return [{ broker: "configuration", title: "the configuration", findings }];
}

/** Any agent counts: what overflows at the broker, every one sees. */
async function isRunning({ http }: AgentConfig): Promise<boolean> {
  const answer = await fetch(`${agentAddress(http).url}/livez`, {
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch(() => null);
  return answer?.ok === true;
}
