/**
 * `brokerlink run`: starts the agent and its HTTP listener and stays until a signal. SIGTERM and SIGINT drain with a
 * deadline, a second one stops at once; SIGHUP reads the configuration again, and so does a change of its files.
 */
import { Agent, DRAIN_MS } from "../agent/agent.ts";
import { AgentStore } from "../agent/agent-store.ts";
import { ConfigReload } from "../agent/config-reload.ts";
import { FileLinkEditor } from "../agent/file-link-editor.ts";
import { WatchedFiles } from "../agent/watched-files.ts";
import type { ConfigSource } from "../config/config-source.ts";
import type { AgentConfig } from "../config/types.ts";
import { listen } from "../ops/http.ts";
import { createLogger } from "../ops/log.ts";
import type { StoreProblem } from "../store/store-problem.ts";
import { EXIT } from "./exit-codes.ts";

/** Past the drain and the closing of sockets something hangs: say so and go. */
const OVERSTAY_MS = DRAIN_MS + 10_000;

/** Resolves with the exit code. */
export async function run(config: AgentConfig, warnings: readonly string[], source: ConfigSource): Promise<number> {
  const stop = stopSignals();
  let reload: ConfigReload | null = null;
  // Without a listener it would end the process. One that comes during the start may pass: files that changed are noticed anyway.
  process.on("SIGHUP", () => void reload?.reload("signal"));
  const files = new WatchedFiles();
  await files.know(source.files);
  const log = createLogger(config.logLevel, config.cluster);
  // A bug: what it left behind cannot be trusted. The log has it, and whoever supervises the process starts it again.
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected failure: the agent ends");
    process.exit(EXIT.failed);
  });
  for (const warning of warnings) log.warn({ warning }, "configuration");
  const found = ({ code, message }: StoreProblem): void => log.warn({ code, why: message }, "data directory");
  const store = config.dataDir === null ? null : await AgentStore.open(config.dataDir, config.links, found);
  const agent = new Agent(config, log, store);
  const reloading = new ConfigReload(source, agent, log, agent.reloads, files);
  const editor = new FileLinkEditor(reloading, agent.config);
  const http = await listen(agent, agent.config, log, editor);
  log.info({ host: http.host, port: http.port, linksReadOnly: editor.readOnlyReason }, "http listening");
  agent.start();
  reload = reloading;
  reloading.start();
  log.info({ signal: await stop.first }, "stopping");
  const second = stop.second.then((again) => {
    log.warn({ signal: again }, "stopping at once");
    return EXIT.failed;
  });
  const overstay = new Promise<number>((resolve) => {
    setTimeout(() => {
      log.error({ afterMs: OVERSTAY_MS }, "the agent did not stop in time");
      resolve(EXIT.failed);
    }, OVERSTAY_MS).unref();
  });
  const drained = reloading
    .stop()
    .then(() => agent.stop(DRAIN_MS))
    .then(() => http.close())
    .then(() => EXIT.fine);
  return Promise.race([drained, second, overstay]);
}

/** Caught from the call on, so that one that comes during the start is not lost. */
function stopSignals(): { readonly first: Promise<NodeJS.Signals>; readonly second: Promise<NodeJS.Signals> } {
  const waiting: ((signal: NodeJS.Signals) => void)[] = [];
  const next = (): Promise<NodeJS.Signals> => new Promise((resolve) => waiting.push(resolve));
  const signals = { first: next(), second: next() };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => waiting.shift()?.(name));
  return signals;
}
