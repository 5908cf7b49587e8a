/**
 * Links that come, go and change while the agent runs. Whatever happens to one is nothing to the others: they hear of it
 * only through the demand that all share, which subscribes before it unsubscribes. Pure.
 */
import { NO_NUMBERS } from "../link/announcer-state.ts";
import type { Demand } from "../route/demand.ts";
import type { Interest } from "../route/interest.ts";
import { changeLink } from "./change-link.ts";
import { HubLink } from "./hub-link.ts";
import type { HostedLink, HubLinkOptions, LinkHost } from "./link-host.ts";
import { partLink } from "./part-link.ts";
import { type Save, type SavedLink, savePeer, saveRecord } from "./saved-state.ts";

export interface LinkChangeParts {
  readonly links: Map<string, HubLink>;
  /** Names of links that are configured and switched off. */
  readonly disabled: Set<string>;
  readonly tokens: Map<number, HostedLink>;
  readonly host: LinkHost;
  readonly demand: Demand;
  readonly interest: Interest;
  readonly isDataUp: () => boolean;
  /** Of an earlier life, by link; null: there was none. */
  readonly restored: ReadonlyMap<string, SavedLink> | null;
}

export class LinkChanges {
  readonly #parts: LinkChangeParts;
  /** The highest numbers that links which are gone have used. */
  #after = NO_NUMBERS;
  /** What links that are switched off go on with when they are switched on. */
  readonly #away = new Map<string, SavedLink>();

  constructor(parts: LinkChangeParts) {
    this.#parts = parts;
    for (const name of parts.disabled) {
      const saved = parts.restored?.get(name);
      if (saved !== undefined) this.#away.set(name, { ...saved, routes: [] });
    }
  }

  add(options: HubLinkOptions, nowMs: number): void {
    const { links, host, demand, interest, isDataUp } = this.#parts;
    const saved = this.#away.get(options.name);
    this.#away.delete(options.name);
    demand.limit(options.name, options.demandMax ?? null);
    const link = new HubLink(options, host, nowMs, this.#after);
    links.set(options.name, link);
    link.interest(interest.told());
    link.setWide(interest.wide !== null, nowMs);
    if (saved !== undefined) link.restore(saved, nowMs);
    if (isDataUp()) link.localUp(host.localHasProperties, nowMs);
  }

  change(options: HubLinkOptions, nowMs: number): void {
    const { links, demand, interest } = this.#parts;
    const link = links.get(options.name);
    if (link === undefined) return;
    if (link.options.demandMax !== options.demandMax) demand.limit(options.name, options.demandMax ?? null);
    changeLink(link, options, () => interest.told(), nowMs);
  }

  /**
   * Takes leave of the peer; what is known of its streams is kept until the link is there again, or forgotten. The messages
   * that nobody confirmed are in the link's log still, and owed to the local broker.
   */
  remove(name: string, nowMs: number): HubLink | null {
    const { links, demand, tokens } = this.#parts;
    const link = links.get(name);
    if (link === undefined) return null;
    this.#away.set(name, partLink(link, nowMs));
    links.delete(name);
    const { greeting, bootstrap, op } = link.conversation.announcer.numbers;
    this.#after = {
      greeting: Math.max(greeting, this.#after.greeting),
      bootstrap: Math.max(bootstrap, this.#after.bootstrap),
      op: Math.max(op, this.#after.op),
    };
    for (const [token, owner] of tokens) if (owner === link) tokens.delete(token);
    demand.limit(name, null);
    return link;
  }

  /** A link that was removed will not come back. */
  forget(name: string): void {
    const saved = this.#away.get(name);
    this.#away.delete(name);
    if (saved === undefined) return;
    const { save } = this.#parts.host;
    for (const { stream } of saved.records) saveRecord(save, name, stream, null);
    savePeer(save, name, null);
  }

  /** Of links that are switched off, what has to outlive the process. */
  saveAll(save: Save): void {
    for (const [name, { incarnation, records }] of this.#away) {
      if (incarnation > 0) savePeer(save, name, incarnation);
      for (const { stream, ...record } of records) saveRecord(save, name, stream, record);
    }
  }

  /** From now on these are the links that are configured and switched off. */
  disable(names: readonly string[]): void {
    const { disabled } = this.#parts;
    disabled.clear();
    for (const name of names) disabled.add(name);
  }
}
