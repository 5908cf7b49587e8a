/** `brokerlink status`, `routes`, `explain`: one question to a running agent each. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ExplainAnswer } from "../ops/explain-answer.ts";
import type { Overview } from "../ops/overview.ts";
import { AGENT_HELP, type AgentOptions, addAgentOptions } from "./agent-options.ts";
import { ask, query } from "./ask.ts";
import { EXIT_CODES_HELP } from "./exit-codes.ts";
import { explainText } from "./explain-text.ts";
import { type RoutesPage, routesText } from "./routes-text.ts";
import { statusText } from "./status-text.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
interface RoutesOptions extends AgentOptions {
  readonly direction?: "out" | "in";
  readonly link?: string;
  readonly topic?: string;
  readonly page?: number;
  readonly limit?: number;
}

interface BothRoutes {
  readonly out?: RoutesPage;
  readonly in?: RoutesPage;
}

const STATUS_HELP = `
Examples:
  $ brokerlink status --config /etc/brokerlink/config.yaml
  $ brokerlink status --http 127.0.0.1:9464 --json

Exit code 0 means that an agent answered, whatever it said.
${AGENT_HELP}
${EXIT_CODES_HELP}`;

const ROUTES_HELP = `
Examples:
  $ brokerlink routes
  $ brokerlink routes --direction in --link hq sensors/
  $ brokerlink routes --topic sensors/7/temperature

SEARCH is a part of the filter; --topic keeps the filters that match a topic.
${AGENT_HELP}
${EXIT_CODES_HELP}`;

const EXPLAIN_HELP = `
Examples:
  $ brokerlink explain sensors/7/temperature

Says who wants the topic, whether a message published here would cross each
link and why (not), and the same for one published on the other side.
${AGENT_HELP}
${EXIT_CODES_HELP}`;

export function addStatusCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addAgentOptions(program.command("status"))
    .description("Show a running agent: its broker, its links, what waits and what went wrong.")
    .addHelpText("after", STATUS_HELP)
    .action(async (options: AgentOptions) => {
      done(await ask(options, terminal, (agent) => agent.get<Overview>("/api/v1/overview"), statusText));
    });
  addAgentOptions(program.command("routes"))
    .description("List what a running agent asks of its peers, and they of it.")
    .argument("[search]", "part of a filter")
    .addOption(
      new Option("--direction <way>", "out: asked of peers, in: asked by them; default: both").choices(["out", "in"]),
    )
    .option("--link <name>", "of one link")
    .option("--topic <topic>", "filters that match this topic")
    .option("--page <number>", "which page", wholeNumber)
    .option("--limit <number>", "routes on a page; default: 100", wholeNumber)
    .addHelpText("after", ROUTES_HELP)
    .action(async (search: string | undefined, options: RoutesOptions) => {
      done(await routes(search, options, terminal));
    });
  addAgentOptions(program.command("explain"))
    .description("Say whether a message on a topic crosses, where to, and why not.")
    .argument("<topic>", "a topic without wildcards")
    .addHelpText("after", EXPLAIN_HELP)
    .action(async (topic: string, options: AgentOptions) => {
      const path = `/api/v1/explain${query({ topic })}`;
      done(await ask(options, terminal, (agent) => agent.get<ExplainAnswer>(path), explainText));
    });
}

function routes(search: string | undefined, options: RoutesOptions, terminal: Terminal): Promise<number> {
  const { direction: only, link, topic, page, limit } = options;
  return ask<BothRoutes>(
    options,
    terminal,
    async (agent) => {
      const of = (direction: "out" | "in"): Promise<RoutesPage> =>
        agent.get<RoutesPage>(`/api/v1/routes${query({ direction, link, search, topic, page, limit })}`);
      return {
        ...(only === "in" ? {} : { out: await of("out") }),
        ...(only === "out" ? {} : { in: await of("in") }),
      };
    },
    ({ out, in: into }, columns, paint) => [
      ...(out === undefined ? [] : routesText("Asked of peers (out)", out, columns, paint)),
      ...(out === undefined || into === undefined ? [] : [""]),
      ...(into === undefined ? [] : routesText("Asked by peers (in)", into, columns, paint)),
    ],
  );
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return Number(text);
}
