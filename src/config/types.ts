/** The configuration as the rest of the code sees it: checked, parsed, frozen; milliseconds, bytes and plain values only. */

export const BROKER_KINDS = ["mosquitto", "aedes", "emqx", "events", "static"] as const;
export type BrokerKind = (typeof BROKER_KINDS)[number];

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export interface TlsConfig {
  /** PEM texts, read at load. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly verify: boolean;
  readonly servername: string | null;
}

/** How to reach one broker: one URL is tried after the other. */
export interface EndpointConfig {
  readonly urls: readonly string[];
  readonly clientid: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: TlsConfig | null;
  /** Null: try 5, then 4. */
  readonly protocolVersion: 4 | 5 | null;
}

export interface LocalConfig extends EndpointConfig {
  readonly broker: BrokerKind;
  readonly ignoreClients: readonly string[];
  readonly untrackedSubscriptions: number;
  readonly interestAtStart: "unknown" | "none";
  readonly trustAfterMs: number | null;
  readonly eventsTopic: string | null;
  readonly filters: readonly string[];
}

export interface LinkConfig {
  readonly name: string;
  readonly enable: boolean;
  /** What this cluster wants to receive: reduced to a minimal cover. */
  readonly topics: readonly string[];
  readonly exportFilters: readonly string[];
  /** Null: the peer dials in. */
  readonly endpoint: EndpointConfig | null;
  readonly controlPrefix: string;
  readonly routesMax: number;
  readonly demandMax: number;
  readonly routeRetentionMs: number;
  readonly framesInflightMax: number;
  readonly retryIntervalMs: number;
}

export interface SpoolConfig {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  readonly whenFull: "drop_oldest" | "drop_newest";
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
}

export interface AgentConfig {
  readonly cluster: string;
  readonly controlPrefix: string;
  readonly local: LocalConfig;
  readonly links: readonly LinkConfig[];
  readonly spool: SpoolConfig;
  readonly http: HttpConfig;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}
