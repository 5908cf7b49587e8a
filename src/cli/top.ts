/** `brokerlink top`: the links of a running agent, with rates, once a second. */
import type { Command } from "commander";
import { LinesView } from "../demo/lines-view.ts";
import { Rates } from "../demo/rates.ts";
import { painter } from "../demo/screen.ts";
import type { Overview } from "../ops/overview.ts";
import { AgentClient } from "./agent-client.ts";
import { AGENT_HELP, type AgentOptions, addAgentOptions, findAgent } from "./agent-options.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import { Keyboard } from "./keyboard.ts";
import { wholeNumber } from "./status.ts";
import type { Terminal } from "./terminal.ts";
import { type LinkRates, topText } from "./top-text.ts";

/** As commander hands them over. */
interface TopOptions extends AgentOptions {
  readonly count?: number;
}

const EVERY_MS = 1_000;

const TOP_HELP = `
Examples:
  $ brokerlink top --config /etc/brokerlink/config.yaml
  $ brokerlink top --json --count 10

In a terminal it is drawn anew each second; q or Ctrl-C ends it. Elsewhere each
second is appended, with --json as one line of JSON.
${AGENT_HELP}
${EXIT_CODES_HELP}`;

export function addTopCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addAgentOptions(program.command("top"))
    .description("Watch the links of a running agent: rates, queues, latency.")
    .option("--count <number>", "end after so many seconds", wholeNumber)
    .addHelpText("after", TOP_HELP)
    .action(async (options: TopOptions) => {
      done(await top(options, terminal));
    });
}

async function top(options: TopOptions, terminal: Terminal): Promise<number> {
  const address = findAgent(options, terminal);
  if (address === null) return EXIT.config;
  const agent = new AgentClient(address);
  const { screen, out } = terminal;
  const { count = Number.POSITIVE_INFINITY, json = false } = options;
  const isDrawn = screen.live && !json;
  const view = new LinesView(screen);
  const keyboard = isDrawn ? Keyboard.open(process.stdin) : null;
  const ended = keyboard?.ended.then(() => "ended" as const) ?? new Promise<never>(() => {});
  const rates = new Rates();
  try {
    for (let shown = 1; ; shown += 1) {
      const overview = await agent.get<Overview>("/api/v1/overview");
      const now = overview.links.map((link) => linkRates(link, rates, Date.parse(overview.at)));
      if (json) out(JSON.stringify({ at: overview.at, links: now }));
      else {
        const lines = topText(overview, now, screen.columns - 1, painter(screen.color));
        if (isDrawn) view.show(lines.slice(0, screen.rows - 1));
        else screen.write(`${lines.join("\n")}\n\n`);
      }
      if (shown >= count) return EXIT.fine;
      const pause = new Promise<null>((resolve) => setTimeout(resolve, EVERY_MS, null));
      if ((await Promise.race([pause, ended])) === "ended") return EXIT.fine;
    }
  } finally {
    if (isDrawn) view.end();
    keyboard?.close();
  }
}

function linkRates({ name, status, brokerlink }: Overview["links"][number], rates: Rates, nowMs: number): LinkRates {
  const { counters, queue } = brokerlink;
  const rate = (what: string, total: number): number =>
    Math.round(rates.perSecond(`${name} ${what}`, total, nowMs) * 10) / 10;
  return {
    link: name,
    status,
    sent_per_second: rate("sent", counters?.sent.messages ?? 0),
    received_per_second: rate("received", counters?.received.messages ?? 0),
    sent_bytes_per_second: rate("sent bytes", counters?.sent.bytes ?? 0),
    received_bytes_per_second: rate("received bytes", counters?.received.bytes ?? 0),
    dropped_per_second: rate(
      "dropped",
      (counters?.dropped ?? []).reduce((sum, { count }) => sum + count, 0),
    ),
    spool_messages: queue?.spool_messages ?? 0,
    spool_oldest_at: queue?.spool_oldest_at ?? null,
    round_trip_ms: queue === null ? null : Math.round(queue.round_trip_ms * 10) / 10,
  };
}
