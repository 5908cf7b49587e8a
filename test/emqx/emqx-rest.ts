/**
 * The part of EMQX's REST API that lists subscriptions, as captured from 5.8.9 (shared captures, rest.json): paths, codes,
 * bodies, headers, the order of the keys. What was not captured is refused.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { until } from "../support/until.ts";
import type { SessionRow } from "./emqx-sessions.ts";

export interface EmqxRestOptions {
  readonly rows: () => readonly SessionRow[];
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

export class EmqxRest {
  readonly key = "0f1e2d3c4b5a6978";
  secret = "secret-of-the-key";
  /** Asked so far, as path and query. */
  readonly asked: string[] = [];
  /** In place of any answer, while set. `hang`: none at all. */
  instead:
    | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
    | "hang"
    | null = null;
  /** Called when a page is made and not yet sent. */
  beforeAnswer: (page: number) => Promise<void> = async () => {};
  readonly #options: EmqxRestOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;

  constructor(options: EmqxRestOptions) {
    this.#options = options;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    const { tls } = this.#options;
    const handler = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    const server =
      tls === undefined
        ? createServer(handler)
        : (createTlsServer({ ...tls, requestCert: tls.ca !== undefined }, handler) as unknown as Server);
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.#port = address.port;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Waits for so many more questions. */
  async askedMore(count: number): Promise<void> {
    const before = this.asked.length;
    await until(`${count} more questions to the API`, () => this.asked.length >= before + count, 20_000);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    this.asked.push(`${url.pathname}${url.search}`);
    if (this.instead === "hang") return;
    if (this.instead !== null) {
      const { status, body, headers = {} } = this.instead;
      send(response, status, body, headers);
      return;
    }
    const { authorization } = request.headers;
    if (authorization === undefined) {
      send(response, 401, '{"code":"AUTHORIZATION_HEADER_ERROR","message":"Support authorization: basic/bearer "}');
    } else if (authorization !== `Basic ${Buffer.from(`${this.key}:${this.secret}`).toString("base64")}`) {
      send(response, 401, '{"code":"BAD_API_KEY_OR_SECRET","message":"Check api_key/api_secret"}');
    } else if (request.method !== "GET" || url.pathname !== "/api/v5/subscriptions") {
      send(response, 404, '{"code":"API_NOT_EXIST","message":"Request Path Not Found"}');
    } else await this.#list(url, response);
  }

  async #list(url: URL, response: ServerResponse): Promise<void> {
    const limit = Number(url.searchParams.get("limit") ?? 100);
    const page = Number(url.searchParams.get("page") ?? 1);
    if (!(limit >= 1 && limit <= 10_000)) {
      const reason = { value: limit, reason: { expected: "1..10000" }, path: "limit", kind: "validation_error" };
      send(response, 400, JSON.stringify({ code: "BAD_REQUEST", message: JSON.stringify(reason) }));
      return;
    }
    const rows = this.#options.rows();
    const data = rows.slice((page - 1) * limit, page * limit).map(({ clientid, topic, qos, node }) => ({
      clientid,
      durable: false,
      nl: 0,
      node,
      qos,
      rap: 0,
      rh: 0,
      topic,
    }));
    const hasnext = page * limit < rows.length;
    const body = JSON.stringify({ data, meta: { count: rows.length, hasnext, limit, page } });
    await this.beforeAnswer(page);
    send(response, 200, body);
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    "content-type": "application/json",
    server: "Cowboy",
    ...headers,
  });
  response.end(body);
}
