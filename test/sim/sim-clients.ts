/** The clients of one cluster: they subscribe, vanish, come back, are taken over, and tell the oracle what they got. */
import type { Interest, Oracle, Published } from "./oracle.ts";
import type { Prng } from "./prng.ts";
import type { Delivery, SimBroker } from "./sim-broker.ts";

/** Names a message whose payload does not. */
export const ID_PROPERTY = "id";

/** Share of the clients that stay: to them everything is owed, whatever goes wrong. */
const LOYAL = 0.4;

interface Client {
  readonly filter: string;
  readonly persistent: boolean;
  /** Whether the broker's events say what becomes of its session. */
  readonly tellsEnd: boolean;
  readonly interest: Interest;
  /** Stays as it is through a stretch of trouble. */
  loyal: boolean;
}

export class SimClients {
  readonly #cluster: string;
  readonly #broker: SimBroker;
  readonly #oracle: Oracle;
  readonly #random: Prng;
  readonly #known: (id: string) => Published | undefined;
  readonly #clients = new Map<string, Client>();
  readonly #away = new Set<string>();
  /** Filters of clean clients that lost their connection and mean to come back. */
  readonly #gone = new Map<string, string>();
  #number = 0;

  constructor(
    cluster: string,
    broker: SimBroker,
    oracle: Oracle,
    random: Prng,
    known: (id: string) => Published | undefined,
  ) {
    this.#cluster = cluster;
    this.#broker = broker;
    this.#oracle = oracle;
    this.#random = random;
    this.#known = known;
  }

  get size(): number {
    return this.#clients.size;
  }

  get filters(): string[] {
    return [...this.#clients.values()].map(({ filter }) => filter);
  }

  subscribe(): void {
    if (!this.#broker.up) return;
    const random = this.#random;
    this.#number += 1;
    this.#join(`client-${this.#cluster}-${this.#number}`, this.#filter(), random.chance(0.3), random.chance(0.7));
  }

  unsubscribe(name: string = this.#anybody()): void {
    const client = this.#clients.get(name);
    if (client === undefined || !this.#broker.up) return;
    this.#leave(name, client);
    this.#broker.unsubscribe(name, client.filter);
    if (this.#away.delete(name)) {
      this.#broker.expire(name);
      return;
    }
    this.#broker.disconnect(name);
    if (client.persistent) this.#broker.expire(name);
  }

  unsubscribeAll(): void {
    this.#gone.clear();
    for (const name of [...this.#clients.keys()]) this.unsubscribe(name);
  }

  /** The connection ends without a word; a persistent session stays, for a while or until the client is back. */
  vanish(): void {
    const name = this.#anybody();
    const client = this.#clients.get(name);
    if (client === undefined || this.#away.has(name) || !this.#broker.up) return;
    this.#broker.disconnect(name);
    if (client.persistent) {
      this.#away.add(name);
      return;
    }
    this.#leave(name, client);
    this.#gone.set(name, client.filter);
  }

  /** Whoever is away comes back; a persistent session that is still there gets what was kept for it. */
  return(): void {
    if (!this.#broker.up) return;
    for (const [name, filter] of this.#gone) this.#join(name, filter, false, true);
    this.#gone.clear();
    for (const name of this.#away) {
      const client = this.#clients.get(name);
      if (client !== undefined) this.#attach(name, client, false);
    }
    this.#away.clear();
  }

  /** Another client takes the name: resumes the session, or starts a new one with another filter. */
  takeover(): void {
    const name = this.#anybody();
    const client = this.#clients.get(name);
    if (client === undefined || !this.#broker.up) return;
    this.#away.delete(name);
    if (client.persistent && this.#random.chance(0.5)) {
      this.#attach(name, client, false);
      return;
    }
    this.#leave(name, client);
    this.#join(name, this.#filter(), client.persistent, client.tellsEnd);
  }

  /** Nobody stays for ever. */
  release(): void {
    for (const client of this.#clients.values()) if (this.#random.chance(0.5)) client.loyal = false;
  }

  /** A client subscribes what it holds already: nothing changes, and everything is said anew. */
  repeat(): void {
    if (!this.#broker.up) return;
    for (const [name, { filter }] of this.#clients) if (!this.#away.has(name)) this.#broker.subscribe(name, filter);
  }

  brokerDown(keep: boolean): void {
    for (const [name, client] of [...this.#clients]) {
      if (keep && client.persistent) {
        this.#away.add(name);
        continue;
      }
      this.#away.delete(name);
      this.#leave(name, client);
      this.#gone.set(name, client.filter);
    }
  }

  #join(name: string, filter: string, persistent: boolean, tellsEnd: boolean): void {
    const interest = this.#oracle.subscribed(this.#cluster, name, filter);
    const client: Client = { filter, persistent, tellsEnd, interest, loyal: this.#random.chance(LOYAL) };
    this.#clients.set(name, client);
    this.#attach(name, client, true);
    this.#broker.subscribe(name, filter);
  }

  #attach(name: string, client: Client, cleanStart: boolean): void {
    const session = this.#broker.connect(name, client.persistent, cleanStart, client.tellsEnd);
    this.#broker.attach(session, (delivery) => {
      const message = this.#known(idOf(delivery));
      if (message !== undefined && message.cluster !== this.#cluster)
        this.#oracle.received(client.interest, name, message);
    });
  }

  #leave(name: string, client: Client): void {
    this.#clients.delete(name);
    this.#oracle.unsubscribed(client.interest);
  }

  #anybody(): string {
    const fickle = [...this.#clients].filter(([, { loyal }]) => !loyal);
    return this.#random.pick([...fickle, [""] as const])[0];
  }

  #filter(): string {
    const random = this.#random;
    // Long ones fill batches: what belongs together then travels in several messages.
    if (random.chance(0.35)) return `t/${random.int(1, 3)}/${"long".repeat(25)}${random.int(1, 99)}`;
    return random.pick([
      "t/#",
      "#",
      "t/+/1",
      "t/1/+",
      "+/1/1",
      "t/2/#",
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `$share/g/t/${random.int(1, 3)}/#`,
      "$share/h/t/1/+",
      `deep/${"level/".repeat(random.int(1, 19))}${random.int(1, 500)}`,
      `deep/${"level/".repeat(30)}${random.int(1, 9)}`,
      "$SYS/broker/load/#",
    ]);
  }
}

export function idOf(message: Pick<Delivery, "payload" | "properties">): string {
  const named = message.properties?.userProperties?.find(([key]) => key === ID_PROPERTY);
  return named?.[1] ?? new TextDecoder().decode(message.payload);
}
