/**
 * Addresses of brokers and of the HTTP listener. A URL never carries a secret: one with a user name or password in it is
 * refused, and never printed.
 */
import { isIP, isIPv6 } from "node:net";
import type { Format } from "./format.ts";
import { kindOf } from "./formats.ts";
import { quotedAddress } from "./printable.ts";
import type { Report } from "./problem.ts";

/** One try after the other; more addresses than this would keep an agent busy instead of connected. */
const SERVERS_MAX = 16;
const URL_LENGTH_MAX = 2_048;

const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

export type ServerScheme = keyof typeof DEFAULT_PORTS;

export interface Server {
  /** Null: `host:port` alone. `ssl.enable` decides. */
  readonly scheme: ServerScheme | null;
  /** As in a URL: an IPv6 address has its brackets. */
  readonly host: string;
  readonly port: number | null;
  /** For WebSockets only. */
  readonly path: string;
}

export const SERVERS: Format<Server[]> = {
  expects: "one URL or a list of them: `mqtt://`, `mqtts://`, `ws://`, `wss://` with a host and a port, or `host:port`",
  text: "one_or_list",
  parse(value, report) {
    if (typeof value === "string") {
      const server = parseServer(value, report);
      return server === undefined ? undefined : [server];
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
    const servers = value.flatMap((entry: unknown, index) => {
      const below: Report = (message) => report(message, [index]);
      if (typeof entry === "string") return parseServer(entry, below) ?? [];
      below(`must be a URL, and is ${kindOf(entry)}`);
      return [];
    });
    return servers.length === 0 ? undefined : servers;
  },
};

/** An address to listen on. */
export const LISTEN_HOST: Format<string> = {
  expects: "an IP address (IPv6 without brackets) or a host name",
  text: "text",
  parse(value, report) {
    if (typeof value !== "string") report(`must be an address or host name, and is ${kindOf(value)}`);
    else if (isIP(value) !== 0 || isHostName(value)) return value;
    else
      report(
        `${quotedAddress(value)} is no address or host name${value.startsWith("[") ? ": leave out the brackets" : ""}`,
      );
    return undefined;
  },
};

/** The name in a certificate. */
export const HOST_NAME: Format<string> = {
  expects: "a host name",
  text: "text",
  parse(value, report) {
    if (typeof value === "string" && isHostName(value)) return value;
    report(`must be a host name, and is ${kindOf(value)}`);
    return undefined;
  },
};

export function parseServer(value: string, report: Report): Server | undefined {
  const shown = quotedAddress(value);
  if (value === "") report("is empty");
  else if (value.length > URL_LENGTH_MAX) report(`is longer than ${URL_LENGTH_MAX} characters`);
  else if (value.includes("@")) {
    report(`${shown} has a user name or password in it: use username and password_file instead`);
  } else if (/[\s\p{Cc}\\]/u.test(value)) report(`${shown} has a character that no URL has`);
  else return parseParts(value, shown, report);
  return undefined;
}

function parseParts(value: string, shown: string, report: Report): Server | undefined {
  const match = /^(?:([^:/?#]*):\/\/)?(\[[^\]]*\]|[^:/?#[\]]*)(?::([^/?#]*))?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/.exec(value);
  if (match === null || (match[1] === undefined && value.includes("://"))) {
    report(`${shown} is no URL`);
    return undefined;
  }
  const [, written, host = "", portText, path = "", query, fragment] = match;
  const scheme = written === undefined ? null : knownScheme(written);
  const problem =
    schemeProblem(written, scheme) ??
    hostProblem(host) ??
    portProblem(portText) ??
    (path !== "" && path !== "/" && scheme !== "ws" && scheme !== "wss"
      ? "has a path; only ws and wss take one"
      : null) ??
    (query !== undefined ? "has a query; none is needed" : null) ??
    (fragment !== undefined ? "has a fragment; none is needed" : null);
  if (problem !== null || scheme === undefined) {
    report(`${shown} ${problem ?? "is no URL"}`);
    return undefined;
  }
  const isWebSocket = scheme === "ws" || scheme === "wss";
  return {
    scheme,
    host: host.toLowerCase(),
    port: portText === undefined ? null : Number(portText),
    path: isWebSocket ? path : "",
  };
}

/** `tls`: what a bare `host:port` means. */
export function serverUrl({ scheme, host, port, path }: Server, tls: boolean): string {
  const actual = scheme ?? (tls ? "mqtts" : "mqtt");
  return `${actual}://${host}:${port ?? DEFAULT_PORTS[actual]}${path}`;
}

export function isSecure(url: string): boolean {
  return /^(?:mqtts|wss|https):/.test(url);
}

/** `127.0.0.1`, `localhost`, `::1` with or without brackets: nobody listens in between. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || /^127\.\d+\.\d+\.\d+$/.test(bare);
}

/** `HOST:PORT` of the flag `--http`; null: it is not that. Port and host are checked by their own formats. */
export function splitHostPort(value: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  if (match === null) return null;
  return { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}

function knownScheme(written: string): ServerScheme | undefined {
  const lower = written.toLowerCase();
  return lower === "mqtt" || lower === "mqtts" || lower === "ws" || lower === "wss" ? lower : undefined;
}

function schemeProblem(written: string | undefined, scheme: ServerScheme | null | undefined): string | null {
  if (scheme !== undefined) return null;
  const hint: Readonly<Record<string, string>> = {
    tcp: "mqtt",
    ssl: "mqtts",
    tls: "mqtts",
    http: "ws",
    https: "wss",
  };
  const lower = (written ?? "").toLowerCase();
  const meant = Object.hasOwn(hint, lower) ? `; here it is called ${hint[lower]}://` : "";
  return `has an unknown scheme; known are mqtt, mqtts, ws, wss${meant}`;
}

function hostProblem(host: string): string | null {
  if (host === "" || host === "[]") return "has no host";
  const valid = host.startsWith("[") ? isIPv6(host.slice(1, -1)) : isHostName(host);
  return valid ? null : "has a bad host";
}

/** Names as DNS has them, with underscores, and IPv4 addresses. What looks like one and is none, such as 10.0.0.256, is no name. */
function isHostName(text: string): boolean {
  if (!/^[0-9A-Za-z_](?:[0-9A-Za-z_.-]{0,252}[0-9A-Za-z_.])?$/.test(text)) return false;
  return !/^[0-9.]+$/.test(text) || isIP(text) === 4;
}

function portProblem(port: string | undefined): string | null {
  if (port === undefined) return null;
  if (!/^\d{1,5}$/.test(port)) return "has a bad port";
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? null : `has port ${number}; ports go from 1 to 65535`;
}
