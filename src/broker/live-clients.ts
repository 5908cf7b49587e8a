/**
 * Which clients are connected to the broker, as far as its lines told: the names that a line may be about.
 *
 * At the limit a new name is not stored and counted in `refused`; from then on (`complete` false) a line that can be read
 * in several ways is uncertain, whoever is known. It decides nothing about rows.
 */

export interface LiveClient {
  /** Came over WebSocket; null: connected before we looked. */
  websocket: boolean | null;
  /** A second connection took this id over; its "connected" line is still to come. */
  takenOver: boolean;
  /** Close lines to come that belong to sockets taken over, and until when they are believed in. */
  staleCloses: number;
  staleUntilMs: number;
}

/** UTF-16 units. A name that fills a line of 999 bytes has at least 900 bytes, of at most three to a unit. */
const LONG_NAME_UNITS = 300;

export class LiveClients {
  readonly #limit: number;
  readonly #clients = new Map<string, LiveClient>();
  readonly #long = new Set<string>();
  #refused = 0;
  #complete = true;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  get(client: string): LiveClient | undefined {
    return this.#clients.get(client);
  }

  /** The entry of `client`, made when missing; undefined at the limit. */
  add(client: string): LiveClient | undefined {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#limit) {
      this.#refused += 1;
      this.#complete = false;
      return undefined;
    }
    const fresh: LiveClient = { websocket: null, takenOver: false, staleCloses: 0, staleUntilMs: 0 };
    this.#clients.set(client, fresh);
    if (client.length >= LONG_NAME_UNITS) this.#long.add(client);
    return fresh;
  }

  delete(client: string): void {
    this.#clients.delete(client);
    this.#long.delete(client);
  }

  /** The broker started anew: nobody is connected. */
  clear(): void {
    this.#clients.clear();
    this.#long.clear();
    this.#complete = true;
  }

  /** The names that `text` starts with, followed by the flags of a "connected" line. */
  within(text: string): string[] {
    const names: string[] = [];
    for (let at = text.indexOf(" ("); at >= 0; at = text.indexOf(" (", at + 1)) {
      const name = text.slice(0, at);
      if (this.#clients.has(name)) names.push(name);
    }
    return names;
  }

  /** The names that start with `text`, of those long enough to fill a line of the broker's. */
  startingWith(text: string): string[] {
    return [...this.#long].filter((name) => name.startsWith(text));
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Names not stored because the limit was reached. */
  get refused(): number {
    return this.#refused;
  }

  /** False once a name had to be left out. */
  get complete(): boolean {
    return this.#complete;
  }
}
