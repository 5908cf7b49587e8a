/** Linked clusters for tests: each a Mosquitto with its agent, all on loopback, all gone when the test is. */
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { type ClientOptions, TestClient } from "./test-client.ts";

/** What the agent asks for in its log, and no Nagle. Nothing is dropped in a queue of that size: what is missing an agent lost. */
export const EVENT_LINES: readonly string[] = [...MOSQUITTO_LINES, "set_tcp_nodelay true"];

/** The same with queues of so many messages for each client. */
export function linesWithQueue(messages: number): readonly string[] {
  return EVENT_LINES.map((line) => (line.startsWith("max_queued_messages") ? `max_queued_messages ${messages}` : line));
}

/** A cluster: broker, agent, and the clients a test connects to it. */
export class Site {
  readonly name: string;
  readonly broker: LocalMosquitto;
  #agent: AgentProcess | null = null;
  readonly #clients: TestClient[] = [];

  constructor(name: string, broker: LocalMosquitto) {
    this.name = name;
    this.broker = broker;
  }

  static async open(name: string, lines = EVENT_LINES, files: Readonly<Record<string, string>> = {}): Promise<Site> {
    return new Site(name, await LocalMosquitto.start(lines, files));
  }

  get agent(): AgentProcess {
    if (this.#agent === null) throw new Error(`cluster ${this.name} has no agent yet`);
    return this.#agent;
  }

  set agent(agent: AgentProcess) {
    this.#agent = agent;
  }

  async client(options: ClientOptions = {}): Promise<TestClient> {
    const client = await TestClient.connect(this.broker.url, options);
    this.#clients.push(client);
    return client;
  }

  /** Ends what tests left connected, so that the next one starts from an empty broker. */
  async endClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map(({ client }) => client.endAsync(true)));
  }

  async close(): Promise<void> {
    await this.endClients();
    await this.#agent?.dispose();
    await this.broker.stop();
  }

  /** For the message of a failure. */
  tail(count: number): string {
    const agent = this.#agent === null ? "" : `--- agent ${this.name}\n${this.#agent.log.tail(count)}\n`;
    return `${agent}--- broker ${this.name}\n${this.broker.log.tail(count)}`;
  }
}

export interface PairOptions {
  /** What A wants to receive from B, and B from A. */
  readonly aWants?: readonly string[];
  readonly bWants?: readonly string[];
  readonly aLines?: readonly string[];
  readonly bLines?: readonly string[];
  /** In place of the other broker's own address; null: the peer dials in. */
  readonly aDials?: (b: Site) => Promise<string | null> | string | null;
  readonly bDials?: (a: Site) => Promise<string | null> | string | null;
  /** What flags cannot say. */
  readonly aConfig?: Readonly<Record<string, unknown>>;
  readonly bConfig?: Readonly<Record<string, unknown>>;
  /** Do not wait for links and exact interest. */
  readonly early?: boolean;
}

/** Two clusters, `a` and `b`, linked and exact. */
export class Pair {
  readonly a: Site;
  readonly b: Site;

  private constructor(a: Site, b: Site) {
    this.a = a;
    this.b = b;
  }

  static async open(options: PairOptions = {}): Promise<Pair> {
    const { aWants = ["#"], bWants = ["#"], aLines = EVENT_LINES, bLines = EVENT_LINES } = options;
    const a = await Site.open("a", aLines);
    const b = await Site.open("b", bLines).catch(async (error: unknown) => {
      await a.close();
      throw error;
    });
    const pair = new Pair(a, b);
    try {
      const aDials = options.aDials === undefined ? b.broker.url : await options.aDials(b);
      const bDials = options.bDials === undefined ? a.broker.url : await options.bDials(a);
      a.agent = new AgentProcess({
        cluster: "a",
        local: a.broker.url,
        links: { b: aDials },
        topics: aWants.length === 0 ? {} : { b: aWants },
        config: options.aConfig ?? {},
      });
      b.agent = new AgentProcess({
        cluster: "b",
        local: b.broker.url,
        links: { a: bDials },
        topics: bWants.length === 0 ? {} : { a: bWants },
        config: options.bConfig ?? {},
      });
      await Promise.all([a.agent.start(), b.agent.start()]);
      if (options.early !== true) await pair.ready();
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  /** Both halves work, both interests are proven complete, and what that changed has settled. */
  async ready(): Promise<void> {
    try {
      await Promise.all([this.a.agent.linked("b"), this.b.agent.linked("a")]);
      await Promise.all([this.a.agent.exact(), this.b.agent.exact()]);
      await this.settled();
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.a.tail(60)}\n${this.b.tail(60)}`);
    }
  }

  /** Every announced route is applied on the other side and subscribed there. */
  async settled(): Promise<void> {
    await until("routes settle", async () => {
      const [a, b] = await Promise.all([this.a.agent.status(), this.b.agent.status()]);
      const [atA, atB] = [a.hub.links[0], b.hub.links[0]];
      if (atA === undefined || atB === undefined) return "no links";
      const state = {
        a: [atA.out.lastOp, atA.out.ackedOp, atB.in.appliedOp, b.hub.demand.pending],
        b: [atB.out.lastOp, atB.out.ackedOp, atA.in.appliedOp, a.hub.demand.pending],
      };
      const same = ([last, acked, applied, pending]: readonly number[]): boolean =>
        last === acked && last === applied && pending === 0;
      return (same(state.a) && same(state.b)) || JSON.stringify(state);
    });
  }

  async endClients(): Promise<void> {
    await Promise.all([this.a.endClients(), this.b.endClients()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.a.close(), this.b.close()]);
  }
}
