/** What an announcer is told at its creation, and the states it can be in. */
import type { Digest } from "../base/digest.ts";
import type { Route } from "../route/route.ts";
import type { Compression } from "../wire/compression.ts";
import type { AckResult, StatesWord } from "../wire/message.ts";
import type { BootstrapParts } from "./bootstrap-parts.ts";

export type State =
  | { readonly name: "idle" }
  | { readonly name: "greeting"; readonly retryAtMs: number; readonly retryMs: number }
  | { readonly name: "refused"; readonly result: AckResult; readonly retryAtMs: number }
  | { readonly name: "bootstrapping"; readonly parts: BootstrapParts }
  | { readonly name: "online" };

export type AnnouncerState = State["name"];

/** The last ones that a link has used. */
export interface SpokenNumbers {
  readonly greeting: number;
  readonly bootstrap: number;
  readonly op: number;
}

export const NO_NUMBERS: SpokenNumbers = { greeting: 0, bootstrap: 0, op: 0 };

export interface AnnouncerNames {
  readonly me: string;
  readonly peer: string;
  readonly agentVersion: string;
  readonly protocolVersion: number;
  readonly frameBytesMax: number;
  /** What we expand of compressed frames; absent: none. */
  readonly expands?: readonly Compression[];
  /**
   * Of links that this process had before: the peer may not have heard that one of this name was taken away, and would take
   * lower numbers for old ones. Absent: there were none.
   */
  readonly after?: SpokenNumbers;
  /** What to say of states; absent: nothing. */
  readonly states?: () => StatesWord;
}

/** What is announced. */
export interface RouteSource {
  routes(): Iterable<Route>;
  readonly digest: Digest;
  readonly size: number;
}
