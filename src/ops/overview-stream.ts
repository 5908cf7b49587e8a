/**
 * The overview, once a second, and each change of a link, as server-sent events for everybody who watches. One overview is
 * made for all of them, and none while nobody watches. What a slow watcher has not read when the next is due it never
 * gets: only the newest counts. One that reads nothing at all is let go.
 */
import { clockMs } from "./clock.ts";
import type { LinkChange, LinkHistory } from "./link-history.ts";

export const PERIOD_MS = 1_000;
export const WATCHERS_MAX = 32;
/** A watcher takes less than this behind a cut, and its place is wanted. */
export const STALLED_MS = 30_000;
/** Changes kept for a watcher that does not read; it finds older ones in the overview. */
const CHANGES_WAITING_MAX = 50;

export interface StreamTimes {
  readonly periodMs: number;
  readonly stalledMs: number;
}

interface Watcher {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly changes: Uint8Array[];
  /** Since when it has not taken what it was given; null: it took all. */
  stalledSinceMs: number | null;
}

export class OverviewStream {
  readonly #overview: () => unknown;
  readonly #history: LinkHistory;
  readonly #times: StreamTimes;
  readonly #watchers = new Set<Watcher>();
  readonly #encoder = new TextEncoder();
  #timer: NodeJS.Timeout | null = null;
  #unwatch: () => void = () => {};
  #ended = false;

  constructor(
    overview: () => unknown,
    history: LinkHistory,
    times: StreamTimes = { periodMs: PERIOD_MS, stalledMs: STALLED_MS },
  ) {
    this.#overview = overview;
    this.#history = history;
    this.#times = times;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Null: there are too many already, or the agent ends. The first overview comes at once. */
  open(): ReadableStream<Uint8Array> | null {
    if (this.#ended || this.#watchers.size >= WATCHERS_MAX) return null;
    let watcher: Watcher | null = null;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        watcher = { controller, changes: [], stalledSinceMs: null };
        this.#watchers.add(watcher);
        controller.enqueue(this.#event("overview", this.#overview()));
        if (this.#timer === null) this.#start();
      },
      pull: () => {
        if (watcher !== null) this.#pulled(watcher);
      },
      cancel: () => {
        if (watcher !== null) this.#leave(watcher);
      },
    });
  }

  /** Ends all streams, for good. */
  end(): void {
    this.#ended = true;
    for (const watcher of this.#watchers) {
      this.#leave(watcher);
      watcher.controller.close();
    }
  }

  #start(): void {
    this.#unwatch = this.#history.watch((link, change) => this.#changed(link, change));
    this.#timer = setInterval(() => this.#tick(), this.#times.periodMs);
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#unwatch();
  }

  #tick(): void {
    const nowMs = clockMs();
    const event = this.#event("overview", this.#overview());
    for (const watcher of this.#watchers) {
      if (takes(watcher)) {
        watcher.controller.enqueue(event);
        continue;
      }
      watcher.stalledSinceMs ??= nowMs;
      if (nowMs - watcher.stalledSinceMs < this.#times.stalledMs) continue;
      this.#leave(watcher);
      watcher.controller.error(new Error("the reader of the stream takes nothing"));
    }
  }

  #changed(link: string, { atMs, from, to, why }: LinkChange): void {
    const event = this.#event("change", { link, at: new Date(atMs).toISOString(), from, to, why });
    for (const watcher of this.#watchers) {
      if (takes(watcher)) watcher.controller.enqueue(event);
      else if (watcher.changes.length < CHANGES_WAITING_MAX) watcher.changes.push(event);
    }
  }

  #pulled(watcher: Watcher): void {
    watcher.stalledSinceMs = null;
    const change = watcher.changes.shift();
    if (change !== undefined) watcher.controller.enqueue(change);
  }

  #event(name: string, data: unknown): Uint8Array {
    return this.#encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

function takes({ controller, changes }: Watcher): boolean {
  return changes.length === 0 && (controller.desiredSize ?? 0) > 0;
}
