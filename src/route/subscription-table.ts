/**
 * Which client holds which filter, as a set per (client, filter): brokers log unsubscribes of filters not held, so a
 * counter would drift. Every row counts for comparing with the broker's counter; only eligible ones are interest.
 *
 * A row is *proven* when it was seen held since the last gap, else a *ghost*: it may be held. Sightings carry the number of
 * the stretch they belong to, so that a gap turns all rows into ghosts at once, and so that the end of a snapshot finds the
 * rows that neither the snapshot nor an event has shown since it began.
 */
import { Holdings } from "./holdings.ts";
import type { InterestEdge, SessionEnd } from "./interest-event.ts";
import { type Holder, type Row, RowChanges } from "./row-changes.ts";

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
  /** Raw filter → stretch in which it was last seen held; 0: never for certain; negative: doubtful again since. */
  readonly rows: Map<string, number>;
}

/** Rows of one kind: the broker counts plain and shared ones apart. */
export interface RowCounts {
  readonly proven: number;
  readonly ghosts: number;
}

export class SubscriptionTable {
  /** Of the rows that are interest. */
  readonly changes = new RowChanges();
  readonly #options: TableOptions;
  readonly #clients = new Map<string, Client>();
  readonly #holdings: Holdings;
  #stretch = 1;
  /** The first stretch since the last gap: rows seen from it on are proven. */
  #surely = 1;
  /** The stretch of a snapshot that goes on or is through, and of those before it. */
  #snapshots: number[] = [];
  readonly #mended = { added: 0, removed: 0 };
  /** Rows seen in the stretch that goes on: if that is all of them, no snapshot has anything to end. */
  #fresh = 0;
  readonly #proven = { plain: 0, shared: 0 };
  readonly #total = { plain: 0, shared: 0 };
  #refused = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#holdings = new Holdings(options.controlPrefix);
  }

  get clients(): number {
    return this.#clients.size;
  }

  get rows(): number {
    return this.#total.plain + this.#total.shared;
  }

  /** Filters that are interest. */
  get filters(): number {
    return this.#holdings.size;
  }

  /** Rows not stored because the table was full. */
  get refused(): number {
    return this.#refused;
  }

  get invalid(): number {
    return this.#holdings.invalid;
  }

  /** Rows that only a snapshot brought, and rows that only a snapshot ended. */
  get mended(): { readonly added: number; readonly removed: number } {
    return this.#mended;
  }

  counts(kind: "plain" | "shared"): RowCounts {
    return { proven: this.#proven[kind], ghosts: this.#total[kind] - this.#proven[kind] };
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
  }

  disconnected(id: string, edges: InterestEdge[]): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    const session = client.connected ? client.session : "unknown";
    client.connected = false;
    if (session === "with_connection") this.#dropRows(client, edges);
    else if (session === "unknown") for (const raw of client.rows.keys()) this.#toGhost(client, raw);
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
    const client = this.#clients.get(id) ?? this.#create(id);
    if (client === null) {
      this.#refused += 1;
      return false;
    }
    const before = client.rows.get(raw);
    if (before === undefined) {
      if (this.rows >= this.#options.rowsMax) {
        this.#refused += 1;
        this.#tidy(id, client);
        return false;
      }
      client.rows.set(raw, 0);
      this.#total[kindOf(raw)] += 1;
      if (listed) this.#mended.added += 1;
      if (client.eligible && this.#holdings.hold(raw, edges)) this.changes.note(id, raw, true);
    }
    if (certain) this.#prove(client, raw);
    return true;
  }

  unsubscribed(id: string, raw: string, certain: boolean, edges: InterestEdge[]): void {
    const client = this.#clients.get(id);
    if (client === undefined || !client.rows.has(raw)) return;
    if (!certain) {
      this.#toGhost(client, raw);
      return;
    }
    this.#remove(client, raw, edges);
    this.#tidy(id, client);
  }

  /** Rows of an earlier life may be held. What is no interest any more, or too much, is forgotten. */
  restore(id: string, filters: readonly string[], edges: InterestEdge[]): void {
    const client = this.#clients.get(id) ?? this.#create(id);
    for (const raw of filters) {
      const isTaken = client?.eligible === true && this.rows < this.#options.rowsMax && this.#holdings.hold(raw, edges);
      if (!isTaken) {
        this.changes.note(id, raw, false);
        continue;
      }
      client.rows.set(raw, 0);
      this.#total[kindOf(raw)] += 1;
    }
    if (client !== null) this.#tidy(id, client);
  }

  /** The rows that are interest. */
  *interestRows(): Iterable<Row> {
    for (const { id, eligible, rows } of this.#clients.values()) {
      if (!eligible) continue;
      for (const raw of rows.keys()) if (this.#holdings.interestOf(raw) !== null) yield { client: id, filter: raw };
    }
  }

  /** Events may be missing: nothing is proven any more, nothing is forgotten. */
  gap(): void {
    this.#nextStretch();
    this.#surely = this.#stretch;
    this.#snapshots = [];
    this.#proven.plain = 0;
    this.#proven.shared = 0;
  }

  /** From here on it shows which rows are seen again. Doubts nothing. */
  beginSnapshot(): void {
    this.#nextStretch();
    this.#snapshots.push(this.#stretch);
  }

  /** The snapshot that began last cannot be finished. */
  abandonSnapshot(): void {
    this.#snapshots.pop();
  }

  /** What the snapshots so far did not show may be held all the same. */
  forgetSnapshots(): void {
    this.#snapshots = [];
  }

  /** Drops the rows that were not seen since the `passes`-th last snapshot began; that one has to be through as well. */
  endSnapshot(passes: number, edges: InterestEdge[]): void {
    this.#snapshots = this.#snapshots.slice(-passes);
    const first = this.#snapshots[0];
    if (first === undefined || this.#snapshots.length < passes || this.#fresh === this.rows) return;
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
      this.#tidy(id, client);
    }
    this.gap();
  }

  /** The proven rows are all there are. */
  dropGhosts(kind: "plain" | "shared", edges: InterestEdge[]): void {
    if (this.counts(kind).ghosts === 0) return;
    for (const [id, client] of [...this.#clients]) {
      for (const [raw, stretch] of [...client.rows]) {
        if (stretch < this.#surely && kindOf(raw) === kind) this.#remove(client, raw, edges);
      }
      this.#tidy(id, client);
    }
  }

  /** All ghosts are held. */
  proveGhosts(kind: "plain" | "shared"): void {
    if (this.counts(kind).ghosts === 0) return;
    for (const client of this.#clients.values()) {
      for (const raw of client.rows.keys()) if (kindOf(raw) === kind) this.#prove(client, raw);
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
        if (asked !== undefined) yield { client: id, filter: raw, asked, state, proven: stretch >= this.#surely };
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

  #tidy(id: string, client: Client): void {
    if (!client.connected && client.rows.size === 0) this.#clients.delete(id);
  }

  #nextStretch(): void {
    this.#stretch += 1;
    this.#fresh = 0;
  }

  #prove(client: Client, raw: string): void {
    const seen = client.rows.get(raw) ?? 0;
    if (seen === this.#stretch) return;
    client.rows.set(raw, this.#stretch);
    if (seen !== -this.#stretch) this.#fresh += 1;
    if (seen < this.#surely) this.#proven[kindOf(raw)] += 1;
  }

  #toGhost(client: Client, raw: string): void {
    const seen = client.rows.get(raw) ?? 0;
    if (seen < this.#surely) return;
    client.rows.set(raw, -seen);
    this.#proven[kindOf(raw)] -= 1;
  }

  #dropRows(client: Client, edges: InterestEdge[]): void {
    for (const raw of [...client.rows.keys()]) this.#remove(client, raw, edges);
  }

  #remove(client: Client, raw: string, edges: InterestEdge[]): void {
    this.#toGhost(client, raw);
    if (client.rows.get(raw) === -this.#stretch) this.#fresh -= 1;
    client.rows.delete(raw);
    this.#total[kindOf(raw)] -= 1;
    if (client.eligible && this.#holdings.release(raw, edges)) this.changes.note(client.id, raw, false);
  }
}

function kindOf(raw: string): "plain" | "shared" {
  return raw.startsWith("$share/") ? "shared" : "plain";
}

/** `*` stands for any characters. Linear: greedy parts found from left to right, the last one at the end. */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts.shift() ?? "";
  const last = parts.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
