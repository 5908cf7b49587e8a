/** The address of a broker's HTTP API. As with brokers, a URL never carries a secret, and one that does is never printed. */
import type { Format } from "./format.ts";
import { kindOf } from "./formats.ts";
import { quotedAddress } from "./printable.ts";
import type { Report } from "./problem.ts";

/** Those of EMQX's dashboard listeners. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 18083, "https:": 18084 };
const SERVERS_MAX = 16;
const URL_LENGTH_MAX = 2_048;

export const API_SERVERS: Format<string[]> = {
  expects: "one URL or a list of them: `http://` or `https://` with a host, and a port unless it is 18083 or 18084",
  text: "one_or_list",
  parse(value, report) {
    if (typeof value === "string") {
      const url = parseApiServer(value, report);
      return url === undefined ? undefined : [url];
    }
    if (!Array.isArray(value)) {
      report(`must be a URL or a list of URLs, and is ${kindOf(value)}`);
      return undefined;
    }
    if (value.length === 0) report("is an empty list: it must name at least one URL");
    if (value.length > SERVERS_MAX) {
      report(`has ${value.length} entries; at most ${SERVERS_MAX} are allowed`);
      return undefined;
    }
    const urls = value.flatMap((entry: unknown, index) => {
      const below: Report = (message) => report(message, [index]);
      if (typeof entry === "string") return parseApiServer(entry, below) ?? [];
      below(`must be a URL, and is ${kindOf(entry)}`);
      return [];
    });
    return urls.length === 0 ? undefined : urls;
  },
};

/** With its port, and without a slash at its end. */
function parseApiServer(value: string, report: Report): string | undefined {
  const shown = quotedAddress(value);
  if (value === "") report("is empty");
  else if (value.length > URL_LENGTH_MAX) report(`is longer than ${URL_LENGTH_MAX} characters`);
  else if (value.includes("@")) report(`${shown} has a user name or password in it: use key and secret_file instead`);
  else if (!/^https?:\/\/./i.test(value)) report(`${shown} is no URL that begins with http:// or https://`);
  else if (/[\s\p{Cc}\\?#]/u.test(value)) report(`${shown} has a character that this URL has not`);
  else {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null) report(`${shown} is no URL`);
    else if (/\/api\/v5\/?$/.test(url.pathname)) report(`${shown} ends in /api/v5, which is added here: leave it out`);
    else return withPort(url, value);
  }
  return undefined;
}

/** A URL forgets the port that is its scheme's own: what was written counts. */
function withPort(url: URL, written: string): string {
  const { protocol, hostname, pathname } = url;
  const port = /^https?:\/\/(?:\[[^\]]*\]|[^:/]*):(\d+)/i.exec(written)?.[1] ?? `${DEFAULT_PORTS[protocol]}`;
  return `${protocol}//${hostname}:${port}${pathname.replace(/\/+$/, "")}`;
}
