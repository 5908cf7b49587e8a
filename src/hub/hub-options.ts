/** What a whole agent is configured with, as the hub takes it. */
import type { InterestOptions } from "../route/interest.ts";
import type { HubLinkOptions } from "./link-host.ts";
import type { HubState } from "./saved-state.ts";

export interface HubOptions {
  readonly cluster: string;
  readonly agentVersion: string;
  readonly controlPrefix: string;
  readonly incarnation: number;
  readonly instance: string;
  readonly interest: InterestOptions;
  /** Filters subscribed to for one peer whose link names no limit. */
  readonly demandMax: number;
  readonly links: readonly HubLinkOptions[];
  /** Links that the configuration names and disables: their peers are told so. */
  readonly disabledLinks: readonly {
    readonly name: string;
    readonly topics: readonly string[];
    readonly dialsIn: boolean;
  }[];
  /** What an earlier life saved; null or absent: nothing is known of one. */
  readonly restored?: HubState | null;
  /** 16 random hex digits. */
  readonly randomHex16: () => string;
}
