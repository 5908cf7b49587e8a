/** What an announcer is told at its creation, and the states it can be in. */
import type { AckResult, StatesWord } from "../wire/message.ts";
import type { BootstrapParts } from "./bootstrap-parts.ts";

export type State =
  | { readonly name: "idle" }
  | { readonly name: "greeting"; readonly retryAtMs: number; readonly retryMs: number }
  | { readonly name: "refused"; readonly result: AckResult; readonly retryAtMs: number }
  | { readonly name: "bootstrapping"; readonly parts: BootstrapParts }
  | { readonly name: "online" };

export type AnnouncerState = State["name"];

export interface AnnouncerNames {
  readonly me: string;
  readonly peer: string;
  readonly agentVersion: string;
  readonly protocolVersion: number;
  readonly frameBytesMax: number;
  /** What to say of states; absent: nothing. */
  readonly states?: () => StatesWord;
}

/** The part of hello and ack that says it. */
export function statesOf({ states }: AnnouncerNames): { readonly states?: StatesWord } {
  return states === undefined ? {} : { states: states() };
}
