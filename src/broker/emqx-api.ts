/**
 * Asks EMQX's REST API, over HTTP or HTTPS, one question at a time, with an API key. Owns the request: its time limit, the
 * size of the answer, which of several addresses is asked, and what a refusal means. It keeps no connection: EMQX closes
 * it behind each answer.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { BrokerApiConfig } from "../config/types.ts";
import { dialProblem } from "../mqtt/dial-problem.ts";
import type { ApiProblem } from "../ops/broker-api-status.ts";
import type { ApiAnswer, ApiTransport } from "./api-transport.ts";
import { ownText, parseRecord } from "./own-json.ts";
import { PAGE_BYTES_MAX } from "./subscription-page.ts";

/** Of what an error's answer says. */
const REASON_LENGTH_MAX = 200;
const REASON_BYTES_MAX = 64 * 1024;
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export class EmqxApi implements ApiTransport {
  readonly #config: () => BrokerApiConfig;
  /** Which of the addresses is asked next: the one that answered last, and after a failure the one behind it. */
  #at = 0;
  #request: ClientRequest | null = null;

  /** `config`: as it is in force, read before each question. */
  constructor(config: () => BrokerApiConfig) {
    this.#config = config;
  }

  get(path: string, done: (answer: ApiAnswer) => void): void {
    this.cancel();
    const config = this.#config();
    const { urls, timeoutMs } = config;
    const base = urls[this.#at % urls.length] ?? "";
    const url = new URL(`${base.replace(/\/+$/, "")}/api/v5${path}`);
    let request: ClientRequest | null = null;
    const finish = (answer: ApiAnswer): void => {
      if (request === null || this.#request !== request) return;
      clearTimeout(timer);
      this.#request = null;
      request.destroy();
      if (!answer.ok) this.#at += 1;
      done(answer);
    };
    const timer = setTimeout(
      () => finish(failed("LOCAL_API_UNREACHABLE", `no answer from ${base} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, requestOptions(config, url));
    this.#request = request;
    request.on("close", () => clearTimeout(timer));
    request.on("response", (response) => receive(response, base, finish));
    request.on("error", (error) => {
      const { kind, reason } = dialProblem(error, base);
      finish(failed(kind === "tls" ? "LOCAL_API_TLS" : "LOCAL_API_UNREACHABLE", reason));
    });
    request.end();
  }

  cancel(): void {
    const request = this.#request;
    this.#request = null;
    request?.destroy();
  }
}

function requestOptions({ key, secret, tls }: BrokerApiConfig, url: URL): RequestOptions {
  const options = {
    // A connection for each question: none is left open for a stop to wait for.
    agent: false as const,
    auth: `${key}:${secret}`,
    headers: { accept: "application/json" },
  };
  if (tls === null) return options;
  const { ca, cert, key: privateKey, verify, servername } = tls;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // An address is no name to ask for (RFC 6066 §3).
  const name = servername ?? (isIP(host) === 0 ? host : null);
  return {
    ...options,
    rejectUnauthorized: verify,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(privateKey === null ? {} : { key: privateKey }),
    ...(name === null ? {} : { servername: name }),
  } as RequestOptions;
}

function receive(response: IncomingMessage, base: string, finish: (answer: ApiAnswer) => void): void {
  const { statusCode = 0 } = response;
  const bytesMax = statusCode === 200 ? PAGE_BYTES_MAX : REASON_BYTES_MAX;
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= bytesMax) chunks.push(chunk);
    else if (statusCode === 200) finish(failed("LOCAL_API_FAILED", `${base} answers with more than ${bytesMax} bytes`));
  });
  response.on("error", () => finish(failed("LOCAL_API_UNREACHABLE", `${base} broke off its answer`)));
  response.on("end", () => {
    const body = Buffer.concat(chunks);
    if (statusCode === 200) finish({ ok: true, body });
    else finish({ ok: false, problem: refusal(statusCode, body, base), retryAfterMs: retryAfterMs(response) });
  });
}

function refusal(status: number, body: Uint8Array, base: string): ApiProblem {
  const record = parseRecord(body, REASON_BYTES_MAX);
  const said = record === null ? null : (ownText(record, "code") ?? ownText(record, "message"));
  const why = `${base} answers HTTP ${status}${said === null ? "" : ` (${said.slice(0, REASON_LENGTH_MAX)})`}`;
  if (status === 401) return { code: "LOCAL_API_REFUSED", why: `${why}: it does not take local.api.key and secret` };
  if (status === 403) return { code: "LOCAL_API_REFUSED", why: `${why}: the API key may not read subscriptions` };
  return { code: BUSY.has(status) ? "LOCAL_API_UNREACHABLE" : "LOCAL_API_FAILED", why };
}

/** In seconds or as a date (RFC 9110 §10.2.3); only seconds are understood. */
function retryAfterMs(response: IncomingMessage): number | null {
  const value = response.headers["retry-after"] ?? "";
  return /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : null;
}

function failed(code: ApiProblem["code"], why: string): ApiAnswer {
  return { ok: false, problem: { code, why }, retryAfterMs: null };
}
