/**
 * One site of the demo: an embedded Aedes broker on a free port of loopback, the agent beside it, and its clients. Counts
 * at the broker itself what its own clients publish and what arrives through the agent: a witness of its own.
 */
import { type AddressInfo, createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { Agent } from "../agent/agent.ts";
import { sessionClientId } from "../agent/local-broker.ts";
import { assert } from "../base/assert.ts";
import { loadConfig } from "../config/load.ts";
import { createLogger } from "../ops/log.ts";
import { DemoClient } from "./demo-client.ts";
import { LogTail } from "./log-tail.ts";

/** Nothing of the demo is worth waiting for at its end. */
const DRAIN_MS = 0;

export interface LinkTo {
  readonly peer: string;
  readonly server: string;
  readonly topics: readonly string[];
}

export class DemoCluster {
  readonly name: string;
  readonly log = new LogTail();
  readonly clients: DemoClient[] = [];
  readonly #broker: Aedes;
  readonly #server: Server;
  readonly #dataClientId: string;
  #agent: Agent | null = null;
  #published = 0;
  #arrived = 0;

  private constructor(name: string, broker: Aedes) {
    this.name = name;
    this.#broker = broker;
    this.#server = createServer((socket) => {
      socket.setNoDelay(true);
      broker.handle(socket);
    });
    this.#dataClientId = sessionClientId(`brokerlink-${name}`, "data");
    broker.on("publish", ({ topic }, client) => {
      // Events of the broker itself have no client; what agents say to each other is no message.
      if (client === null || topic.startsWith("$")) return;
      if (client.id === this.#dataClientId) this.#arrived += 1;
      else this.#published += 1;
    });
  }

  /** Starts the broker; its agent comes with `link`. */
  static async start(name: string): Promise<DemoCluster> {
    const cluster = new DemoCluster(name, await Aedes.createBroker());
    await new Promise<void>((resolve, reject) => {
      cluster.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return cluster;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Messages that this broker's own clients published. */
  get published(): number {
    return this.#published;
  }

  /** Messages that came to this broker over the link. */
  get arrived(): number {
    return this.#arrived;
  }

  get agent(): Agent {
    assert(this.#agent !== null, `the agent of ${this.name} runs`);
    return this.#agent;
  }

  /** Starts the agent, configured as a file would. It is there before any client, so it knows them all. */
  link({ peer, server, topics }: LinkTo): void {
    const text = JSON.stringify({
      cluster: this.name,
      local: { server: this.url, broker: "aedes", protocol_version: 4, interest_at_start: "none" },
      links: [{ name: peer, server, topics, protocol_version: 4 }],
    });
    const readFile = (path: string): string => {
      throw new Error(`the demo's configuration names no file, and ${path} was asked for`);
    };
    const file = { path: `${this.name}.json`, text };
    const loaded = loadConfig({ file, env: {}, flags: {}, readFile, pathKind: () => null });
    assert(loaded.ok, `the demo's configuration is refused: ${JSON.stringify(loaded)}`);
    this.#agent = new Agent(loaded.config, createLogger("info", this.name, this.log));
    this.#agent.start();
  }

  async client(name: string): Promise<DemoClient> {
    const client = await DemoClient.connect(name, this.url);
    this.clients.push(client);
    return client;
  }

  /** What the peer's clients want of this cluster, as its agent knows it. */
  routesIn(peer: string): readonly string[] {
    const link = this.#agent?.hub.link(peer);
    return link === undefined ? [] : [...link.conversation.acceptor.routes.effective()].sort();
  }

  /** What this cluster's clients want of the peer, as its agent announces it. */
  routesOut(peer: string): readonly string[] {
    const link = this.#agent?.hub.link(peer);
    return link === undefined ? [] : [...link.routes.routes()].map(({ filter }) => filter).sort();
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.end()));
    await this.#agent?.stop(DRAIN_MS);
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()));
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
