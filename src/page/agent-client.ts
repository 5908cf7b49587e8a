/** The agent's HTTP API as the page uses it: with the token when there is one, and a stream that comes back by itself. */
import type { Overview } from "./overview.ts";
import { SseParser } from "./sse-parser.ts";

const TOKEN_KEY = "brokerlink-token";
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;

export type StreamState = "connecting" | "live" | "lost" | "unauthorized";

/** An answer that is no success, in the agent's words. */
export class AnswerError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class AgentClient {
  #token: string | null = sessionStorage.getItem(TOKEN_KEY);
  #abort: AbortController | null = null;

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /** Kept for this tab only. */
  useToken(token: string | null): void {
    this.#token = token;
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  }

  /** Rejects with an AnswerError, or with the network's error. */
  async get<Answer>(path: string): Promise<Answer> {
    return (await this.#request("GET", path, undefined)).json() as Promise<Answer>;
  }

  async change(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<void> {
    await this.#request(method, path, body);
  }

  /** Until `stop()`, or until the token is refused. */
  async follow(onOverview: (overview: Overview) => void, onState: (state: StreamState) => void): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    let retryMs = RETRY_FIRST_MS;
    while (!abort.signal.aborted) {
      onState("connecting");
      try {
        await this.#stream(abort.signal, (overview) => {
          retryMs = RETRY_FIRST_MS;
          onState("live");
          onOverview(overview);
        });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof AnswerError && (error.status === 401 || error.status === 403)) {
          onState("unauthorized");
          return;
        }
      }
      if (abort.signal.aborted) return;
      onState("lost");
      await new Promise((resume) => setTimeout(resume, retryMs));
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #stream(signal: AbortSignal, onOverview: (overview: Overview) => void): Promise<void> {
    const response = await this.#request("GET", "api/v1/stream", undefined, signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) return;
    const parser = new SseParser();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      for (const { event, data } of parser.push(read.value))
        if (event === "overview") onOverview(JSON.parse(data) as Overview);
    }
  }

  async #request(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (this.#token !== null) headers["authorization"] = `Bearer ${this.#token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (signal !== undefined) init.signal = signal;
    const response = await fetch(path, init);
    if (response.ok) return response;
    const answer = (await response.json().catch(() => null)) as { message?: unknown } | null;
    const message = typeof answer?.message === "string" ? answer.message : `the agent answered ${response.status}`;
    throw new AnswerError(response.status, message);
  }
}
