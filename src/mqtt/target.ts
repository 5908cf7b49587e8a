/** A broker's URL taken apart, and what TLS is told about the host in it. */
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { EndpointTls } from "./endpoint.ts";

export interface Target {
  readonly scheme: string;
  /** Without the brackets of an IPv6 literal. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly address: string;
}

/** IANA's ports for MQTT and those of HTTP for WebSocket. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "mqtt:": 1883,
  "mqtts:": 8883,
  "ws:": 80,
  "wss:": 443,
};
/** The path that nearly every broker serves MQTT on. */
const DEFAULT_PATH = "/mqtt";

/** Null: not one of the four schemes. User and password in a URL are not looked at: they would reach logs and proxies. */
export function parseTarget(url: string): Target | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const defaultPort = DEFAULT_PORTS[protocol];
  if (defaultPort === undefined || hostname === "") return null;
  const number = port === "" ? defaultPort : Number(port);
  return {
    scheme: protocol,
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: number,
    path: `${pathname === "" || pathname === "/" ? DEFAULT_PATH : pathname}${search}`,
    address: `${hostname}:${number}`,
  };
}

export function tlsOptions(tls: EndpointTls | null, host: string): ConnectionOptions {
  const name = tls?.servername ?? host;
  return {
    servername: isIP(name) === 0 ? name : "",
    rejectUnauthorized: tls?.verify ?? true,
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    ...(tls?.cert == null ? {} : { cert: tls.cert }),
    ...(tls?.key == null ? {} : { key: tls.key }),
  };
}
