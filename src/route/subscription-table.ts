/**
 * Which client holds which filter, as a set per (client, filter): brokers log unsubscribes of filters not held, so a
 * counter would drift. Every row counts for comparing with the broker's counter; only eligible ones are interest.
 *
 * A row is *proven* when it was seen held since the last gap, else a *ghost*: it may be held. Proofs carry the number of
 * the stretch they belong to, so that a gap turns all rows into ghosts at once.
 */
import { canonical, filterProblem, isReserved, LEVELS_MAX, splitShared, widenDeep } from "../topic/filter.ts";
import { underPrefix } from "../wire/names.ts";
import { FilterHolders } from "./filter-holders.ts";
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
  /** Raw filter → stretch in which it was last seen held; 0: never for certain. */
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
  readonly #holders = new FilterHolders();
  #stretch = 1;
  readonly #proven = { plain: 0, shared: 0 };
  readonly #total = { plain: 0, shared: 0 };
  #refused = 0;
  #invalid = 0;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  get clients(): number {
    return this.#clients.size;
  }

  get rows(): number {
    return this.#total.plain + this.#total.shared;
  }

  /** Filters that are interest. */
  get filters(): number {
    return this.#holders.size;
  }

  /** Rows not stored because the table was full. */
  get refused(): number {
    return this.#refused;
  }

  get invalid(): number {
    return this.#invalid;
  }

  counts(kind: "plain" | "shared"): RowCounts {
    return { proven: this.#proven[kind], ghosts: this.#total[kind] - this.#proven[kind] };
  }

  connected(id: string, cleanStart: boolean | null, session: SessionEnd, edges: InterestEdge[]): void {
    const known = this.#clients.get(id);
    // A clean start forgets; and a session that ended with its connection left nothing to a takeover.
    if (known !== undefined && (cleanStart === true || known.session === "with_connection"))
      this.#dropRows(known, edges);
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
  subscribed(id: string, raw: string, certain: boolean, edges: InterestEdge[]): boolean {
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
      if (client.eligible && this.#hold(raw, edges)) this.changes.note(id, raw, true);
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
      const isTaken = client?.eligible === true && this.rows < this.#options.rowsMax && this.#hold(raw, edges);
      if (!isTaken) {
        this.changes.note(id, raw, false);
        continue;
      }
      client.rows.set(raw, 0);
      this.#total[kindOf(raw)] += 1;
    }
    if (client !== null) this.#tidy(id, client);
  }

  /** The rows that are interest; null for each that is not, and for each client. The table may change between two steps. */
  *interestRows(): Iterable<Row | null> {
    for (const { id, eligible, rows } of this.#clients.values()) {
      yield null;
      if (!eligible) continue;
      for (const raw of rows.keys()) yield this.#interestOf(raw) === null ? null : { client: id, filter: raw };
    }
  }

  /** Events may be missing: nothing is proven any more, nothing is forgotten. */
  gap(): void {
    this.#stretch += 1;
    this.#proven.plain = 0;
    this.#proven.shared = 0;
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
        if (stretch !== this.#stretch && kindOf(raw) === kind) this.#remove(client, raw, edges);
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
    return this.#holders.edges();
  }

  /** Filters that are interest, with how many subscriptions ask for each. */
  holdings(): Iterable<{ readonly filter: string; readonly clients: number }> {
    return this.#holders.counts();
  }

  /** Who asks for what: the rows that are interest, each with the filter it comes down to. Walks the table. */
  *holders(): Iterable<Holder> {
    for (const { id, eligible, connected, session, rows } of this.#clients.values()) {
      if (!eligible) continue;
      const state = connected ? "connected" : session === "unknown" ? "unknown" : "away";
      for (const [raw, stretch] of rows) {
        const asked = this.#interestOf(raw)?.filter;
        if (asked !== undefined) yield { client: id, filter: raw, asked, state, proven: stretch === this.#stretch };
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

  #prove(client: Client, raw: string): void {
    if (client.rows.get(raw) === this.#stretch) return;
    client.rows.set(raw, this.#stretch);
    this.#proven[kindOf(raw)] += 1;
  }

  #toGhost(client: Client, raw: string): void {
    if (client.rows.get(raw) !== this.#stretch) return;
    client.rows.set(raw, 0);
    this.#proven[kindOf(raw)] -= 1;
  }

  #dropRows(client: Client, edges: InterestEdge[]): void {
    for (const raw of [...client.rows.keys()]) this.#remove(client, raw, edges);
  }

  #remove(client: Client, raw: string, edges: InterestEdge[]): void {
    this.#toGhost(client, raw);
    client.rows.delete(raw);
    this.#total[kindOf(raw)] -= 1;
    if (client.eligible && this.#release(raw, edges)) this.changes.note(client.id, raw, false);
  }

  /** Answers whether the row is interest. */
  #hold(raw: string, edges: InterestEdge[]): boolean {
    const interest = this.#interestOf(raw);
    if (interest === null) {
      if (!isReserved(splitShared(raw).filter)) this.#invalid += 1;
      return false;
    }
    this.#holders.hold(interest.filter, interest.group, edges);
    return true;
  }

  #release(raw: string, edges: InterestEdge[]): boolean {
    const interest = this.#interestOf(raw);
    return interest !== null && this.#holders.release(interest.filter, interest.group, edges);
  }

  /** What a subscription asks for in messages of clients; null: nothing that may cross. */
  #interestOf(raw: string): { filter: string; group: string | null } | null {
    const shared = splitShared(raw);
    const filter =
      shared.filter.split("/", LEVELS_MAX + 1).length > LEVELS_MAX ? widenDeep(shared.filter) : shared.filter;
    // Reserved topics belong to their broker; the control prefix belongs to agents.
    if (isReserved(filter) || underPrefix(this.#options.controlPrefix, filter) || filterProblem(filter) !== null)
      return null;
    return { filter: canonical(filter), group: shared.group };
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
