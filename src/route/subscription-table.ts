/**
 * Which client holds which filter, as a set per (client, filter): brokers log unsubscribes of filters not held, so a
 * counter would drift. Every row counts for comparing with the broker's counter; only eligible ones are interest.
 *
 * A row is *proven* when it was seen held since the last gap, else a *ghost*: it may be held (`sightings.ts`). A gap turns
 * all rows into ghosts at once; the end of a snapshot finds the rows that neither it nor an event has shown since it began.
 *
 * Clients whose end nobody hears of (an expiry that is not told, rows of an earlier life) leave ghosts that nothing
 * disproves where the broker gives no count. They share the table's limit with what is held for certain, and make room for
 * it: whoever left first, first. Each that is given up is counted, and the owner has to announce more.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import { matchesPattern } from "./client-pattern.ts";
import { Holdings } from "./holdings.ts";
import type { InterestEdge, SessionEnd } from "./interest-event.ts";
import { type Holder, type Row, RowChanges } from "./row-changes.ts";
import { kindOf, type RowCounts, type RowKind, type Seen, Sightings } from "./sightings.ts";

export interface TableOptions {
  readonly ownClients: ReadonlySet<string>;
  /** Patterns with `*` of client ids whose interest does not count. */
  readonly ignoreClients: readonly string[];
  readonly controlPrefix: string;
  readonly rowsMax: number;
}

interface Client {
  readonly id: string;
  connected: boolean;
  session: SessionEnd;
  readonly eligible: boolean;
  readonly rows: Seen;
}

export class SubscriptionTable {
  /** Of the rows that are interest. */
  readonly changes = new RowChanges();
  readonly #options: TableOptions;
  readonly #clients = new Map<string, Client>();
  readonly #holdings: Holdings;
  readonly #sightings = new Sightings();
  readonly #mended = { added: 0, removed: 0 };
  /** Clients that are away and have ghosts, perhaps for ever; in the order in which they left. */
  readonly #gone: BoundedMap<string, Client>;
  #refused = 0;
  #givenUp = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#holdings = new Holdings(options.controlPrefix);
    this.#gone = new BoundedMap(options.rowsMax);
  }

  get clients(): number {
    return this.#clients.size;
  }

  get rows(): number {
    return this.#sightings.rows;
  }

  /** Filters that are interest. */
  get filters(): number {
    return this.#holdings.size;
  }

  /** Rows not stored because the table was full. */
  get refused(): number {
    return this.#refused;
  }

  /** Rows that may be held, and were forgotten to make room or for want of it. */
  get givenUp(): number {
    return this.#givenUp;
  }

  get invalid(): number {
    return this.#holdings.invalid;
  }

  /** Rows that only a snapshot brought, and rows that only a snapshot ended. */
  get mended(): { readonly added: number; readonly removed: number } {
    return this.#mended;
  }

  counts(kind: RowKind): RowCounts {
    return this.#sightings.counts(kind);
  }

  connected(
    id: string,
    cleanStart: boolean | null,
    session: SessionEnd,
    edges: InterestEdge[],
    takesOver = false,
  ): void {
    const known = this.#clients.get(id);
    // A clean start forgets; and a session that ended with its connection left nothing to a takeover, on most brokers.
    const isOver = cleanStart === true || (known?.session === "with_connection" && !takesOver);
    if (known !== undefined && isOver) this.#dropRows(known, edges);
    const client = known ?? this.#create(id);
    if (client === null) return;
    client.connected = true;
    client.session = session;
    this.#gone.delete(id);
  }

  disconnected(id: string, edges: InterestEdge[]): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    const session = client.connected ? client.session : "unknown";
    client.connected = false;
    if (session === "with_connection") this.#dropRows(client, edges);
    else if (session === "unknown") {
      for (const raw of client.rows.keys()) this.#sightings.doubt(client.rows, raw);
      this.#left(client);
    }
    this.#tidy(id, client);
  }

  sessionEnded(id: string, edges: InterestEdge[]): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    this.#dropRows(client, edges);
    this.#tidy(id, client);
  }

  /** Answers false when the row could not be stored. */
  subscribed(id: string, raw: string, certain: boolean, edges: InterestEdge[], listed = false): boolean {
    const client = this.#clients.get(id) ?? this.#createForRow(id, edges);
    if (client === null) {
      this.#refused += 1;
      return false;
    }
    this.#gone.delete(id);
    const before = client.rows.get(raw);
    if (before === undefined) {
      if (this.rows >= this.#options.rowsMax && !this.#giveUpGhost(edges)) {
        this.#refused += 1;
        this.#tidy(id, client);
        return false;
      }
      this.#sightings.add(client.rows, raw);
      if (listed) this.#mended.added += 1;
      if (client.eligible && this.#holdings.hold(raw, edges)) this.changes.note(id, raw, true);
    }
    if (certain) this.#sightings.prove(client.rows, raw);
    return true;
  }

  unsubscribed(id: string, raw: string, certain: boolean, edges: InterestEdge[]): void {
    const client = this.#clients.get(id);
    if (client === undefined || !client.rows.has(raw)) return;
    if (!certain) {
      this.#sightings.doubt(client.rows, raw);
      return;
    }
    this.#remove(client, raw, edges);
    this.#tidy(id, client);
  }

  /** Rows of an earlier life may be held. What is no interest any more, or too much, is forgotten. */
  restore(id: string, filters: readonly string[], edges: InterestEdge[]): void {
    const client = this.#clients.get(id) ?? this.#create(id);
    for (const raw of filters) {
      const isRoom = client !== null && this.rows < this.#options.rowsMax;
      if (!isRoom) this.#givenUp += 1;
      const isTaken = isRoom && client.eligible && this.#holdings.hold(raw, edges);
      if (!isTaken) {
        this.changes.note(id, raw, false);
        continue;
      }
      this.#sightings.add(client.rows, raw);
    }
    if (client === null) return;
    this.#left(client);
    this.#tidy(id, client);
  }

  /** The rows that are interest; null for each that is not, and for each client. The table may change between two steps. */
  *interestRows(): Iterable<Row | null> {
    for (const { id, eligible, rows } of this.#clients.values()) {
      yield null;
      if (!eligible) continue;
      for (const raw of rows.keys()) yield this.#holdings.interestOf(raw) === null ? null : { client: id, filter: raw };
    }
  }

  /** Events may be missing: nothing is proven any more, nothing is forgotten. */
  gap(): void {
    this.#sightings.gap();
  }

  beginSnapshot(): void {
    this.#sightings.beginSnapshot();
  }

  abandonSnapshot(): void {
    this.#sightings.abandonSnapshot();
  }

  forgetSnapshots(): void {
    this.#sightings.forgetSnapshots();
  }

  /** Drops the rows that were not seen since the `passes`-th last snapshot began; that one has to be through as well. */
  endSnapshot(passes: number, edges: InterestEdge[]): void {
    const first = this.#sightings.endSnapshot(passes);
    if (first === null) return;
    for (const [id, client] of this.#clients) {
      for (const [raw, stretch] of client.rows) {
        if (Math.abs(stretch) >= first) continue;
        this.#remove(client, raw, edges);
        this.#mended.removed += 1;
      }
      this.#tidy(id, client);
    }
  }

  /** Nobody is connected; sessions that end with their connection are gone for certain. */
  brokerRestarted(edges: InterestEdge[]): void {
    for (const [id, client] of [...this.#clients]) {
      if (client.connected && client.session === "with_connection") this.#dropRows(client, edges);
      client.connected = false;
      this.#left(client);
      this.#tidy(id, client);
    }
    this.gap();
  }

  /** The proven rows are all there are. */
  dropGhosts(kind: RowKind, edges: InterestEdge[]): void {
    if (this.counts(kind).ghosts === 0) return;
    for (const [id, client] of [...this.#clients]) {
      for (const [raw, stretch] of [...client.rows]) {
        if (!this.#sightings.isProven(stretch) && kindOf(raw) === kind) this.#remove(client, raw, edges);
      }
      this.#tidy(id, client);
    }
  }

  /** All ghosts are held. */
  proveGhosts(kind: RowKind): void {
    if (this.counts(kind).ghosts === 0) return;
    for (const client of this.#clients.values()) {
      for (const raw of client.rows.keys()) if (kindOf(raw) === kind) this.#sightings.prove(client.rows, raw);
    }
  }

  /** Everything held now, as edges that come up. */
  edges(): Iterable<InterestEdge> {
    return this.#holdings.edges();
  }

  /** Filters that are interest, with how many subscriptions ask for each. */
  holdings(): Iterable<{ readonly filter: string; readonly clients: number }> {
    return this.#holdings.all();
  }

  /** Who asks for what: the rows that are interest, each with the filter it comes down to. Walks the table. */
  *holders(): Iterable<Holder> {
    for (const { id, eligible, connected, session, rows } of this.#clients.values()) {
      if (!eligible) continue;
      const state = connected ? "connected" : session === "unknown" ? "unknown" : "away";
      for (const [raw, stretch] of rows) {
        const asked = this.#holdings.interestOf(raw)?.filter;
        if (asked !== undefined)
          yield { client: id, filter: raw, asked, state, proven: this.#sightings.isProven(stretch) };
      }
    }
  }

  #create(id: string): Client | null {
    if (this.#clients.size >= this.#options.rowsMax) return null;
    const client: Client = {
      id,
      connected: false,
      session: "unknown",
      eligible:
        !this.#options.ownClients.has(id) &&
        !this.#options.ignoreClients.some((pattern) => matchesPattern(pattern, id)),
      rows: new Map(),
    };
    this.#clients.set(id, client);
    return client;
  }

  /** A client that is known only by its subscription: one that is gone makes room for it. */
  #createForRow(id: string, edges: InterestEdge[]): Client | null {
    while (this.#clients.size >= this.#options.rowsMax) if (!this.#giveUpGhost(edges)) return null;
    return this.#create(id);
  }

  #tidy(id: string, client: Client): void {
    if (client.connected || client.rows.size > 0) return;
    this.#clients.delete(id);
    this.#gone.delete(id);
  }

  #left(client: Client): void {
    if (client.rows.size > 0) this.#gone.set(client.id, client);
  }

  /** Forgets one ghost of the client that left first. Answers false when no such client has one. */
  #giveUpGhost(edges: InterestEdge[]): boolean {
    for (let first = this.#gone.oldest(); first !== undefined; first = this.#gone.oldest()) {
      const [id, client] = first;
      for (const [raw, stretch] of client.rows) {
        if (this.#sightings.isProven(stretch)) continue;
        this.#remove(client, raw, edges);
        this.#tidy(id, client);
        this.#givenUp += 1;
        return true;
      }
      this.#gone.delete(id);
    }
    return false;
  }

  #dropRows(client: Client, edges: InterestEdge[]): void {
    for (const raw of [...client.rows.keys()]) this.#remove(client, raw, edges);
  }

  #remove(client: Client, raw: string, edges: InterestEdge[]): void {
    this.#sightings.remove(client.rows, raw);
    if (client.eligible && this.#holdings.release(raw, edges)) this.changes.note(client.id, raw, false);
  }
}
