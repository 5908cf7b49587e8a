/**
 * Who may ask what over HTTP. A web page that a browser on this machine shows can send requests to loopback addresses:
 * the Host header gives away one that came through a name of its own (DNS rebinding), the Origin header one of another site.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../config/server-format.ts";
import type { RefusalCode } from "./http-counters.ts";

/** Why a request is refused; `body` in the form of EMQX's API. */
export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly body: { readonly code: RefusalCode; readonly message: string };
}

export interface AccessRules {
  /** Where the listener listens. */
  readonly host: string;
  readonly token: string | null;
}

/** The headers that count; undefined: not sent. */
export interface AccessHeaders {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** For every path. Without a Host header (HTTP/1.0) it is no browser that asks. */
export function refuseForeign({ host }: AccessRules, headers: AccessHeaders): Refusal | null {
  if (isLoopback(host) && headers.host !== undefined && !isLoopback(hostName(headers.host))) {
    return {
      status: 421,
      body: { code: "BAD_HOST", message: "the Host header must name this machine: localhost, 127.0.0.1 or [::1]" },
    };
  }
  if (headers.origin !== undefined && originHost(headers.origin) !== headers.host?.toLowerCase()) {
    return { status: 403, body: { code: "BAD_ORIGIN", message: "requests of other sites are refused" } };
  }
  return null;
}

/** For the API: on any address but loopback it needs a token, and everywhere the token that is set. */
export function refuseUnauthorized({ host, token }: AccessRules, headers: AccessHeaders): Refusal | null {
  if (token === null) {
    if (isLoopback(host)) return null;
    return {
      status: 403,
      body: { code: "FORBIDDEN", message: "set http.token_file to open the API on this address" },
    };
  }
  if (isAuthorized(headers.authorization, token)) return null;
  return { status: 401, body: { code: "BAD_API_KEY_OR_SECRET", message: "wrong or missing token" } };
}

/** `localhost:9464` and `[::1]:9464` without the port. */
function hostName(header: string): string {
  return header.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

function originHost(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    // "null", of a sandboxed page, and whatever else is no URL: nobody's origin.
    return null;
  }
}

/** The token as Bearer (RFC 6750), or as the password of Basic (RFC 7617) beside any user name. */
function isAuthorized(header: string | undefined, token: string): boolean {
  const match = /^([A-Za-z]+) +(\S+) *$/.exec(header ?? "");
  const [, scheme = "", credentials = ""] = match ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return isSame(credentials, token);
    case "basic": {
      const text = Buffer.from(credentials, "base64").toString("utf8");
      const colon = text.indexOf(":");
      return colon >= 0 && isSame(text.slice(colon + 1), token);
    }
    default:
      return false;
  }
}

/** Digests have one length, so that the time taken tells nothing of the token, its length included. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
