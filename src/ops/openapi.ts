/** The API as an OpenAPI 3.1 document. The tests hold every answer they get against it. */
import { COUNT, type JsonSchema, list, oneOf, ref, TEXT } from "./json-schema.ts";
import { ANSWER_SCHEMAS } from "./openapi-answers.ts";
import { LINK_SCHEMAS } from "./openapi-link.ts";
import { LIMIT_MAX } from "./page.ts";

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly JsonSchema[];
  readonly body?: JsonSchema;
  /** Schema of the JSON in a good answer; null: it has no body. */
  readonly answers: Readonly<Record<number, JsonSchema | null>>;
  /** Where a good answer is no JSON. */
  readonly type?: string;
  readonly open?: boolean;
}

const LINK_NAME = { name: "name", in: "path", required: true, schema: TEXT };
const PAGES = [query("page", { ...COUNT, minimum: 1 }), query("limit", { ...COUNT, minimum: 1, maximum: LIMIT_MAX })];
const LINKS = "/api/v5/cluster/links";

const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/livez": {
    get: { summary: "Whether the event loop turns.", answers: { 200: TEXT }, type: "text/plain", open: true },
  },
  "/readyz": {
    get: {
      summary: "Whether the agent serves the local broker, and what is missing.",
      answers: { 200: TEXT, 503: TEXT },
      type: "text/plain",
      open: true,
    },
  },
  "/metrics": { get: { summary: "For Prometheus.", answers: { 200: TEXT }, type: "text/plain", open: true } },
  [LINKS]: {
    get: { summary: "All links.", answers: { 200: list(ref("Link")) } },
    post: { summary: "Adds a link.", body: ref("LinkSettings"), answers: { 201: ref("Link") } },
  },
  [`${LINKS}/link/{name}`]: {
    get: { summary: "One link.", parameters: [LINK_NAME], answers: { 200: ref("Link") } },
    put: {
      summary: "Gives a link a whole new value. The name in the path counts.",
      parameters: [LINK_NAME],
      body: ref("LinkSettings"),
      answers: { 200: ref("Link") },
    },
    delete: {
      summary: "Takes leave of the peer and removes the link.",
      parameters: [LINK_NAME],
      answers: { 204: null },
    },
  },
  [`${LINKS}/link/{name}/metrics`]: {
    get: {
      summary: "A link's numbers in EMQX's words.",
      parameters: [LINK_NAME],
      answers: { 200: ref("LinkMetrics") },
    },
  },
  [`${LINKS}/link/{name}/metrics/reset`]: {
    put: {
      summary: "Lets these numbers begin at 0. Prometheus's are not touched.",
      parameters: [LINK_NAME],
      answers: { 204: null },
    },
  },
  "/api/v1/overview": {
    get: { summary: "The local broker, and every link with its past.", answers: { 200: ref("Overview") } },
  },
  "/api/v1/stream": {
    get: {
      summary: "Server-sent events: `overview` once a second, `change` (LinkChange) when a link's status changes.",
      answers: { 200: TEXT },
      type: "text/event-stream",
    },
  },
  "/api/v1/routes": {
    get: {
      summary: "Routes that we announced (`out`) or the peers did (`in`).",
      parameters: [
        query("direction", oneOf("out", "in")),
        query("link", TEXT),
        query("search", TEXT, "A part of the filter."),
        query("topic", TEXT, "What the filter has to match."),
        ...PAGES,
      ],
      answers: { 200: ref("RoutePage") },
    },
  },
  "/api/v1/explain": {
    get: {
      summary: "What becomes of messages on a topic, in both directions, and why.",
      parameters: [{ ...query("topic", TEXT), required: true }],
      answers: { 200: ref("Explanation") },
    },
  },
  "/api/v1/clients": {
    get: {
      summary: "Local clients that ask for a filter.",
      parameters: [{ ...query("filter", TEXT), required: true }, ...PAGES],
      answers: { 200: ref("ClientPage") },
    },
  },
  "/api/v1/drain/{name}": {
    get: {
      summary: "May this cluster be switched off?",
      parameters: [LINK_NAME],
      answers: { 200: ref("DrainReport") },
    },
  },
  "/api/v1/status": { get: { summary: "For a look inside.", answers: { 200: ref("Status") } } },
  "/api/v1/openapi.json": { get: { summary: "This document.", answers: { 200: { type: "object" } } } },
};

export function openapi(version: string): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "brokerlink",
      version,
      description: "Links in the shape of EMQX's own API, and what EMQX has not under /api/v1.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // Where the document came from.
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { basic: [] }],
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(Object.entries(methods).map(([method, each]) => [method, operation(path, method, each)])),
      ]),
    ),
    components: {
      schemas: { ...LINK_SCHEMAS, ...ANSWER_SCHEMAS },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        basic: { type: "http", scheme: "basic", description: "Any user name, the token as password." },
      },
    },
  };
}

function operation(
  path: string,
  method: string,
  { summary, parameters, body, answers, type, open }: Operation,
): object {
  const good = Object.entries(answers).map(([status, schema]) => [
    status,
    {
      description: summary,
      ...(schema === null ? {} : { content: { [type ?? "application/json"]: { schema } } }),
    },
  ]);
  const error = { description: "What is wrong.", content: { "application/json": { schema: ref("Error") } } };
  return {
    summary,
    operationId: `${method}${path.replace(/[^a-zA-Z0-9]+(.?)/g, (_, next: string) => next.toUpperCase())}`,
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    ...(open === true ? { security: [] } : {}),
    responses: { ...Object.fromEntries(good), default: error },
  };
}

function query(name: string, schema: JsonSchema, description?: string): JsonSchema {
  return { name, in: "query", schema, ...(description === undefined ? {} : { description }) };
}
