/**
 * The HTTP listener: /livez, /readyz, /metrics and the links in EMQX's shape. Read-only in this version.
 *
 * Without a token, a listener on any address but loopback serves health and metrics only; elsewhere the Host header is
 * checked (DNS rebinding), and a token is taken as Bearer or as the password of Basic.
 */
import { timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { LinkError } from "../base/error-codes.ts";
import type { AgentConfig } from "../config/types.ts";
import type { AgentView } from "./agent-status.ts";
import { linkAnswers } from "./link-answer.ts";
import { createMetrics } from "./metrics.ts";

/** A health check must not hang on to a connection, nor a slow client on the process. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface HttpListener {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export function createApp(agent: AgentView, config: AgentConfig): Hono {
  const app = new Hono();
  const metrics = createMetrics(agent);
  const { host, token } = config.http;
  const loopback = isLoopback(host);

  app.use("*", async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Cache-Control", "no-store");
  });
  app.get("/livez", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => {
    const status = agent.status();
    const lines = Object.entries(status.sessions).map(
      ([name, { up, reason }]) => `${up ? "ok" : "no"} session ${name}${up ? "" : `: ${reason}`}`,
    );
    if (status.hub.duplicate) lines.push("no DUPLICATE_AGENT: another agent speaks in the name of this cluster");
    // Peers are shown and never count: a cut of the wide-area link must not take the local broker out of service.
    for (const link of status.hub.links) lines.push(`-- link ${link.name}: ${link.status}`);
    return c.text(`${agent.ready ? "ready" : "not ready"}\n${lines.join("\n")}\n`, agent.ready ? 200 : 503);
  });
  app.get("/metrics", async (c) => c.body(await metrics.metrics(), 200, { "Content-Type": metrics.contentType }));

  app.use("/api/*", async (c, next) => {
    if (token === null && !loopback) {
      return c.json({ code: "FORBIDDEN", message: "set http.token_file to open the API on this address" }, 403);
    }
    if (loopback && !isLocalHost(c.req.header("host")))
      return c.json({ code: "BAD_HOST", message: "unexpected Host header" }, 421);
    if (token !== null && !authorized(c.req.header("authorization"), token)) {
      c.header("WWW-Authenticate", 'Basic realm="brokerlink"');
      return c.json({ code: "BAD_API_KEY_OR_SECRET", message: "wrong or missing token" }, 401);
    }
    return next();
  });
  app.get("/api/v5/cluster/links", (c) => c.json(linkAnswers(config, agent.status())));
  app.get("/api/v5/cluster/links/link/:name", (c) => {
    const answer = linkAnswers(config, agent.status()).find(({ name }) => name === c.req.param("name"));
    return answer === undefined
      ? c.json({ code: "NOT_FOUND", message: "Cluster link not found" }, 404)
      : c.json(answer);
  });
  app.get("/api/v1/status", (c) => c.json(agent.status()));
  app.notFound((c) => c.json({ code: "NOT_FOUND", message: "no such path" }, 404));
  return app;
}

/** Resolves once the port is open; a port that is taken is a LinkError HTTP_UNAVAILABLE. */
export function listen(agent: AgentView, config: AgentConfig): Promise<HttpListener> {
  const { host, port } = config.http;
  const app = createApp(agent, config);
  return new Promise((resolve, reject) => {
    const server: ServerType = serve({ fetch: app.fetch, hostname: host, port }, (info: AddressInfo) => {
      resolve({
        host,
        port: info.port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    if ("requestTimeout" in server) server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.once("error", (error: Error) => {
      reject(
        new LinkError("HTTP_UNAVAILABLE", `cannot listen on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function isLocalHost(header: string | undefined): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return isLoopback(name);
}

function authorized(header: string | undefined, token: string): boolean {
  if (header === undefined) return false;
  const [scheme = "", value = ""] = header.split(" ", 2);
  if (scheme.toLowerCase() === "bearer") return same(value, token);
  if (scheme.toLowerCase() !== "basic") return false;
  const text = Buffer.from(value, "base64").toString("utf8");
  return same(text.slice(text.indexOf(":") + 1), token);
}

function same(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
