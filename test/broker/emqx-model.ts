/**
 * An EMQX on paper for the clock of a test: nodes with their rows, events that come late (in order from each node), pages
 * that are made node by node and arrive later, rows that outlive their session for a moment. Everything is drawn from one seed.
 */
import type { ApiAnswer, ApiTransport } from "../../src/broker/api-transport.ts";
import { encoder } from "./recorder.ts";

/** Between what happens and its event. */
export const EVENT_DELAY_MAX_MS = 150;
/** Until the rows of a session that ended are off the list. */
const CLEANUP_MAX_MS = 800;
const STEP_MAX_MS = 120;
const NODES = ["n1", "n2"];
const CLIENTS = ["a", "b", "c/d", "e", "f"];
const FILTERS = ["t/1", "t/2", "+/x", "#", "$share/g/t/1", "$queue/q", "deep/er"];

interface ModelSession {
  node: string;
  connected: boolean;
  connectedAt: number;
  persistent: boolean;
  /** Filter → since when. */
  readonly filters: Map<string, number>;
}

interface ListedRow {
  readonly node: string;
  readonly client: string;
  readonly filter: string;
  untilMs: number;
}

type Deliver = (topic: string, payload: Uint8Array) => void;

export class EmqxModel implements ApiTransport {
  nowMs = 1_000_000;
  /** What part of the events of clients gets lost. */
  loses = 0;
  quiet = false;
  readonly sessions = new Map<string, ModelSession>();
  readonly #random: () => number;
  readonly #deliver: Deliver;
  readonly #due: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  readonly #lastEventMs = new Map<string, number>();
  #rows: ListedRow[] = [];
  #order = 0;
  #question = 0;

  constructor(random: () => number, deliver: Deliver) {
    this.#random = random;
    this.#deliver = deliver;
    this.#after(0, () => this.#live());
  }

  /** `client filter`, as tables have it, of what has been held for `ageMs`. */
  held(ageMs: number): string[] {
    const all: string[] = [];
    for (const [client, { filters }] of this.sessions) {
      for (const [filter, sinceMs] of filters) {
        if (this.nowMs - sinceMs >= ageMs) all.push(`${client} ${filter.replace(/^\$queue\//, "$share/$queue/")}`);
      }
    }
    return all.sort();
  }

  get nextMs(): number {
    return Math.min(...this.#due.map(({ atMs }) => atMs));
  }

  run(untilMs: number): void {
    this.#due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    for (let next = this.#due[0]; next !== undefined && next.atMs <= untilMs; next = this.#due[0]) {
      this.#due.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      this.#due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    }
    this.nowMs = untilMs;
  }

  get(path: string, done: (answer: ApiAnswer) => void): void {
    this.#question += 1;
    const question = this.#question;
    const url = new URL(path, "http://model");
    const [limit, page] = ["limit", "page"].map((key) => Number(url.searchParams.get(key)));
    const gathered: ListedRow[] = [];
    let wait = this.#upTo(60);
    for (const node of NODES) {
      this.#after(wait, () => gathered.push(...this.#listed(node)));
      wait += this.#upTo(150);
    }
    this.#after(wait + this.#upTo(60), () => {
      if (question !== this.#question) return;
      const from = ((page ?? 1) - 1) * (limit ?? 1);
      const rows = gathered.slice(from, from + (limit ?? 1));
      const data = rows.map(({ client, filter, node }) => ({ clientid: client, durable: false, node, topic: filter }));
      const meta = { count: gathered.length, hasnext: from + rows.length < gathered.length, limit, page };
      done({ ok: true, body: encoder.encode(JSON.stringify({ data, meta })) });
    });
  }

  cancel(): void {
    this.#question += 1;
  }

  #listed(node: string): ListedRow[] {
    this.#rows = this.#rows.filter(({ untilMs }) => untilMs > this.nowMs);
    const own = this.#rows.filter((row) => row.node === node);
    return own.sort((a, b) => (`${a.filter} ${a.client}` < `${b.filter} ${b.client}` ? -1 : 1));
  }

  #live(): void {
    if (!this.quiet) this.#act();
    this.#after(this.#upTo(STEP_MAX_MS), () => this.#live());
  }

  #act(): void {
    const client = this.#pick(CLIENTS);
    const session = this.sessions.get(client);
    if (session?.connected !== true) {
      if (session !== undefined && this.#random() < 0.3) this.#end(client, session, 0);
      else this.#connect(client, this.#random() < 0.5);
      return;
    }
    const dice = this.#random();
    const filter = this.#pick(FILTERS);
    if (dice < 0.5) this.#subscribe(client, session, filter);
    else if (dice < 0.75) this.#unsubscribe(client, session, filter);
    else if (dice < 0.85) this.#disconnect(client, session);
    else this.#connect(client, this.#random() < 0.3);
  }

  #subscribe(client: string, session: ModelSession, filter: string): void {
    if (!session.filters.has(filter)) {
      session.filters.set(filter, this.nowMs);
      this.#rows.push({ node: session.node, client, filter, untilMs: Number.POSITIVE_INFINITY });
    }
    this.#event(session.node, client, "subscribed", { topic: filter });
  }

  #unsubscribe(client: string, session: ModelSession, filter: string): void {
    if (!session.filters.delete(filter)) return;
    for (const row of this.#rows) if (row.client === client && row.filter === filter) row.untilMs = 0;
    this.#event(session.node, client, "unsubscribed", { topic: filter });
  }

  #disconnect(client: string, session: ModelSession): void {
    session.connected = false;
    const { connectedAt } = session;
    this.#event(session.node, client, "disconnected", { reason: "tcp_closed", connected_at: connectedAt });
    if (!session.persistent) this.#end(client, session, this.#upTo(CLEANUP_MAX_MS));
  }

  /** Without a word. */
  #end(client: string, session: ModelSession, cleanupMs: number): void {
    if (this.sessions.get(client) === session) this.sessions.delete(client);
    this.#unlist(client, session.node, cleanupMs);
  }

  #unlist(client: string, node: string, cleanupMs: number): void {
    for (const row of this.#rows) {
      const isOf = row.client === client && row.node === node && row.untilMs === Number.POSITIVE_INFINITY;
      if (isOf) row.untilMs = this.nowMs + cleanupMs;
    }
  }

  /** Also in place of a living connection, perhaps on another node. */
  #connect(client: string, clean: boolean): void {
    const before = this.sessions.get(client);
    const node = this.#pick(NODES);
    if (before?.connected === true) {
      const reason = clean ? "discarded" : "takenover";
      this.#event(before.node, client, "disconnected", { reason, connected_at: before.connectedAt });
    }
    if (before !== undefined) this.#unlist(client, before.node, this.#random() < 0.8 ? 0 : this.#upTo(CLEANUP_MAX_MS));
    const filters = clean || before === undefined ? new Map<string, number>() : before.filters;
    const persistent = !clean && this.#random() < 0.8;
    this.sessions.set(client, { node, connected: true, connectedAt: this.nowMs, persistent, filters });
    for (const filter of filters.keys()) {
      this.#rows.push({ node, client, filter, untilMs: Number.POSITIVE_INFINITY });
    }
    this.#event(node, client, "connected", {
      clean_start: clean,
      expiry_interval: persistent ? 7_200_000 : 0,
      connected_at: this.nowMs,
    });
  }

  #event(node: string, clientid: string, name: string, more: object): void {
    const atMs = Math.max(this.nowMs + this.#upTo(EVENT_DELAY_MAX_MS), this.#lastEventMs.get(node) ?? 0);
    this.#lastEventMs.set(node, atMs);
    if (this.#random() < this.loses) return;
    const payload = encoder.encode(JSON.stringify({ clientid, username: "undefined", ts: this.nowMs, ...more }));
    this.#after(atMs - this.nowMs, () => this.#deliver(`$SYS/brokers/${node}/clients/${clientid}/${name}`, payload));
  }

  #after(ms: number, run: () => void): void {
    this.#order += 1;
    this.#due.push({ atMs: this.nowMs + ms, order: this.#order, run });
  }

  #upTo(ms: number): number {
    return Math.floor(this.#random() * ms);
  }

  #pick<T>(from: readonly T[]): T {
    const one = from[Math.floor(this.#random() * from.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }
}
