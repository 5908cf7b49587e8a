/**
 * Stands in for EMQX where none is at hand: an Aedes whose clients have EMQX's sessions, events and REST API, as captured
 * from 5.8.9 (test/captures). MQTT 3.1.1 only. What EMQX does not say, it does not say: nothing when a session ends or
 * expires, no subscriptions of a session that is resumed, no unsubscribe of what is not held.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type Client } from "aedes";
import { EmqxRest } from "./emqx-rest.ts";
import { EmqxSessions } from "./emqx-sessions.ts";

const PERSISTENT_EXPIRY_MS = 7_200_000;
const NODES = ["emqx1@127.0.0.1", "emqx2@127.0.0.1"];

export interface EmqxDoubleOptions {
  readonly nodes?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

interface Connection {
  readonly connectedAt: number;
  readonly clean: boolean;
}

export class EmqxDouble {
  readonly sessions: EmqxSessions;
  readonly rest: EmqxRest;
  /** `sys_topics.sys_event_messages.client_subscribed` and `client_unsubscribed`. */
  announces = true;
  /** Events of these clients get lost on their way: they are QoS 0. */
  readonly losesEventsOf = new Set<string>();
  /** Whether clients may read `$SYS`. */
  sysReadable = true;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<Client, Connection>();
  /** Client id → whether the connection that takes it over starts clean. */
  readonly #takeovers = new Map<string, boolean>();

  private constructor(aedes: Aedes, server: Server, options: EmqxDoubleOptions) {
    this.#aedes = aedes;
    this.#server = server;
    this.sessions = new EmqxSessions(options.nodes ?? NODES);
    const { tls } = options;
    this.rest = new EmqxRest({ rows: () => this.sessions.rows(), ...(tls === undefined ? {} : { tls }) });
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#follow();
  }

  static async start(options: EmqxDoubleOptions = {}): Promise<EmqxDouble> {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const double = new EmqxDouble(aedes, server, options);
    await double.rest.up();
    return double;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** The session of a client that is away is over. Nobody is told. */
  async expire(clientid: string): Promise<void> {
    this.sessions.end(clientid);
    const { persistence } = this.#aedes as unknown as { persistence: { cleanSubscriptions(client: object): unknown } };
    await persistence.cleanSubscriptions({ id: clientid });
  }

  async stop(): Promise<void> {
    await this.rest.down();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #follow(): void {
    const aedes = this.#aedes;
    aedes.preConnect = (_client, packet, done) => {
      const isConnected = [...this.#connections.keys()].some(({ id }) => id === packet.clientId);
      if (isConnected) this.#takeovers.set(packet.clientId, packet.clean === true);
      done(null, true);
    };
    aedes.authorizeSubscribe = (_client, subscription, done) => {
      const isHidden = !this.sysReadable && subscription.topic.startsWith("$SYS/");
      done(null, isHidden ? null : subscription);
    };
    aedes.on("client", (client) => this.#connected(client));
    aedes.on("clientDisconnect", (client) => this.#disconnected(client));
    aedes.on("subscribe", (subscriptions, client) => {
      for (const { topic, qos } of subscriptions) {
        if (Number(qos) >= 128) continue;
        const isNew = this.sessions.subscribe(client.id, topic, qos);
        const subopts = { sub_props: {}, rh: 0, rap: 0, qos, nl: 0, is_new: isNew };
        this.#publish("subscribed", client.id, { ts: Date.now(), topic, subopts, protocol: "mqtt" });
      }
    });
    aedes.on("unsubscribe", (filters, client) => {
      // Aedes clears up behind a clean client with this; EMQX says nothing then.
      if (!this.#connections.has(client)) return;
      for (const topic of filters) {
        if (!this.sessions.unsubscribe(client.id, topic)) continue;
        this.#publish("unsubscribed", client.id, { ts: Date.now(), topic, protocol: "mqtt" });
      }
    });
  }

  #connected(client: Client): void {
    const { id, clean } = client as Client & { readonly clean: boolean };
    this.#takeovers.delete(id);
    const connectedAt = Date.now();
    this.#connections.set(client, { connectedAt, clean });
    this.sessions.open(id, clean);
    this.#publish("connected", id, {
      ts: connectedAt,
      sockport: this.port,
      protocol: "mqtt",
      proto_ver: 4,
      proto_name: "MQTT",
      keepalive: 60,
      ipaddress: "127.0.0.1",
      expiry_interval: clean ? 0 : PERSISTENT_EXPIRY_MS,
      connected_at: connectedAt,
      clean_start: clean,
    });
  }

  #disconnected(client: Client): void {
    const connection = this.#connections.get(client);
    if (connection === undefined) return;
    this.#connections.delete(client);
    const { id } = client;
    const takeover = this.#takeovers.get(id);
    if (connection.clean && takeover !== false) this.sessions.end(id);
    this.#publish("disconnected", id, {
      ts: Date.now(),
      sockport: this.port,
      reason: takeover === undefined ? "tcp_closed" : takeover ? "discarded" : "takenover",
      protocol: "mqtt",
      proto_ver: 4,
      proto_name: "MQTT",
      ipaddress: "127.0.0.1",
      disconnected_at: Date.now(),
      connected_at: connection.connectedAt,
    });
  }

  #publish(event: string, clientid: string, more: object): void {
    const isSubscription = event === "subscribed" || event === "unsubscribed";
    if (this.losesEventsOf.has(clientid) || (isSubscription && !this.announces)) return;
    const topic = `$SYS/brokers/${this.sessions.nodeOf(clientid)}/clients/${clientid}/${event}`;
    const payload = JSON.stringify({ username: "undefined", ...more, clientid });
    this.#aedes.publish({ cmd: "publish", topic, payload, qos: 0, retain: false, dup: false }, () => {});
  }
}
