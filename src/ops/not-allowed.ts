/** A path that is there, asked in a way that it does not take. */
import type { Context } from "hono";

export function notAllowed(c: Context, allow: string): Response {
  c.header("Allow", allow);
  return c.json({ code: "METHOD_NOT_ALLOWED", message: `this path takes ${allow}` }, 405);
}
