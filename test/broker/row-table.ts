/** The plainest reading of interest events: what a table that never doubts would hold. For comparing with the truth. */
import type { InterestEvent, SessionEnd } from "../../src/route/interest-event.ts";

export class RowTable {
  readonly #rows = new Map<string, Set<string>>();
  readonly #sessions = new Map<string, SessionEnd>();

  apply(event: InterestEvent): void {
    switch (event.type) {
      case "connected":
        if (event.cleanStart === true || this.#sessions.get(event.client) === "with_connection") {
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
        return;
      }
      case "unsubscribed":
        if (event.certain) this.#rows.get(event.client)?.delete(event.filter);
        return;
      case "count":
      case "gap":
      case "broker_restarted":
      case "events_enabled":
        return;
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
