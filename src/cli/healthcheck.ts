/**
 * `brokerlink healthcheck`: asks the agent on this machine whether it lives. For container engines without HTTP checks of
 * their own, and images without a shell or curl.
 */
import { get } from "node:http";
import { isIPv6 } from "node:net";
import { AGENT_KEYS } from "../config/schema.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Shorter than the time after which engines kill a check, so that the reason is still said. */
const ANSWER_MS = 4_000;

export interface HealthcheckOptions {
  readonly http?: { readonly host: string; readonly port: number };
  readonly ready?: boolean;
}

/** Answers the exit code. The flag wins over the environment, as in `run`; the configuration file is not read. */
export async function healthcheck(options: HealthcheckOptions, terminal: Terminal): Promise<number> {
  const { host = AGENT_KEYS.http.keys.host.fallback, port = AGENT_KEYS.http.keys.port.fallback } = options.http ?? {
    host: terminal.env["BROKERLINK_HTTP__HOST"] || undefined,
    port: terminal.env["BROKERLINK_HTTP__PORT"] || undefined,
  };
  const at = reachable(String(host));
  const url = `http://${isIPv6(at) ? `[${at}]` : at}:${port}${options.ready === true ? "/readyz" : "/livez"}`;
  try {
    const { status, text } = await answerOf(url);
    const fine = status === 200;
    if (fine) terminal.out(text.trimEnd());
    else terminal.error(`${url} answers ${status}: ${text.trimEnd()}`);
    return fine ? EXIT.fine : EXIT.failed;
  } catch (error) {
    terminal.error(`${url} does not answer: ${error instanceof Error ? error.message || error.name : error}`);
    return EXIT.failed;
  }
}

/** Who listens everywhere is reached on loopback. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

/** Not `fetch`, which takes four times as long to load: a check runs every few seconds. */
function answerOf(url: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}
