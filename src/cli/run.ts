/**
 * `brokerlink run`: starts the agent and its HTTP listener and stays until a signal. SIGTERM and SIGINT drain with a
 * deadline, a second one stops at once.
 */
import { Agent, DRAIN_MS } from "../agent/agent.ts";
import type { AgentConfig } from "../config/types.ts";
import { listen } from "../ops/http.ts";
import { createLogger } from "../ops/log.ts";

/** Past the drain and the closing of sockets something hangs: say so and go. */
const OVERSTAY_MS = DRAIN_MS + 10_000;

/** Resolves with the exit code. */
export async function run(config: AgentConfig, warnings: readonly string[]): Promise<number> {
  const log = createLogger(config.logLevel, config.cluster);
  for (const warning of warnings) log.warn({ warning }, "configuration");
  const agent = new Agent(config, log);
  const http = await listen(agent, config, log);
  log.info({ host: http.host, port: http.port }, "http listening");
  agent.start();
  const signal = await firstSignal();
  log.info({ signal }, "stopping");
  const second = firstSignal().then((again) => {
    log.warn({ signal: again }, "stopping at once");
    return 1;
  });
  const overstay = new Promise<number>((resolve) => {
    setTimeout(() => {
      log.error({ afterMs: OVERSTAY_MS }, "the agent did not stop in time");
      resolve(1);
    }, OVERSTAY_MS).unref();
  });
  const drained = agent
    .stop(DRAIN_MS)
    .then(() => http.close())
    .then(() => 0);
  return Promise.race([drained, second, overstay]);
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const signals: NodeJS.Signals[] = ["SIGTERM", "SIGINT"];
    const stop = (signal: NodeJS.Signals): void => {
      for (const name of signals) process.off(name, stop);
      resolve(signal);
    };
    for (const name of signals) process.on(name, stop);
  });
}
