/**
 * What local clients want, and whether we know all of it. Pure.
 *
 * Completeness is proven, never assumed. Let B be the rows the broker holds, V those proven held since the last gap, G
 * the ghosts. V ⊆ B always: a row enters V by a certain line and leaves it by the first event that makes it doubtful.
 * A live counter in the stream of events gives |B| at its own place, so |V| = |B| proves V = B: only then is wide mode
 * left. (Equal sizes of V ∪ G and B prove nothing: one row too many and one missing add up.) While exact, B ⊆ V ∪ G
 * holds, since every change of B is an event; so a count of |V| disproves all ghosts, a count of |V| + |G| proves them, and
 * one outside that range shows that events are missing. Plain and shared rows are counted, and proven, apart.
 *
 * A ghost that is given up for want of room may be in B and in neither V nor G. From then on only |V| = |B| makes it exact
 * again, and time alone does not.
 *
 * Where the broker has no counter but a list of its subscriptions, the list read from end to end proves the table: each row
 * on it enters V, and what neither the list nor an event has shown since its reading began is not held. A list that
 * changed while it was read, page by page, may have hidden a row; only three of them in a row are believed.
 */
import type { InterestEdge, InterestEvent, WideReason } from "./interest-event.ts";
import { LingeringEdges } from "./lingering.ts";
import { ListProof } from "./list-proof.ts";
import type { Holder, Row, RowChange } from "./row-changes.ts";
import type { RowKind } from "./sightings.ts";
import { SubscriptionTable, type TableOptions } from "./subscription-table.ts";

/** Brokers publish their counters every ten seconds or so: after three times that there is none. */
const NO_COUNTER_MS = 30_000;
/** A full table is left only with some room, or it would be full again at once. */
const ROOM_AT = 0.9;

export interface InterestOptions extends TableOptions {
  /** Rows that the broker counts and never announces: its own bridges. */
  readonly untrackedSubscriptions: number;
  /** `none`: the agent is there before any client. */
  readonly atStart: "unknown" | "none";
  /** Wide mode is left after this long without proof; null: never. */
  readonly trustAfterMs: number | null;
}

export interface InterestChange {
  readonly edges: readonly InterestEdge[];
  /** Whether `wide` changed. */
  readonly wide: boolean;
}

export interface InterestStats {
  readonly clients: number;
  readonly rows: number;
  readonly proven: number;
  readonly ghosts: number;
  readonly filters: number;
  /** Rows that were not stored because the table was full. */
  readonly refused: number;
  /** Rows that may be held, and were forgotten for those that are. */
  readonly givenUp: number;
  readonly invalid: number;
  readonly trusted: boolean;
  /** Rows that only a list of the broker's subscriptions brought, and rows that only it ended. */
  readonly mended: { readonly added: number; readonly removed: number };
  /** Pairs of filter and group that nobody holds any more and that are wanted for a moment longer. */
  readonly lingering: number;
  /** Pairs that went at once because too many lingered. */
  readonly lingeringOverflows: number;
}

export class Interest {
  readonly #options: InterestOptions;
  readonly #table: SubscriptionTable;
  readonly #lingering = new LingeringEdges();
  #wide: { reason: WideReason; sinceMs: number } | null;
  /** Which counters have proven the table since the last gap. */
  readonly #matched = { plain: false, shared: false };
  /** Of these rows some come from an earlier life: until a count equals what is proven, more is held than events told. */
  readonly #restored = { plain: false, shared: false };
  #enabled = true;
  #full = false;
  /** Ghosts were given up: what is held may be in no row. */
  #missing = false;
  /** Which counters are believed without proof. */
  readonly #trusted = { plain: false, shared: false };
  /** When the last doubt arose: trust begins to grow there, however long wide mode lasts already. */
  #doubtedAtMs: number;
  #counterSeen = false;
  readonly #list: ListProof;

  constructor(options: InterestOptions, nowMs = 0) {
    this.#options = options;
    this.#table = new SubscriptionTable(options);
    this.#list = new ListProof(this.#table);
    this.#wide = { reason: "starting", sinceMs: nowMs };
    this.#doubtedAtMs = nowMs;
    if (options.atStart === "none") {
      this.#wide = null;
      this.#matched.plain = true;
      this.#matched.shared = true;
    }
  }

  /** Why links announce their topics instead of the interest; null: the interest is exact. */
  get wide(): { readonly reason: WideReason; readonly sinceMs: number } | null {
    return this.#wide;
  }

  /** Whether a fresh count could settle something. */
  get wantsFreshCount(): boolean {
    if (!this.#enabled) return false;
    return this.#wide !== null || this.#table.counts("plain").ghosts + this.#table.counts("shared").ghosts > 0;
  }

  get stats(): InterestStats {
    const plain = this.#table.counts("plain");
    const shared = this.#table.counts("shared");
    return {
      clients: this.#table.clients,
      rows: this.#table.rows,
      proven: plain.proven + shared.proven,
      ghosts: plain.ghosts + shared.ghosts,
      filters: this.#table.filters,
      refused: this.#table.refused,
      givenUp: this.#table.givenUp,
      invalid: this.#table.invalid,
      trusted: this.#trusted.plain || this.#trusted.shared,
      mended: { ...this.#table.mended },
      lingering: this.#lingering.size,
      lingeringOverflows: this.#lingering.overflows,
    };
  }

  get deadlineMs(): number {
    return Math.min(this.#lingering.deadlineMs, this.#wideDeadlineMs);
  }

  get #wideDeadlineMs(): number {
    if (this.#wide === null) return Number.POSITIVE_INFINITY;
    const { reason, sinceMs } = this.#wide;
    const noCounterMs =
      reason === "starting" && !this.#counterSeen ? sinceMs + NO_COUNTER_MS : Number.POSITIVE_INFINITY;
    return Math.min(
      noCounterMs,
      this.#mayTrust(reason) ? this.#doubtedAtMs + (this.#options.trustAfterMs ?? 0) : Number.POSITIVE_INFINITY,
    );
  }

  /** Everything held now, as edges that come up; what lingers is not held. */
  edges(): Iterable<InterestEdge> {
    return this.#table.edges();
  }

  /** Everything that links were told of and that did not go down since: what is held, and what lingers. */
  told(): InterestEdge[] {
    return [...this.#table.edges(), ...this.#lingering.up()];
  }

  holdings(): Iterable<{ readonly filter: string; readonly clients: number }> {
    return this.#table.holdings();
  }

  holders(): Iterable<Holder> {
    return this.#table.holders();
  }

  /** What an earlier life knew, by client. Before any event. */
  restore(rows: ReadonlyMap<string, readonly string[]>, nowMs = 0): InterestChange {
    const edges: InterestEdge[] = [];
    const before = this.#wide;
    for (const [client, filters] of rows) this.#table.restore(client, filters, edges);
    for (const kind of ["plain", "shared"] as const) this.#restored[kind] = this.#table.counts(kind).ghosts > 0;
    if (this.#table.givenUp > 0) this.#ghostsGivenUp(nowMs);
    return { edges, wide: before === null && this.#wide !== null };
  }

  /** Rows for the next life that came or went since the last call. */
  takeRowChanges(): Iterable<RowChange> {
    return this.#table.changes.take();
  }

  /** All rows for the next life. */
  rows(): Iterable<Row | null> {
    return this.#table.interestRows();
  }

  apply(event: InterestEvent, nowMs: number): InterestChange {
    const edges: InterestEdge[] = [];
    const before = this.#wide;
    const { givenUp } = this.#table;
    switch (event.type) {
      case "connected":
        this.#table.connected(event.client, event.cleanStart, event.session, edges, event.takesOver);
        break;
      case "disconnected":
        this.#table.disconnected(event.client, edges);
        break;
      case "session_ended":
        this.#table.sessionEnded(event.client, edges);
        break;
      case "subscribed":
        if (!this.#table.subscribed(event.client, event.filter, event.certain, edges, event.listed)) {
          this.#tableFull(nowMs);
        }
        break;
      case "unsubscribed":
        this.#table.unsubscribed(event.client, event.filter, event.certain, edges);
        break;
      case "count":
        this.#counterSeen = true;
        if (this.#wide?.reason === "no_counter") this.#wide = { reason: "starting", sinceMs: this.#wide.sinceMs };
        if (event.plain !== null)
          this.#count("plain", event.plain - this.#options.untrackedSubscriptions, nowMs, edges);
        if (event.shared !== null) this.#count("shared", event.shared, nowMs, edges);
        break;
      case "snapshot_begin":
        this.#list.begin();
        break;
      case "snapshot_end":
        if (this.#list.end(event.calm, edges)) this.#listProves();
        break;
      case "snapshot_failed":
        this.#snapshotFailed();
        break;
      case "gap":
        this.#doubt(event.reason, nowMs);
        break;
      case "broker_restarted":
        this.#table.brokerRestarted(edges);
        this.#doubt("broker_restarted", nowMs);
        break;
      case "events_enabled":
        this.#enable(event.enabled, nowMs);
        break;
    }
    if (this.#table.givenUp > givenUp) this.#ghostsGivenUp(nowMs);
    // Whoever unsubscribes means it; whoever goes may be back at once.
    const told = this.#lingering.pass(edges, event.type !== "unsubscribed", nowMs);
    return { edges: told, wide: (before === null) !== (this.#wide === null) };
  }

  tick(nowMs: number): InterestChange {
    return { edges: this.#lingering.due(nowMs), wide: this.#wideTick(nowMs) };
  }

  /** Answers whether wide mode was left. */
  #wideTick(nowMs: number): boolean {
    const wide = this.#wide;
    if (wide === null || nowMs < this.#wideDeadlineMs) return false;
    if (this.#mayTrust(wide.reason) && nowMs >= this.#doubtedAtMs + (this.#options.trustAfterMs ?? 0)) {
      for (const kind of ["plain", "shared"] as const) {
        this.#trusted[kind] = !this.#matched[kind];
        this.#matched[kind] = true;
      }
      this.#wide = null;
      return true;
    }
    if (wide.reason === "starting") this.#wide = { reason: "no_counter", sinceMs: wide.sinceMs };
    return false;
  }

  #count(kind: RowKind, held: number, nowMs: number, edges: InterestEdge[]): void {
    const { proven, ghosts } = this.#table.counts(kind);
    if (held === proven) {
      this.#table.dropGhosts(kind, edges);
      this.#matched[kind] = true;
      this.#trusted[kind] = false;
      this.#restored[kind] = false;
      this.#leaveWideIfProven();
    } else if (held < proven) {
      // Trusted, it stays exact, but what was seen held proves nothing any more.
      if (this.#trusted[kind]) this.#table.gap();
      else this.#doubt("count_mismatch", nowMs);
    } else if (this.#matched[kind] && !this.#trusted[kind]) {
      // An agent that came before any client and yet has an earlier life: what is held may be in neither V nor G.
      if (this.#restored[kind] || held > proven + ghosts) this.#doubt("count_mismatch", nowMs);
      else if (held === proven + ghosts) this.#table.proveGhosts(kind);
    }
  }

  #listProves(): void {
    for (const kind of ["plain", "shared"] as const) {
      this.#matched[kind] = true;
      this.#trusted[kind] = false;
      this.#restored[kind] = false;
    }
    this.#leaveWideIfProven();
  }

  #snapshotFailed(): void {
    this.#list.failed();
    // What is exact stays so: every new row is announced. What waits for proof now waits for the list.
    if (this.#wide?.reason === "starting" || this.#wide?.reason === "no_counter") {
      this.#wide = { reason: "api_unavailable", sinceMs: this.#wide.sinceMs };
    }
  }

  #leaveWideIfProven(): void {
    if (this.#full && this.#table.rows <= this.#options.rowsMax * ROOM_AT) this.#full = false;
    if (!this.#enabled || this.#full || !this.#matched.plain || !this.#matched.shared) return;
    this.#missing = false;
    this.#wide = null;
  }

  /** From here on only what is seen anew is proven. */
  #doubt(reason: WideReason, nowMs: number): void {
    this.#table.gap();
    this.#list.spoil();
    this.#believeNothing(reason, nowMs);
  }

  #believeNothing(reason: WideReason, nowMs: number): void {
    this.#doubtedAtMs = nowMs;
    for (const kind of ["plain", "shared"] as const) {
      this.#matched[kind] = false;
      this.#trusted[kind] = false;
    }
    if (this.#wide?.reason !== "events_disabled") this.#wide = { reason, sinceMs: this.#wide?.sinceMs ?? nowMs };
  }

  /** What was seen held still is, and proves as much as before. */
  #ghostsGivenUp(nowMs: number): void {
    this.#missing = true;
    this.#believeNothing("ghosts_given_up", nowMs);
  }

  #tableFull(nowMs: number): void {
    this.#list.overflowed();
    if (this.#full) return;
    this.#full = true;
    this.#doubt("table_full", nowMs);
  }

  #enable(enabled: boolean, nowMs: number): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    if (!enabled) {
      this.#doubt("events_disabled", nowMs);
      this.#wide = { reason: "events_disabled", sinceMs: nowMs };
    } else {
      // Whoever subscribed while there were no events is unknown, also to an agent that was there before any client.
      this.#wide = { reason: "starting", sinceMs: nowMs };
      this.#doubtedAtMs = nowMs;
      this.#list.spoil();
    }
  }

  #mayTrust(reason: WideReason): boolean {
    // Without events, silence proves nothing.
    if (reason === "events_disabled" || reason === "adapter_disconnected") return false;
    // Neither does time where rows are known to be missing, whatever was in doubt since.
    return this.#options.trustAfterMs !== null && !this.#full && !this.#missing;
  }
}
