/** What one link is configured with, and what it needs of the hub it lives in. */
import type { AckLedger } from "../flow/ack-ledger.ts";
import type { DropBrake } from "../flow/drop-brake.ts";
import type { Inbound } from "../flow/inbound.ts";
import type { OutboundOptions } from "../flow/outbound-options.ts";
import type { Identity } from "../link/identity.ts";
import type { FrameCodec } from "../wire/compression.ts";
import type { CompressionChoice } from "./frame-packer.ts";
import type { Outlet } from "./outlet.ts";
import type { Republish } from "./republish.ts";
import type { Save } from "./saved-state.ts";
import type { StoredAnswer } from "./stored.ts";

/** MQTT Message Expiry Interval of frames: long enough never to matter, and its rest tells how long a broker held one. */
export const FRAME_EXPIRY_SECONDS = 3_600;

export interface HubLinkOptions extends OutboundOptions {
  readonly name: string;
  readonly topics: readonly string[];
  readonly exportFilters: readonly string[];
  readonly dialsIn: boolean;
  readonly routesMax: number;
  readonly routeRetentionMs: number;
  /**
   * `live`: the peer's messages keep their retain flag on the local broker. `sync`: and the local broker gets what is retained
   * over there. Absent: `strip`, they lose it.
   */
  readonly retained?: "strip" | "live" | "sync";
  /** Compresses frames, and expands the peer's; absent: neither is done. */
  readonly codec?: FrameCodec;
  /** Absent: `auto`. */
  readonly compression?: CompressionChoice;
  /** Filters subscribed to for this peer; past it they are widened. Absent: as for all peers. */
  readonly demandMax?: number;
}

/** The links with a limit of their own. */
export function demandLimits(links: readonly HubLinkOptions[]): ReadonlyMap<string, number> {
  return new Map(links.flatMap(({ name, demandMax }) => (demandMax === undefined ? [] : [[name, demandMax]])));
}

/** What a hub knows its links by. */
export interface HostedLink {
  readonly name: string;
  readonly inbound: Inbound;
}

/** What a link needs of the hub it lives in. */
export interface LinkHost {
  readonly cluster: string;
  readonly agentVersion: string;
  readonly identity: Identity;
  readonly outlet: Outlet;
  /** What the local broker is owed for the messages it gave us. */
  readonly acks: AckLedger;
  /** Local messages that were looked at, so far, for who wants them. */
  readonly considered: number;
  /** How fast backlogs may come into the local broker. */
  readonly brake: DropBrake;
  /** Whether a local message can carry MQTT 5 properties. */
  readonly localHasProperties: boolean;
  republish(token: number | null, message: Republish, nowMs: number): void;
  isControl(topicOrFilter: string): boolean;
  nextToken(link: HostedLink): number;
  peerRoute(link: HostedLink, filter: string, up: boolean): void;
  /** The peer's set is complete, or it speaks again after a silence: it may have missed what it was told before. */
  peerListens(link: HostedLink): void;
  /** What the local broker has retained. `done` is called once, at any later time. */
  readStored(filters: readonly string[], done: (answer: StoredAnswer, nowMs: number) => void): void;
  /** Once what the local broker had queued for the data session has come; never, if the connection ends first. */
  fence(done: (nowMs: number) => void): void;
  /** Nothing more is to be done for what the token stands for. */
  settle(token: number, nowMs: number): void;
  readonly demandRevision: number;
  readonly demandSettledRevision: number;
  identityChanged(nowMs: number): void;
  randomHex16(): string;
  /** Keeps what outlives the process. */
  readonly save: Save;
}
