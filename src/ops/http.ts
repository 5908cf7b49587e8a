/**
 * The HTTP listener: /livez, /readyz, /metrics, the links in EMQX's shape (`emqx-api.ts`), and what EMQX has not (`api.ts`).
 *
 * Without a token, a listener on any address but loopback serves health and metrics only (`access.ts`).
 */
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { LinkError } from "../base/error-codes.ts";
import { isLoopback } from "../config/server-format.ts";
import type { AgentConfig } from "../config/types.ts";
import { type AccessHeaders, type Refusal, refuseForeign, refuseUnauthorized } from "./access.ts";
import type { AgentView } from "./agent-status.ts";
import { createApi } from "./api.ts";
import { clockMs } from "./clock.ts";
import { createEmqxApi } from "./emqx-api.ts";
import type { LinkEditor } from "./link-editor.ts";
import { LinkMeters, SAMPLE_MS } from "./link-meter.ts";
import type { Logger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { notAllowed } from "./not-allowed.ts";
import { overview } from "./overview.ts";
import { OverviewStream } from "./overview-stream.ts";
import { PageAssets } from "./page-assets.ts";
import { readinessText } from "./readiness.ts";
import { ScanQueue } from "./scan-queue.ts";

/** A health check must not hang on to a connection, nor a slow client on the process. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Probes and scrapers are a handful; what comes on top is closed at once (Node counts the excess as dropped). */
const CONNECTIONS_MAX = 256;
/** A connection that asks for nothing is closed after this. */
const KEEP_ALIVE_MS = 5_000;
/** What is being answered when the listener closes may end within this. */
const CLOSE_MS = 200;
/** Everything here is short: the longest thing a caller has to say is a token. */
const HEADER_BYTES_MAX = 16 * 1024;
const READ_ONLY = "GET, HEAD";

export interface HttpListener {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** `editor` null: nothing changes links. */
export function createApp(
  agent: AgentView,
  config: AgentConfig,
  log: Logger,
  editor: LinkEditor | null = null,
  { stream, meters } = watching(agent, editor),
): Hono {
  const app = new Hono();
  const metrics = createMetrics(agent);
  const scans = new ScanQueue();

  app.use("*", async (c, next) => {
    const refusal = refuseForeign(config.http, accessHeaders(c));
    if (refusal !== null) c.res = refuse(c, refusal);
    else if (!isReading(c) && !c.req.path.startsWith("/api/")) c.res = notAllowed(c, READ_ONLY);
    else await next();
    // A body that was not taken is not read either.
    if (!isReading(c) && c.res.status >= 400) c.header("Connection", "close");
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Cache-Control", "no-store");
  });
  // That this answers at all says that the event loop turns; nothing else belongs into a check that restarts the process.
  app.get("/livez", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => c.text(readinessText(agent.status(), agent.ready), agent.ready ? 200 : 503));
  app.get("/metrics", async (c) => c.body(await metrics.render(), 200, { "Content-Type": metrics.contentType }));

  app.use("/api/*", async (c, next) => {
    // The token may be another one by now; where the listener listens stays.
    const { token } = agent.config.http;
    const refusal = refuseUnauthorized({ host: config.http.host, token }, accessHeaders(c));
    return refusal === null ? next() : refuse(c, refusal);
  });
  app.route("/api/v5/cluster/links", createEmqxApi({ agent, editor, meters }));
  app.route("/api/v1", createApi({ agent, editor, stream, scans }));
  // Nothing of it is secret: what it shows it asks the API for. Not served where the API can never be open.
  if (config.http.token !== null || isLoopback(config.http.host)) servePage(app);
  app.notFound((c) => c.json({ code: "NOT_FOUND", message: "no such path" }, 404));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, "http request failed");
    return c.json({ code: "INTERNAL_ERROR", message: "the log says more" }, 500);
  });
  return app;
}

function servePage(app: Hono): void {
  const assets = new PageAssets();
  const serve = (c: Context): Response | Promise<Response> => {
    const asset = assets.get(c.req.path);
    return asset === null ? c.notFound() : c.body(asset.body, 200, { ...asset.headers });
  };
  app.get("/", serve);
  app.get("/page/*", serve);
}

/** Resolves once the port is open; a port that is taken is a LinkError HTTP_UNAVAILABLE. `editor` null: nothing changes links. */
export function listen(
  agent: AgentView,
  config: AgentConfig,
  log: Logger,
  editor: LinkEditor | null = null,
): Promise<HttpListener> {
  const { host, port } = config.http;
  const watch = watching(agent, editor);
  const app = createApp(agent, config, log, editor, watch);
  return new Promise((resolve, reject) => {
    const options = {
      fetch: app.fetch,
      hostname: host,
      port,
      serverOptions: {
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
    };
    const server: ServerType = serve(options, (info: AddressInfo) => {
      resolve({ host, port: info.port, close: () => close(server, watch) });
      const sampling = setInterval(() => watch.meters.sample(agent.status().hub, clockMs()), SAMPLE_MS);
      sampling.unref();
      server.once("close", () => clearInterval(sampling));
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.once("error", (error: Error) => {
      const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      reject(new LinkError("HTTP_UNAVAILABLE", `cannot listen on ${where}: ${error.message}`, { cause: error }));
    });
  });
}

/** What goes on between requests. */
interface Watching {
  readonly stream: OverviewStream;
  readonly meters: LinkMeters;
}

function watching(agent: AgentView, editor: LinkEditor | null): Watching {
  return {
    stream: new OverviewStream(() => overview(agent, editor, clockMs()), agent.history),
    meters: new LinkMeters(),
  };
}

function close(server: ServerType, { stream }: Watching): Promise<void> {
  stream.end();
  return new Promise((done) => {
    const cut = setTimeout(() => {
      if ("closeAllConnections" in server) server.closeAllConnections();
    }, CLOSE_MS);
    server.close(() => {
      clearTimeout(cut);
      done();
    });
  });
}

function accessHeaders(c: Context): AccessHeaders {
  return {
    host: c.req.header("host"),
    origin: c.req.header("origin"),
    authorization: c.req.header("authorization"),
  };
}

function refuse(c: Context, { status, body }: Refusal): Response {
  if (status === 401) c.header("WWW-Authenticate", 'Basic realm="brokerlink"');
  return c.json(body, status);
}

function isReading(c: Context): boolean {
  return c.req.method === "GET" || c.req.method === "HEAD";
}
