/** The last changes of each link's status word, for whoever asks later, and for whoever watches. Owned by the agent. */
import { BoundedMap } from "../base/bounded-map.ts";
import type { HubEvent, LinkStatusWord } from "../hub/hub-event.ts";

/** A link that flaps every few seconds shows some minutes of it. */
export const CHANGES_MAX = 50;
/** Links come and go at runtime; their past goes with those that changed longest ago. */
const LINKS_MAX = 1_000;

export interface LinkChange {
  readonly atMs: number;
  readonly from: LinkStatusWord;
  readonly to: LinkStatusWord;
  readonly why: string;
}

type Watcher = (link: string, change: LinkChange) => void;

export class LinkHistory {
  readonly #links = new BoundedMap<string, LinkChange[]>(LINKS_MAX);
  readonly #watchers = new Set<Watcher>();

  /** Takes what concerns it of the hub's reports. */
  note(event: HubEvent, nowMs: number): void {
    if (event.type !== "link_status") return;
    const { link, from, to, why } = event;
    const change = { atMs: nowMs, from, to, why };
    const changes = this.#links.get(link) ?? [];
    if (changes.length === CHANGES_MAX) changes.shift();
    changes.push(change);
    this.#links.set(link, changes);
    for (const watcher of this.#watchers) watcher(link, change);
  }

  /** Oldest first. */
  of(link: string): readonly LinkChange[] {
    return this.#links.get(link) ?? [];
  }

  /** Calls `watcher` at each change, amid the agent's work: it must not ask the agent anything. Answers how to stop. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
