/** EMQX's own paths for links, /api/v5/cluster/links, with its bodies, status words and error codes. */
import { type Context, Hono } from "hono";
import type { LinkStatus } from "../hub/status.ts";
import type { AgentView } from "./agent-status.ts";
import { clockMs } from "./clock.ts";
import { type JsonObject, jsonObject, limitBody } from "./json-body.ts";
import { type LinkAnswer, linkAnswers } from "./link-answer.ts";
import { linkBody } from "./link-body.ts";
import type { EditResult, LinkEditor } from "./link-editor.ts";
import type { LinkMeters } from "./link-meter.ts";
import { notAllowed } from "./not-allowed.ts";
import { NO_EDITOR } from "./overview.ts";

/** Names the keys of a request that EMQX knows and this agent has no use for. */
const IGNORED_HEADER = "Brokerlink-Ignored";
const LINK = "/link/:name";

export interface EmqxApiParts {
  readonly agent: AgentView;
  readonly editor: LinkEditor | null;
  readonly meters: LinkMeters;
}

export function createEmqxApi({ agent, editor, meters }: EmqxApiParts): Hono {
  const api = new Hono();
  const answers = (): LinkAnswer[] => linkAnswers(agent.config, agent.status(), agent.history);
  const answerOf = (name: string): LinkAnswer | undefined => answers().find((answer) => answer.name === name);

  const edit = async (c: Context, change: (by: LinkEditor) => Promise<EditResult>): Promise<Response | null> => {
    if (editor === null) return c.json({ code: "READ_ONLY", message: NO_EDITOR }, 409);
    const result = await change(editor);
    return result.ok ? null : c.json({ code: result.code, message: result.message }, EDIT_STATUS[result.code]);
  };
  /** What was ignored stands in a header, since EMQX's bodies have no place for it. */
  const linkOf = (c: Context, body: JsonObject): JsonObject => {
    const { link, ignored } = linkBody(body);
    if (ignored.length > 0) c.header(IGNORED_HEADER, ignored.join(", "));
    return link;
  };
  const answered = (c: Context, name: string, status: 200 | 201): Response => {
    // Somebody may have deleted it meanwhile.
    const answer = answerOf(name);
    return answer === undefined ? noLink(c) : c.json(answer, status);
  };

  api.get("/", (c) => c.json(answers()));
  api.post("/", limitBody, async (c) => {
    const body = await jsonObject(c);
    if (body instanceof Response) return body;
    const link = linkOf(c, body);
    const refusal = await edit(c, (by) => by.create(link));
    return refusal ?? answered(c, String(link["name"]), 201);
  });
  api.all("/", (c) => notAllowed(c, "GET, HEAD, POST"));

  api.get(LINK, (c) => answered(c, c.req.param("name"), 200));
  api.put(LINK, limitBody, async (c) => {
    const name = c.req.param("name");
    const body = await jsonObject(c);
    if (body instanceof Response) return body;
    // As in EMQX the path says which link it is, whatever the body says.
    const link = { ...linkOf(c, body), name };
    const refusal = await edit(c, (by) => by.update(name, link));
    return refusal ?? answered(c, name, 200);
  });
  api.delete(LINK, async (c) => {
    const refusal = await edit(c, (by) => by.remove(c.req.param("name")));
    return refusal ?? c.body(null, 204);
  });
  api.all(LINK, (c) => notAllowed(c, "GET, HEAD, PUT, DELETE"));

  /** Of a link that is configured: null while it is disabled, undefined when there is none. */
  const statusOf = (name: string): LinkStatus | null | undefined => {
    if (!agent.config.links.some((link) => link.name === name)) return undefined;
    return agent.status().hub.links.find((link) => link.name === name) ?? null;
  };
  api.get(`${LINK}/metrics`, (c) => {
    const link = statusOf(c.req.param("name"));
    if (link === undefined) return noLink(c);
    const metrics = meters.metrics(link, clockMs());
    return c.json({ metrics, node_metrics: [{ node: agent.status().hub.cluster, metrics }] });
  });
  api.all(`${LINK}/metrics`, (c) => notAllowed(c, "GET, HEAD"));
  api.put(`${LINK}/metrics/reset`, (c) => {
    const link = statusOf(c.req.param("name"));
    if (link === undefined) return noLink(c);
    if (link !== null) meters.reset(link, clockMs());
    return c.body(null, 204);
  });
  api.all(`${LINK}/metrics/reset`, (c) => notAllowed(c, "PUT"));
  return api;
}

const EDIT_STATUS = {
  NOT_FOUND: 404,
  ALREADY_EXISTS: 400,
  BAD_REQUEST: 400,
  READ_ONLY: 409,
  WRITE_FAILED: 500,
} as const;

export function noLink(c: Context): Response {
  return c.json({ code: "NOT_FOUND", message: "Cluster link not found" }, 404);
}
