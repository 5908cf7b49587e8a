/**
 * The sessions of an EMQX on paper: who holds what, on which node. Rows are listed node by node, each node's by filter and
 * then by connection, as EMQX's table has them.
 */
export interface SessionRow {
  readonly clientid: string;
  readonly topic: string;
  readonly qos: number;
  readonly node: string;
}

interface Session {
  readonly node: string;
  /** Filter → granted QoS. */
  readonly filters: Map<string, number>;
}

export class EmqxSessions {
  readonly #nodes: readonly string[];
  readonly #sessions = new Map<string, Session>();
  /** Rows of no session, to make the list long. */
  #padding: readonly SessionRow[] = [];

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
  }

  nodeOf(clientid: string): string {
    let sum = 0;
    for (const unit of clientid) sum += unit.codePointAt(0) ?? 0;
    return this.#nodes[sum % this.#nodes.length] ?? "";
  }

  open(clientid: string, clean: boolean): void {
    if (clean) this.#sessions.delete(clientid);
    if (!this.#sessions.has(clientid)) {
      this.#sessions.set(clientid, { node: this.nodeOf(clientid), filters: new Map() });
    }
  }

  end(clientid: string): void {
    this.#sessions.delete(clientid);
  }

  /** Answers whether the row is new. */
  subscribe(clientid: string, filter: string, qos: number): boolean {
    const filters = this.#sessions.get(clientid)?.filters;
    const isNew = filters?.has(filter) === false;
    filters?.set(filter, qos);
    return isNew;
  }

  /** Answers whether there was one. */
  unsubscribe(clientid: string, filter: string): boolean {
    return this.#sessions.get(clientid)?.filters.delete(filter) === true;
  }

  pad(count: number): void {
    this.#padding = Array.from({ length: count }, (_, index) => ({
      clientid: `padding-${index % 1_000}`,
      topic: `padding/${index}`,
      qos: 1,
      node: this.#nodes[index % this.#nodes.length] ?? "",
    }));
  }

  rows(): SessionRow[] {
    const all: SessionRow[] = [...this.#padding];
    for (const [clientid, { node, filters }] of this.#sessions) {
      for (const [topic, qos] of filters) all.push({ clientid, topic, qos, node });
    }
    const place = (row: SessionRow): string => `${this.#nodes.indexOf(row.node)} ${row.topic}`;
    return all.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  }
}
