/** Asks the API and holds every answer against the OpenAPI document that the API itself serves. */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Hono } from "hono";
import { openapi } from "../../src/ops/openapi.ts";

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export const DOCUMENT = openapi("0.0.0") as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
ajv.addVocabulary(["components", "info", "openapi", "paths", "security", "servers"]);
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
ajv.addSchema(DOCUMENT, "document");

/** `get /path` of what was answered so far in this process. */
export const answered = new Set<string>();

/** As Hono's own `request`. */
export async function request(app: Hono, path: string, init: RequestInit): Promise<Response> {
  const answer = await app.request(path, init);
  // Without a body there is nothing to hold against the document.
  if (init.method !== "HEAD") await check(path, init.method ?? "GET", answer);
  return answer;
}

async function check(path: string, method: string, answer: Response): Promise<void> {
  const [plain = ""] = path.split("?");
  const template = Object.keys(DOCUMENT.paths).find((each) => fits(each, plain));
  const operation = template === undefined ? undefined : DOCUMENT.paths[template]?.[method.toLowerCase()];
  const where = `${method} ${path}: ${answer.status}`;
  if (template === undefined || operation === undefined) {
    assert.ok(answer.status >= 400, `${where} is not in the document`);
    await checkJson(pointer("components", "schemas", "Error"), answer, where);
    return;
  }
  const key = String(answer.status) in operation.responses ? String(answer.status) : "default";
  assert.ok(key !== "default" || answer.status >= 400, `${where} is not in the document`);
  const { content } = operation.responses[key] ?? {};
  answered.add(`${method.toLowerCase()} ${template}`);
  const [type] = Object.keys(content ?? {});
  if (type === undefined) {
    assert.equal(await answer.clone().text(), "", where);
    return;
  }
  assert.ok(answer.headers.get("content-type")?.startsWith(type), `${where} is no ${type}`);
  const at = pointer("paths", template, method.toLowerCase(), "responses", key, "content", type, "schema");
  if (type === "application/json") await checkJson(at, answer, where);
}

async function checkJson(at: string, answer: Response, where: string): Promise<void> {
  const validate = validator(at);
  const isGood = validate(await answer.clone().json());
  assert.ok(isGood, `${where}: ${ajv.errorsText(validate.errors)}`);
}

function validator(at: string): ValidateFunction {
  const found = ajv.getSchema(`document#${at}`);
  assert.ok(found !== undefined, at);
  return found;
}

function fits(template: string, path: string): boolean {
  const pattern = template.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(path);
}

function pointer(...keys: readonly string[]): string {
  return keys.map((key) => `/${encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");
}
