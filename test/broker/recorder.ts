/** Test doubles around an adapter: a sink that writes short texts, and a session that only remembers what was asked of it. */
import type { AdapterSink, EventsSession } from "../../src/broker/adapter.ts";
import type { InterestEvent } from "../../src/route/interest-event.ts";

export const encoder = new TextEncoder();

/** `+c f` subscribed, `=c f` on the list of the broker, `-c f` unsubscribed (`?` behind: uncertain), `up c clean|kept|? dies|stays|?`, `down c`, `end c`. */
export function brief(event: InterestEvent): string {
  switch (event.type) {
    case "subscribed":
      return `${event.listed === true ? "=" : "+"}${event.client} ${event.filter}${event.certain ? "" : " ?"}`;
    case "unsubscribed":
      return `-${event.client} ${event.filter}${event.certain ? "" : " ?"}`;
    case "connected": {
      const start = event.cleanStart === null ? "?" : event.cleanStart ? "clean" : "kept";
      const ends = { with_connection: "dies", outlives_connection: "stays", unknown: "?" }[event.session];
      return `up ${event.client} ${start} ${ends}`;
    }
    case "disconnected":
      return `down ${event.client}`;
    case "session_ended":
      return `end ${event.client}`;
    case "snapshot_begin":
      return "list";
    case "snapshot_end":
      return event.calm ? "listed" : "listed restless";
    case "snapshot_failed":
      return "unlisted";
    case "count":
      return `count ${event.plain ?? "-"} ${event.shared ?? "-"}`;
    case "gap":
      return `gap ${event.reason}`;
    case "broker_restarted":
      return "restarted";
    case "events_enabled":
      return event.enabled ? "enabled" : "disabled";
  }
}

export class Recorder implements AdapterSink {
  readonly events: InterestEvent[] = [];
  readonly oddities: string[] = [];
  readonly advice: string[] = [];
  readonly drops: [total: number, live: boolean][] = [];
  #taken = 0;

  event(event: InterestEvent): void {
    this.events.push(event);
  }
  odd(kind: "unparsable" | "ambiguous" | "cut", _line: string): void {
    this.oddities.push(kind);
  }
  advise(text: string): void {
    this.advice.push(text);
  }
  brokerDropped(total: number, live: boolean): void {
    this.drops.push([total, live]);
  }

  /** The events since the last call, in short. */
  take(): string[] {
    const fresh = this.events.slice(this.#taken).map(brief);
    this.#taken = this.events.length;
    return fresh;
  }
}

export class FakeSession implements EventsSession {
  readonly clientId: string;
  readonly subscribed: string[][] = [];
  readonly unsubscribed: string[][] = [];
  /** The callbacks not answered yet, oldest first. */
  readonly waiting: ((codes: readonly number[] | null) => void)[] = [];

  constructor(clientId: string) {
    this.clientId = clientId;
  }
  subscribe(filters: readonly string[], _qos: 0 | 1, granted: (codes: readonly number[] | null) => void): void {
    this.subscribed.push([...filters]);
    this.waiting.push(granted);
  }
  unsubscribe(filters: readonly string[], done: (codes: readonly number[] | null) => void): void {
    this.unsubscribed.push([...filters]);
    this.waiting.push(done);
  }
  /** What the adapter asks with. */
  probe(): string {
    return (
      this.unsubscribed.flat().findLast((filter) => filter.includes("/probe-") && !filter.endsWith("-count")) ?? ""
    );
  }
}

/** A seeded stream in [0, 1) (mulberry32), so that failures repeat. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
