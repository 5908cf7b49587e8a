/** Asks a running agent over HTTP, and says in one sentence why it got no answer. */
import { LinkError } from "../base/error-codes.ts";
import { printable } from "../config/printable.ts";
import type { AgentAddress } from "./agent-address.ts";

const ANSWER_WITHIN_MS = 10_000;

export class AgentClient {
  readonly #address: AgentAddress;

  constructor(address: AgentAddress) {
    this.#address = address;
  }

  /** `path` with its query. Rejects with a LinkError: nobody there, or not the answer of an agent. */
  async get<Answer>(path: string): Promise<Answer> {
    const { url, token } = this.#address;
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, { headers, signal, redirect: "error" });
      text = await response.text();
    } catch (error) {
      throw new LinkError(
        "AGENT_UNREACHABLE",
        `no agent answers at ${url} (${reasonOf(error)}): does it run there? --config or --http says where`,
        {
          cause: error,
        },
      );
    }
    const body = parsed(text);
    if (response.ok && body !== null) return body as Answer;
    throw new LinkError("AGENT_REFUSED", this.#refusal(response.status, body));
  }

  #refusal(status: number, body: object | null): string {
    const { url, token } = this.#address;
    const { message = null } = (body ?? {}) as { message?: unknown };
    const said = typeof message === "string" ? printable(message) : null;
    if (status === 401) {
      const what = token === null ? "it asks for a token" : "it does not know this token";
      return `the agent at ${url} does not answer: ${what}; --token-file or http.token_file of the configuration names its file`;
    }
    if (said !== null) return `the agent at ${url}: ${said}`;
    return `what answers at ${url} is no agent of this version (HTTP ${status})`;
  }
}

/** Null: no JSON, or none of ours. */
function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    // Something else listens there.
    return null;
  }
}

/** What the system says stands behind what `fetch` says. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  if (inner instanceof Error && "code" in inner && inner.code === "ECONNREFUSED") return "connection refused";
  const why = inner instanceof Error ? inner : error;
  return why instanceof Error ? printable(why.message) : String(why);
}
