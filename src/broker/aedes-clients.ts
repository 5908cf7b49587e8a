/**
 * Which of Aedes' unsubscribe events may belong to a connection that is already gone.
 *
 * When a clean client ends, Aedes announces its filters as unsubscribed, after the "disconnect" and, in a takeover, after
 * the "new client" of its successor. Owns the filters of each connection and nothing else; in doubt a filter stays.
 */

/**
 * The late event follows in the same turn of the broker, or after one step of its message emitter. It is not ticked off when
 * something like it came: a client may also unsubscribe just these filters. What is doubted wrongly stays subscribed.
 */
const STALE_MS = 10_000;

interface Client {
  /** The broker node it is connected to; null: not connected. */
  node: string | null;
  readonly rows: Set<string>;
  /** Subscribed in this connection; null: it connected before we looked. */
  fresh: Set<string> | null;
  /** Disconnected, and its unsubscribes have not come yet. */
  owing: boolean;
  stale: Stale | null;
  /** Some filters of it are not remembered. */
  partial: boolean;
}

/** What an earlier connection held: its unsubscribe event, if it comes, names all of `own` and nothing outside `all`. */
interface Stale {
  readonly own: ReadonlySet<string>;
  /** Null: not known to the last filter. */
  readonly all: ReadonlySet<string> | null;
  readonly untilMs: number;
  /** Several connections ended before one such event came: any event may be one of theirs. */
  readonly several: boolean;
}

export class AedesClients {
  readonly #clientsMax: number;
  readonly #rowsMax: number;
  readonly #clients = new Map<string, Client>();
  #rows = 0;
  #refused = 0;
  #forgot = false;

  constructor(clientsMax: number, rowsMax: number) {
    this.#clientsMax = clientsMax;
    this.#rowsMax = rowsMax;
  }

  connected(name: string, node: string, nowMs: number): void {
    const client = this.#client(name);
    if (client === null) return;
    if (client.owing || client.node !== null) {
      client.stale = {
        own: new Set(client.fresh ?? client.rows),
        all: client.fresh === null || client.partial ? null : new Set(client.rows),
        untilMs: nowMs + STALE_MS,
        several: client.stale !== null && nowMs <= client.stale.untilMs,
      };
    }
    client.node = node;
    client.owing = false;
    client.fresh = new Set();
  }

  /** False: the connection that ended had already been replaced by one on another node. */
  disconnected(name: string, node: string, nowMs: number): boolean {
    const client = this.#client(name);
    if (client === null) return true;
    if (client.node !== null && client.node !== node) return false;
    client.node = null;
    client.owing = true;
    // A connection seen from its start that held nothing: no event will follow.
    if (client.fresh !== null) this.#forgetIfDone(name, client, nowMs);
    return true;
  }

  subscribed(name: string, filter: string): void {
    const client = this.#client(name);
    if (client === null) return;
    client.fresh?.add(filter);
    if (client.rows.has(filter)) return;
    if (this.#rows >= this.#rowsMax) {
      client.partial = true;
      this.#refused += 1;
      client.fresh?.delete(filter);
      return;
    }
    client.rows.add(filter);
    this.#rows += 1;
  }

  /** For each filter: true when the client, as it is connected now, certainly holds it no more. */
  unsubscribed(name: string, node: string, filters: readonly string[], nowMs: number): boolean[] {
    const client = this.#clients.get(name);
    // Unknown: nothing was subscribed since we look, unless names had to be left out.
    if (client === undefined) return filters.map(() => !this.#forgot);
    const stale = mayBeStale(client, node, filters, nowMs);
    if (client.node === null && !stale) client.owing = false;
    const certain = filters.map((filter) => !stale || !(client.partial || client.fresh?.has(filter) === true));
    for (const [index, filter] of filters.entries()) {
      if (!certain[index]) continue;
      client.fresh?.delete(filter);
      if (client.rows.delete(filter)) this.#rows -= 1;
    }
    if (client.node === null) this.#forgetIfDone(name, client, nowMs);
    return certain;
  }

  #forgetIfDone(name: string, client: Client, nowMs: number): void {
    const staleToCome = client.stale !== null && nowMs <= client.stale.untilMs;
    if (client.rows.size === 0 && !client.partial && !staleToCome) this.#clients.delete(name);
  }

  /** Events were missed: what is remembered of connections may be wrong. Unknown clients are judged more carefully. */
  gap(): void {
    this.#clients.clear();
    this.#rows = 0;
    this.#forgot = false;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Clients and filters not remembered because a limit was reached. */
  get refused(): number {
    return this.#refused;
  }

  #client(name: string): Client | null {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#clientsMax) {
      this.#refused += 1;
      this.#forgot = true;
      return null;
    }
    const client: Client = {
      node: null,
      rows: new Set(),
      fresh: null,
      owing: false,
      stale: null,
      partial: false,
    };
    this.#clients.set(name, client);
    return client;
  }
}

function mayBeStale(client: Client, node: string, filters: readonly string[], nowMs: number): boolean {
  if (client.node !== null && client.node !== node) return true;
  const { stale } = client;
  if (stale === null || nowMs > stale.untilMs) return false;
  if (stale.several || client.partial) return true;
  const named = new Set(filters);
  for (const filter of stale.own) if (!named.has(filter)) return false;
  return stale.all === null || filters.every((filter) => stale.all?.has(filter) === true);
}
