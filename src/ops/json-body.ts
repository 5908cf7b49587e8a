/** The body of a request that changes something: a JSON object, said to be one, and small. */
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";

/** A link with a hundred long filters takes a tenth of it. */
export const BODY_BYTES_MAX = 64 * 1024;

/** Refuses what is larger, without reading more of it than that. */
export const limitBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: (c) => c.json({ code: "REQUEST_TOO_LARGE", message: `a body takes at most ${BODY_BYTES_MAX} bytes` }, 413),
});

export type JsonObject = Readonly<Record<string, unknown>>;

/** Answers the object, or the refusal to send. A form of another site's page has another content type, and needs no script. */
export async function jsonObject(c: Context): Promise<JsonObject | Response> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type))
    return c.json({ code: "UNSUPPORTED_MEDIA_TYPE", message: "the content type must be application/json" }, 415);
  let value: unknown;
  try {
    value = JSON.parse(await c.req.text());
  } catch {
    return c.json({ code: "BAD_REQUEST", message: "the body is no JSON" }, 400);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return c.json({ code: "BAD_REQUEST", message: "the body must be a JSON object" }, 400);
  return value as JsonObject;
}
