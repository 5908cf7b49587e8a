/** What one link is configured with, and what it needs of the hub it lives in. */
import type { OutboundOptions } from "../flow/outbound.ts";
import type { Identity } from "../link/identity.ts";
import type { HubLink } from "./hub-link.ts";
import type { Outlet, Republish } from "./outlet.ts";

export const PROTOCOL_VERSION = 1;
/** Frames larger than this are refused; a peer is told in the hello. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** MQTT Message Expiry Interval of frames: long enough never to matter, and its rest tells how long a broker held one. */
export const FRAME_EXPIRY_SECONDS = 3_600;

export interface HubLinkOptions extends OutboundOptions {
  readonly name: string;
  readonly topics: readonly string[];
  readonly exportFilters: readonly string[];
  readonly dialsIn: boolean;
  readonly routesMax: number;
  readonly routeRetentionMs: number;
}

/** What a link needs of the hub it lives in. */
export interface LinkHost {
  readonly cluster: string;
  readonly agentVersion: string;
  readonly identity: Identity;
  readonly outlet: Outlet;
  /** Whether a local message can carry MQTT 5 properties. */
  readonly localHasProperties: boolean;
  republish(token: number | null, message: Republish, nowMs: number): void;
  isControl(topicOrFilter: string): boolean;
  nextToken(link: HubLink): number;
  peerRoute(link: HubLink, filter: string, up: boolean): void;
  /** The peer's filters that the local broker refuses now; the first 100. */
  refusals(link: HubLink): readonly { readonly filter: string; readonly reasonCode: number }[];
  readonly demandRevision: number;
  readonly demandSettledRevision: number;
  identityChanged(nowMs: number): void;
  randomHex16(): string;
}
