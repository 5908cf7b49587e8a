/**
 * How to reach one broker, as this folder needs it: `EndpointConfig` of the configuration fits. Owns the shape only; the
 * configuration stands to the right of this folder in the import order, so it cannot be named here.
 */

export interface EndpointTls {
  /** PEM texts; null: the system's authorities, no client certificate. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly verify: boolean;
  /** Null: the host of the URL; an IP literal is never sent as a name (RFC 6066 §3). */
  readonly servername: string | null;
}

export interface Endpoint {
  /** `mqtt://`, `mqtts://`, `ws://`, `wss://`; each attempt that fails moves on to the next. */
  readonly urls: readonly string[];
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: EndpointTls | null;
  /** Null: 5, then 4. */
  readonly protocolVersion: 4 | 5 | null;
}
