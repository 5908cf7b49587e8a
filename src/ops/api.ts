/** What EMQX's API has not: /api/v1/. Paths, queries and answers; what is behind each answer is elsewhere. */
import { type Context, Hono } from "hono";
import { filterProblem } from "../topic/filter.ts";
import type { AgentView } from "./agent-status.ts";
import { asksFor, type ClientRow, clientRow } from "./client-rows.ts";
import { clockMs } from "./clock.ts";
import { drainReport } from "./drain-report.ts";
import { noLink } from "./emqx-api.ts";
import { explainAnswer } from "./explain-answer.ts";
import type { LinkEditor } from "./link-editor.ts";
import { notAllowed } from "./not-allowed.ts";
import { overview } from "./overview.ts";
import type { OverviewStream } from "./overview-stream.ts";
import { PageRows, pageQuery } from "./page.ts";
import { fitsSearch, linkRoutes, type RouteDirection, routeRow } from "./route-rows.ts";
import type { ScanQueue } from "./scan-queue.ts";

/** A topic takes 65,535 bytes at most; a URL as long as that has met the limit of headers before. */
const SEARCH_UNITS_MAX = 4_096;

export interface ApiParts {
  readonly agent: AgentView;
  readonly editor: LinkEditor | null;
  readonly stream: OverviewStream;
  readonly scans: ScanQueue;
}

export function createApi({ agent, editor, stream, scans }: ApiParts): Hono {
  const api = new Hono();
  api.get("/status", (c) => c.json(agent.status()));
  api.get("/overview", (c) => c.json(overview(agent, editor, clockMs())));

  api.get("/stream", (c) => {
    // Only asked what it is: nobody would read it.
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
    const events = stream.open();
    if (events === null) return busy(c, "too many streams are open");
    return c.body(events, 200, { "Content-Type": "text/event-stream" });
  });

  api.get("/routes", async (c) => {
    const { direction = "out", link, search, topic, page, limit } = c.req.query();
    const paged = pageQuery(page, limit);
    if (!paged.ok) return bad(c, paged.message);
    if (direction !== "out" && direction !== "in") return bad(c, "direction: expected out or in");
    if ((search ?? "").length > SEARCH_UNITS_MAX) return bad(c, `search: longer than ${SEARCH_UNITS_MAX} characters`);
    if (link !== undefined && !agent.config.links.some(({ name }) => name === link)) return noLink(c);
    const wanted = {
      direction: direction as RouteDirection,
      link: given(link),
      search: given(search),
      topic: given(topic),
    };
    const rows = new PageRows<ReturnType<typeof routeRow>>(paged.query);
    const { hub } = agent;
    const scan = scans.scan(
      () => linkRoutes(hub.links(), wanted),
      (found) => {
        if (fitsSearch(found.route, wanted)) rows.add(() => routeRow(found, wanted.direction, hub.demand));
      },
    );
    if (scan === null) return busy(c, "too many searches wait");
    const { cut } = await scan;
    return c.json({ data: rows.rows, meta: rows.meta(cut) });
  });

  api.get("/clients", async (c) => {
    const { filter = "", page, limit } = c.req.query();
    const paged = pageQuery(page, limit);
    if (!paged.ok) return bad(c, paged.message);
    const problem = filterProblem(filter);
    if (problem !== null) return bad(c, `filter: ${problem}`);
    const rows = new PageRows<ClientRow>(paged.query);
    const scan = scans.scan(
      () => agent.hub.interest.holders(),
      (holder) => {
        if (asksFor(holder, filter)) rows.add(() => clientRow(holder));
      },
    );
    if (scan === null) return busy(c, "too many searches wait");
    const { cut } = await scan;
    return c.json({ data: rows.rows, meta: rows.meta(cut) });
  });

  api.get("/drain/:name", async (c) => {
    const name = c.req.param("name");
    if (!agent.config.links.some((link) => link.name === name)) return noLink(c);
    const report = await drainReport(name, agent, scans);
    return report === null ? busy(c, "too many searches wait") : c.json(report);
  });

  api.get("/explain", async (c) => {
    const topic = c.req.query("topic");
    if (topic === undefined) return bad(c, "topic: missing");
    const answer = await explainAnswer(topic, agent.config, agent.hub, scans);
    return answer === null ? busy(c, "too many searches wait") : c.json(answer);
  });
  api.all("*", (c, next) => (c.req.method === "GET" || c.req.method === "HEAD" ? next() : notAllowed(c, "GET, HEAD")));
  return api;
}

function given(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

function bad(c: Context, message: string): Response {
  return c.json({ code: "BAD_REQUEST", message }, 400);
}

function busy(c: Context, message: string): Response {
  c.header("Retry-After", "1");
  return c.json({ code: "BUSY", message }, 503);
}
