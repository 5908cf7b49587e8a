/**
 * Links that come, go and change while the agent runs. Whatever happens to one is nothing to the others: they hear of it
 * only through the demand that all share, which subscribes before it unsubscribes. Pure.
 */
import type { Demand } from "../route/demand.ts";
import type { Interest } from "../route/interest.ts";
import { changeLink } from "./change-link.ts";
import { HubLink } from "./hub-link.ts";
import type { HostedLink, HubLinkOptions, LinkHost } from "./link-host.ts";
import { partLink } from "./part-link.ts";
import type { SavedLink } from "./saved-state.ts";

export interface LinkChangeParts {
  readonly links: Map<string, HubLink>;
  /** Names of links that are configured and switched off. */
  readonly disabled: Set<string>;
  readonly tokens: Map<number, HostedLink>;
  readonly host: LinkHost;
  readonly demand: Demand;
  readonly interest: Interest;
  readonly isDataUp: () => boolean;
}

/** A link that is no longer one of the hub's. */
export interface PartedLink {
  readonly link: HubLink;
  /** To go on with, if it was only switched off. */
  readonly saved: SavedLink;
}

export class LinkChanges {
  readonly #parts: LinkChangeParts;
  /** How many links came after the start: each numbers its greetings above all of a life of the same name before it. */
  #lives = 0;

  constructor(parts: LinkChangeParts) {
    this.#parts = parts;
  }

  /** `saved`: of its life before, while the agent ran; null: there was none. */
  add(options: HubLinkOptions, saved: SavedLink | null, nowMs: number): void {
    const { links, host, demand, interest, isDataUp } = this.#parts;
    this.#lives += 1;
    demand.limit(options.name, options.demandMax ?? null);
    const link = new HubLink(options, host, nowMs, this.#lives);
    links.set(options.name, link);
    link.interest(interest.told());
    link.setWide(interest.wide !== null, nowMs);
    if (saved !== null) link.restore(saved, nowMs);
    if (isDataUp()) link.inbound.localUp();
  }

  change(options: HubLinkOptions, nowMs: number): void {
    const { links, host, demand, interest } = this.#parts;
    const link = links.get(options.name);
    if (link === undefined) return;
    if (link.options.demandMax !== options.demandMax) demand.limit(options.name, options.demandMax ?? null);
    changeLink(link, options, () => interest.told(), host, nowMs);
  }

  /** Takes leave of the peer. The messages that nobody confirmed are in the link's log still, and owed to the local broker. */
  remove(name: string, nowMs: number): PartedLink | null {
    const { links, host, demand, tokens } = this.#parts;
    const link = links.get(name);
    if (link === undefined) return null;
    const saved = partLink(link, host, nowMs);
    links.delete(name);
    for (const [token, owner] of tokens) if (owner === link) tokens.delete(token);
    demand.limit(name, null);
    return { link, saved };
  }

  /** From now on these are the links that are configured and switched off. */
  disable(names: readonly string[]): void {
    const { disabled } = this.#parts;
    disabled.clear();
    for (const name of names) disabled.add(name);
  }
}
