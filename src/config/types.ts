/** The configuration as the rest of the code sees it: checked, parsed, frozen; milliseconds, bytes and plain values only. */
import { COMPRESSIONS } from "../wire/compression.ts";

export const BROKER_KINDS = ["mosquitto", "aedes", "emqx", "events", "static"] as const;
export type BrokerKind = (typeof BROKER_KINDS)[number];

/** When a reliable message of a local client counts as safe, so that its broker may forget it. */
export const DURABILITIES = ["disk", "memory", "end_to_end"] as const;
export type Durability = (typeof DURABILITIES)[number];

/** What becomes of the retain flag of a peer's messages on the local broker. */
export const RETAINED = ["strip", "live", "sync"] as const;
export type Retained = (typeof RETAINED)[number];

/** How frames to one peer are compressed. */
export const COMPRESSION_CHOICES = ["auto", "none", ...COMPRESSIONS] as const;
export type CompressionChoice = (typeof COMPRESSION_CHOICES)[number];

/** What is spoken with a peer. */
export const LINK_PROTOCOLS = ["brokerlink", "emqx"] as const;
export type LinkProtocol = (typeof LINK_PROTOCOLS)[number];

export const SPOOL_POLICIES = ["drop_oldest", "drop_newest", "backpressure"] as const;

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

/** A broker's own HTTP API: where the adapter reads what events do not say. */
export interface BrokerApiConfig {
  /** Tried one after the other; the path of the API itself is not part of them. */
  readonly urls: readonly string[];
  readonly key: string;
  readonly secret: string;
  readonly tls: TlsConfig | null;
  readonly pollIntervalMs: number;
  readonly timeoutMs: number;
}

export interface LocalConfig extends EndpointConfig {
  readonly broker: BrokerKind;
  readonly ignoreClients: readonly string[];
  readonly untrackedSubscriptions: number;
  readonly interestAtStart: "unknown" | "none";
  readonly trustAfterMs: number | null;
  readonly eventsTopic: string | null;
  readonly filters: readonly string[];
  /** Null: there is none, or it is not to be asked. */
  readonly api: BrokerApiConfig | null;
}

export interface LinkConfig {
  readonly name: string;
  readonly protocol: LinkProtocol;
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
  /** `disk` only where there is a `dataDir`. */
  readonly durability: Durability;
  readonly retained: Retained;
  readonly compression: CompressionChoice;
  readonly framesInflightMax: number;
  readonly retryIntervalMs: number;
  /** What a backlog may at most take; null: by the live rate alone. */
  readonly drainPerSecond: number | null;
}

export interface SpoolConfig {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  readonly whenFull: (typeof SPOOL_POLICIES)[number];
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
}

export interface AgentConfig {
  readonly cluster: string;
  readonly controlPrefix: string;
  /** Where messages and state are kept, relative to the working directory; null: in memory. */
  readonly dataDir: string | null;
  readonly local: LocalConfig;
  readonly links: readonly LinkConfig[];
  readonly spool: SpoolConfig;
  readonly http: HttpConfig;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}
