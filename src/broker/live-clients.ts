/**
 * Which clients are connected to the broker, as far as its lines told: the names that a line may be about.
 *
 * At the limit a new name is not stored and counted in `refused`; from then on (`complete` false) a line that can be read
 * in several ways is uncertain, whoever is known. It decides nothing about rows.
 */

export interface LiveClient {
  /** False: it is only one reading of a line that may be about another client. */
  sure: boolean;
  /** Came over WebSocket; null: connected before we looked. */
  websocket: boolean | null;
  /** A second connection took this id over; its "connected" line is still to come. */
  takenOver: boolean;
  /** Close lines to come that belong to sockets taken over, and until when they are believed in. */
  staleCloses: number;
  staleUntilMs: number;
}

export class LiveClients {
  readonly #limit: number;
  readonly #clients = new Map<string, LiveClient>();
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
    const fresh: LiveClient = {
      sure: false,
      websocket: null,
      takenOver: false,
      staleCloses: 0,
      staleUntilMs: 0,
    };
    this.#clients.set(client, fresh);
    return fresh;
  }

  delete(client: string): void {
    this.#clients.delete(client);
  }

  /** The broker started anew: nobody is connected. */
  clear(): void {
    this.#clients.clear();
    this.#complete = true;
  }

  /** False: this one is connected already and was not taken over, so no line says that it connects. */
  mayConnect(client: string): boolean {
    const entry = this.#clients.get(client);
    return entry === undefined || !entry.sure || entry.takenOver;
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
