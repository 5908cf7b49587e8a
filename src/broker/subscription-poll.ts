/**
 * Reads EMQX's list of subscriptions over and over and makes events of it, beside the events that the broker sends.
 *
 * EMQX says nothing when a session ends or expires, nothing of the subscriptions of a session that is resumed, and its
 * events are QoS 0: the list mends all that. The list is no snapshot. It is read page by page while clients go on, and its
 * pages and the events come on two ways. Three rules make it right, whatever overtakes what:
 *
 *   1. An event wins over a page that was asked for before the event came, or up to GRACE_MS after: when the page was
 *      made it may not have known. Such a row is taken as the event has it. The other way round, a page asked for later
 *      than that is newer than the event.
 *   2. What is not on the list is dropped only by Interest, and only if no event showed the row either since the reading
 *      began, or up to GRACE_MS before.
 *   3. Only a list is believed to be complete that was read in one piece, or under which nothing moved (`calm`): page
 *      numbers count rows, so a row that goes shifts all behind it, and one of them slips past the next page. Else it takes
 *      three lists in a row to believe that a row is not there (`Interest`).
 *
 * A wrong guess that is left keeps a row too long, never loses one, and the next list corrects it.
 */
import { Backoff } from "../base/backoff.ts";
import type { ApiProblem, BrokerApiStatus } from "../ops/broker-api-status.ts";
import type { InterestEvent } from "../route/interest-event.ts";
import type { AdapterSink } from "./adapter.ts";
import type { ApiAnswer, ApiTransport } from "./api-transport.ts";
import { RecentChanges } from "./recent-changes.ts";
import { type ListedRow, parseSubscriptionPage } from "./subscription-page.ts";

/** EMQX goes through the whole list for each page, so pages are large; but the answer is parsed in one go. */
export const PAGE_ROWS = 5_000;
/** Fifty million rows: past it the list has no end. */
const PAGES_MAX = 10_000;
/** Rows taken in one go: some three milliseconds. */
const SLICE_ROWS = 500;
/** EMQX clears up behind a session that ended, and tells its nodes of a new subscription, within a fraction of this. */
export const GRACE_MS = 2_000;
/** From the granted SUBSCRIBE to the first list: all nodes know by then that we listen. */
export const SETTLE_MS = 1_000;
/** Asked for out of turn, a list comes no sooner than this after the last, nor than four times what that took. */
const SOON_MS = 2_000;
const SOON_SHARE = 4;
/** The list is not read in one go: the broker has other things to do. */
const PAUSE_MAX_MS = 1_000;
/** From the last page to the end of the list: events of what moved meanwhile may still be on their way. */
const TAIL_MS = 250;
/** While the list moves, so many follow each other at once until one is believed. */
const RESTLESS_SNAPSHOTS = 3;
/** Without a list for this many intervals, and this long at least, lost events are no longer mended: the table is in doubt. */
const STALE_INTERVALS = 10;
const STALE_MIN_MS = 300_000;
/** A server may ask to be left alone, not to be forgotten. */
const RETRY_AFTER_MAX_MS = 600_000;
const BACKOFF = { baseMs: 1_000, capMs: 60_000, factor: 2, jitter: 0.25 } as const;
const NEVER = Number.POSITIVE_INFINITY;

export interface SubscriptionPollOptions {
  readonly sink: AdapterSink;
  readonly transport: ApiTransport;
  readonly intervalMs: number;
  readonly pageRows: number;
  readonly random: () => number;
}

/** A list that is being read. */
interface Reading {
  readonly beganMs: number;
  page: number;
  askedMs: number;
  /** Rows of the page that are still to be taken. */
  rows: readonly ListedRow[];
  taken: number;
  hasNext: boolean;
  /** All pages are taken; the tail goes on. */
  through: boolean;
  /** Of the pages so far; null: pages told different counts, or none. */
  count: number | null;
  length: number;
  /** A client came whose session may have moved from a node that was still to be read to one that was read. */
  sessionsMoved: boolean;
  /** Something went: the rows behind it moved up. */
  rowsMoved: boolean;
}

export class SubscriptionPoll {
  readonly #options: SubscriptionPollOptions;
  readonly #changes = new RecentChanges();
  readonly #backoff: Backoff;
  #state: "off" | "fresh" | "waiting" | "asking" | "taking" | "failed" = "off";
  #dueMs = NEVER;
  #reading: Reading | null = null;
  /** Lists read in a row since the last doubt. */
  #inRow = 0;
  #problem: ApiProblem | null = null;
  #snapshots = 0;
  #failures = 0;
  #last: BrokerApiStatus["last"] = null;
  #retryAfterMs = 0;
  /** When a list was through last; null: there is none since the last doubt. */
  #mendedMs: number | null = null;

  constructor(options: SubscriptionPollOptions) {
    this.#options = options;
    this.#backoff = new Backoff(BACKOFF, options.random);
  }

  get status(): BrokerApiStatus {
    const state = this.#problem !== null ? "failing" : this.#snapshots > 0 ? "working" : "starting";
    return {
      state,
      problem: this.#problem,
      snapshots: this.#snapshots,
      failures: this.#failures,
      last: this.#last,
    };
  }

  /** The broker's events come from now on. */
  start(): void {
    this.#abandon();
    this.#state = "fresh";
    this.#options.sink.wake?.();
  }

  /** No events come any more: a list alone proves nothing. */
  stop(): void {
    this.#abandon();
    this.#state = "off";
  }

  /** Events were missed: what is read of the list proves nothing any more. */
  restart(): void {
    this.#mendedMs = null;
    if (this.#state !== "off") this.start();
  }

  /** Something calls for a list before its time. */
  soon(nowMs: number): void {
    if (this.#state !== "waiting" || this.#reading !== null || this.#problem !== null) return;
    const { atMs, tookMs } = this.#last ?? { atMs: nowMs, tookMs: 0 };
    this.#dueMs = Math.min(this.#dueMs, atMs + Math.max(SOON_MS, SOON_SHARE * tookMs));
  }

  /** An event of the broker, before or after it was passed on. `dies`: the session of the client ends with its connection. */
  note(event: InterestEvent, dies: boolean, nowMs: number): void {
    const reading = this.#reading;
    this.#changes.forget((reading?.askedMs ?? nowMs) - GRACE_MS);
    switch (event.type) {
      case "subscribed":
        this.#changes.changed(event, true, nowMs);
        return;
      case "unsubscribed":
        if (!event.certain) return;
        this.#changes.changed(event, false, nowMs);
        break;
      case "connected":
        if (event.cleanStart === true) this.#changes.ended(event.client, nowMs);
        else if (reading !== null) reading.sessionsMoved = true;
        break;
      case "disconnected":
        if (dies) this.#changes.ended(event.client, nowMs);
        break;
      case "gap":
      case "broker_restarted":
        this.restart();
        return;
      case "events_enabled":
        if (event.enabled) this.restart();
        return;
    }
    if (reading !== null) reading.rowsMoved = true;
  }

  get deadlineMs(): number {
    switch (this.#state) {
      case "fresh":
      case "failed":
        return 0;
      case "waiting":
      case "taking":
        return this.#dueMs;
      case "off":
      case "asking":
        return NEVER;
    }
  }

  tick(nowMs: number): void {
    if (this.#state === "fresh") {
      this.#state = "waiting";
      // A server that asked to be left alone is left alone.
      this.#dueMs = Math.max(nowMs + SETTLE_MS, this.#problem === null ? 0 : this.#dueMs);
      return;
    }
    if (this.#state === "failed") this.#backOff(nowMs);
    if (nowMs < this.deadlineMs) return;
    if (this.#state === "taking") this.#take(nowMs);
    else if (this.#reading?.through === true) this.#finish(this.#reading, nowMs);
    else if (this.#state === "waiting") this.#ask(this.#reading ?? this.#begin(nowMs), nowMs);
  }

  #begin(nowMs: number): Reading {
    const { sink } = this.#options;
    this.#changes.forget(nowMs - GRACE_MS);
    sink.event({ type: "snapshot_begin" });
    // Rule 2: what came just now need not be on the list yet.
    for (const { client, filter } of this.#changes.heldRows()) {
      sink.event({ type: "subscribed", client, filter, certain: true });
    }
    return {
      beganMs: nowMs,
      page: 1,
      askedMs: nowMs,
      rows: [],
      taken: 0,
      hasNext: false,
      through: false,
      count: null,
      length: 0,
      sessionsMoved: false,
      // The rows of who went just now may still go.
      rowsMoved: this.#changes.hasEnds,
    };
  }

  #ask(reading: Reading, nowMs: number): void {
    this.#reading = reading;
    reading.askedMs = nowMs;
    this.#changes.forget(nowMs - GRACE_MS);
    this.#state = "asking";
    const { transport, pageRows } = this.#options;
    transport.get(`/subscriptions?limit=${pageRows}&page=${reading.page}`, (answer) => this.#answered(reading, answer));
  }

  #answered(reading: Reading, answer: ApiAnswer): void {
    if (this.#reading !== reading || this.#state !== "asking") return;
    const page = answer.ok ? parseSubscriptionPage(answer.body) : null;
    if (page === null) {
      this.#fail(
        answer.ok
          ? { code: "LOCAL_API_FAILED", why: "the answer is no list of subscriptions: is this EMQX's API?" }
          : answer.problem,
        answer.ok ? null : answer.retryAfterMs,
      );
      return;
    }
    for (const row of page.odd) this.#options.sink.odd("unparsable", row);
    reading.rows = page.rows;
    reading.taken = 0;
    reading.length += page.length;
    reading.count = reading.page === 1 || reading.count === page.count ? page.count : null;
    // The page behind the last one is empty.
    reading.hasNext = page.hasNext && page.length > 0;
    this.#state = "taking";
    this.#dueMs = 0;
    this.#options.sink.wake?.();
  }

  #take(nowMs: number): void {
    const reading = this.#reading;
    if (reading === null) return;
    const until = Math.min(reading.taken + SLICE_ROWS, reading.rows.length);
    for (; reading.taken < until; reading.taken += 1) {
      const row = reading.rows[reading.taken];
      // Rule 1. What an event says is in the table already, or gone from it.
      if (row === undefined || this.#changes.held(row) !== null) continue;
      const { client, filter } = row;
      this.#options.sink.event({ type: "subscribed", client, filter, certain: true, listed: true });
    }
    if (reading.taken < reading.rows.length) return;
    if (!reading.hasNext) {
      reading.through = true;
      this.#state = "waiting";
      this.#dueMs = nowMs + TAIL_MS;
    } else if (reading.page >= PAGES_MAX) {
      this.#fail({ code: "LOCAL_API_FAILED", why: `the list of subscriptions has more than ${PAGES_MAX} pages` }, null);
    } else {
      reading.page += 1;
      this.#state = "waiting";
      this.#dueMs = nowMs + Math.min(nowMs - reading.askedMs, PAUSE_MAX_MS);
    }
  }

  #finish(reading: Reading, nowMs: number): void {
    const { sink, intervalMs, random } = this.#options;
    // Rule 3. A session that moves between nodes may slip through even a single page, which is made node by node.
    const isWhole = reading.page === 1 || (reading.count === reading.length && !reading.rowsMoved);
    const calm = isWhole && !reading.sessionsMoved;
    const tookMs = nowMs - reading.beganMs;
    this.#reading = null;
    this.#inRow += 1;
    this.#snapshots += 1;
    this.#last = { rows: reading.length, atMs: nowMs, tookMs, calm };
    this.#mendedMs = nowMs;
    this.#backoff.reset();
    this.#state = "waiting";
    const isBelieved = calm || this.#inRow >= RESTLESS_SNAPSHOTS;
    this.#dueMs = nowMs + (isBelieved ? Math.round(intervalMs * (0.9 + 0.2 * random())) : Math.max(tookMs, GRACE_MS));
    sink.event({ type: "snapshot_end", calm });
    if (this.#problem === null) return;
    this.#problem = null;
    sink.apiProblem?.(null);
  }

  #fail(problem: ApiProblem, retryAfterMs: number | null): void {
    const { sink } = this.#options;
    this.#reading = null;
    this.#failures += 1;
    const changed = this.#problem?.code !== problem.code || this.#problem.why !== problem.why;
    this.#problem = problem;
    this.#state = "failed";
    this.#retryAfterMs = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
    sink.event({ type: "snapshot_failed" });
    if (changed) sink.apiProblem?.(problem);
    sink.wake?.();
  }

  #backOff(nowMs: number): void {
    this.#state = "waiting";
    this.#dueMs = nowMs + Math.max(this.#backoff.next(), this.#retryAfterMs);
    const staleMs = Math.max(STALE_INTERVALS * this.#options.intervalMs, STALE_MIN_MS);
    if (this.#mendedMs === null || nowMs < this.#mendedMs + staleMs) return;
    this.#mendedMs = null;
    this.#inRow = 0;
    this.#options.sink.event({ type: "gap", reason: "api_unavailable" });
  }

  #abandon(): void {
    if (this.#state === "asking") this.#options.transport.cancel();
    this.#reading = null;
    this.#inRow = 0;
    // Behind a hole in the events the last word on a row may be missing.
    this.#changes.clear();
  }
}
