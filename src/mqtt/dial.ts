/**
 * Opens the byte stream to a broker: TCP, TLS, WebSocket, WebSocket over TLS. Owns the phase until the stream can carry
 * MQTT; never speaks MQTT, never tries again.
 */
import { connect as connectTcp, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createWebSocketStream, WebSocket } from "ws";
import { type DialProblem, dialProblem } from "./dial-problem.ts";
import type { EndpointTls } from "./endpoint.ts";
import { certificateEndsAtMs } from "./server-certificate.ts";
import { parseTarget, type Target, tlsOptions } from "./target.ts";

export interface DialOptions {
  readonly tls: EndpointTls | null;
  /** For the whole of it: name, TCP, TLS, upgrade. */
  readonly timeoutMs: number;
}

export interface Dialled {
  readonly stream: Duplex;
  /** Each write becomes one WebSocket message. */
  readonly framed: boolean;
  /** Of the server; null: no TLS. */
  readonly certificateEndsAtMs: number | null;
}

export type DialResult = ({ readonly ok: true } & Dialled) | { readonly ok: false; readonly problem: DialProblem };

/**
 * A host with several addresses gets this long for each. Node's own 250 ms is less than one round trip by satellite: it
 * would give up every address that works.
 */
const ADDRESSES = { autoSelectFamilyAttemptTimeout: 3_000 } as const;
/** MQTT-6.0.0-3. */
const SUBPROTOCOL = "mqtt";

/**
 * Calls `done` once, on a later turn, unless the returned function was called before: that gives up, and nobody hears of
 * it. From `done` on the stream's errors belong to the caller.
 */
export function dial(url: string, options: DialOptions, done: (result: DialResult) => void): () => void {
  const target = parseTarget(url);
  if (target === null) {
    const soon = setImmediate(done, {
      ok: false,
      problem: { kind: "unreachable", reason: `not a broker's URL: ${redacted(url)}` },
    });
    return () => clearImmediate(soon);
  }
  let settled = false;
  const attempt = open(target, options.tls, (result) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    done(result);
  });
  const abort = (): void => {
    settled = true;
    clearTimeout(timer);
    attempt();
  };
  const timer = setTimeout(() => {
    abort();
    const reason = `no answer from ${target.address} within ${options.timeoutMs / 1000} s`;
    done({ ok: false, problem: { kind: "unreachable", reason } });
  }, options.timeoutMs);
  return abort;
}

/** Answers how to give up. */
function open(target: Target, tls: EndpointTls | null, done: (result: DialResult) => void): () => void {
  const failed = (error: Error): void => done({ ok: false, problem: dialProblem(error, target.address) });
  try {
    switch (target.scheme) {
      case "mqtt:":
      case "mqtts:":
        return openSocket(target, tls, failed, done);
      default:
        return openWebSocket(target, tls, failed, done);
    }
  } catch (error) {
    // A key or certificate that OpenSSL cannot read throws here.
    const soon = setImmediate(() => failed(error instanceof Error ? error : new Error(String(error))));
    return () => clearImmediate(soon);
  }
}

function openSocket(
  target: Target,
  tls: EndpointTls | null,
  failed: (error: Error) => void,
  done: (result: DialResult) => void,
): () => void {
  const secure = target.scheme === "mqtts:";
  const where = { host: target.host, port: target.port, ...ADDRESSES };
  const socket = secure ? connectTls({ ...where, ...tlsOptions(tls, target.host) }) : connectTcp(where);
  socket.setNoDelay(true);
  socket.on("error", failed);
  socket.once(secure ? "secureConnect" : "connect", () => {
    socket.off("error", failed);
    done({ ok: true, stream: socket, framed: false, certificateEndsAtMs: certificateEndsAtMs(socket) });
  });
  // Without a `close` listener a server that hangs up in the middle of the handshake would be waited for.
  socket.once("close", () => failed(hungUp(socket)));
  return () => {
    socket.on("error", ignore);
    socket.destroy();
  };
}

function hungUp(socket: Duplex | TLSSocket): Error {
  return socket.errored ?? new Error("closed before the connection stood");
}

function openWebSocket(
  target: Target,
  tls: EndpointTls | null,
  failed: (error: Error) => void,
  done: (result: DialResult) => void,
): () => void {
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
  const secure = target.scheme === "wss:";
  const socket = new WebSocket(`${target.scheme}//${host}:${target.port}${target.path}`, SUBPROTOCOL, {
    // Compressing small packets one by one costs more than it saves, and frames compress themselves.
    perMessageDeflate: false,
    followRedirects: false,
    ...ADDRESSES,
    ...(secure ? tlsOptions(tls, target.host) : {}),
  });
  socket.on("error", failed);
  let endsAtMs: number | null = null;
  socket.once("upgrade", (response) => {
    endsAtMs = certificateEndsAtMs(response.socket);
  });
  socket.once("open", () => {
    socket.off("error", failed);
    done({ ok: true, stream: createWebSocketStream(socket), framed: true, certificateEndsAtMs: endsAtMs });
  });
  return () => {
    socket.on("error", ignore);
    socket.terminate();
  };
}

/** What is left of a URL that may hold a password. */
function redacted(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//…@");
}

function ignore(): void {}
