/** The plainest reading of interest events: what a table that never doubts would hold. For comparing with the truth. */
import type { InterestEvent, SessionEnd } from "../../src/route/interest-event.ts";

export class RowTable {
  readonly #rows = new Map<string, Set<string>>();
  readonly #sessions = new Map<string, SessionEnd>();
  /** Rows seen since the list that goes on began; null: none does. */
  #seen: Set<string> | null = null;

  apply(event: InterestEvent): void {
    switch (event.type) {
      case "connected":
        if (
          event.cleanStart === true ||
          (this.#sessions.get(event.client) === "with_connection" && event.takesOver !== true)
        ) {
          this.#rows.delete(event.client);
        }
        this.#sessions.set(event.client, event.session);
        return;
      case "disconnected":
        if (this.#sessions.get(event.client) === "with_connection") this.#rows.delete(event.client);
        // A second end says nothing new.
        this.#sessions.delete(event.client);
        return;
      case "session_ended":
        this.#rows.delete(event.client);
        return;
      case "subscribed": {
        const rows = this.#rows.get(event.client) ?? new Set();
        this.#rows.set(event.client, rows.add(event.filter));
        this.#seen?.add(`${event.client}\0${event.filter}`);
        return;
      }
      case "unsubscribed":
        if (event.certain) this.#rows.get(event.client)?.delete(event.filter);
        return;
      case "snapshot_begin":
        this.#seen = new Set();
        return;
      case "snapshot_end":
        if (event.calm) this.#dropUnseen();
        this.#seen = null;
        return;
      case "gap":
      case "snapshot_failed":
        this.#seen = null;
        return;
      case "count":
      case "broker_restarted":
      case "events_enabled":
        return;
    }
  }

  #dropUnseen(): void {
    for (const [client, rows] of this.#rows) {
      for (const filter of rows) if (this.#seen?.has(`${client}\0${filter}`) === false) rows.delete(filter);
    }
  }

  has(client: string, filter: string): boolean {
    return this.#rows.get(client)?.has(filter) === true;
  }

  /** Sorted `client filter` texts, without those of `except`. */
  list(...except: string[]): string[] {
    const all = [...this.#rows].filter(([client]) => !except.includes(client));
    return all.flatMap(([client, rows]) => [...rows].map((filter) => `${client} ${filter}`)).sort();
  }
}
