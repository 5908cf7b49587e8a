/** Live brokers with clients that do things: Mosquitto, Aedes, and one whose "plugin" is the test itself. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import { generate } from "mqtt-packet";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { until } from "../support/until.ts";
import type { World, WorldClient } from "./broker-adapter.ts";
import { EventsWatch } from "./events-watch.ts";
import { LocalMosquitto } from "./local-mosquitto.ts";

export class MqttWorldClient implements WorldClient {
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async connect(
    url: string,
    clientId: string,
    how: { clean: boolean; protocolVersion?: 4 | 5; sessionExpiryInterval?: number },
  ): Promise<MqttWorldClient> {
    const { clean, protocolVersion = 4, sessionExpiryInterval } = how;
    const properties = sessionExpiryInterval === undefined ? {} : { properties: { sessionExpiryInterval } };
    const options = {
      clientId,
      clean,
      protocolVersion,
      reconnectPeriod: 0,
      resubscribe: false,
      ...properties,
    };
    const client = await mqtt.connectAsync(url, options);
    client.on("error", () => {});
    return new MqttWorldClient(client);
  }

  async subscribe(...filters: string[]): Promise<void> {
    await this.#client.subscribeAsync(filters, { qos: 1 });
  }
  async unsubscribe(...filters: string[]): Promise<void> {
    await this.#client.unsubscribeAsync(filters);
  }
  async end(): Promise<void> {
    await this.#client.endAsync();
  }
  async kill(): Promise<void> {
    this.#client.stream.destroy();
    await until("the client is gone", () => !this.#client.connected);
    this.#client.end(true);
  }
}

/** Connects and subscribes by hand, then never writes again. */
export async function silentClient(port: number, clientId: string, filter: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId, keepalive: 1 }),
  );
  socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: filter, qos: 0 }] }));
  socket.resume();
  await until("the silent client is connected", () => !socket.connecting);
  return socket;
}

export class MosquittoWorld implements World {
  readonly broker: LocalMosquitto;
  readonly watch: EventsWatch;

  constructor(broker: LocalMosquitto) {
    this.broker = broker;
    this.watch = new EventsWatch({ kind: "mosquitto", port: broker.port, protocolVersion: 5 });
  }

  static async open(lines: readonly string[] = MOSQUITTO_LINES): Promise<MosquittoWorld> {
    return new MosquittoWorld(await LocalMosquitto.start(lines));
  }

  async connect(id: string, how: { clean: boolean }): Promise<WorldClient> {
    return MqttWorldClient.connect(this.broker.url, id, how);
  }
  async connectSilent(id: string, filter: string): Promise<void> {
    await silentClient(this.broker.port, id, filter);
  }
  async stop(): Promise<void> {
    await this.broker.stop();
  }
}

export class AedesWorld implements World {
  readonly watch: EventsWatch;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #port: number;

  private constructor(aedes: Aedes, server: Server, port: number) {
    this.#aedes = aedes;
    this.#server = server;
    this.#port = port;
    this.watch = new EventsWatch({ kind: "aedes", port, protocolVersion: 4 });
  }

  static async open(): Promise<AedesWorld> {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new AedesWorld(aedes, server, address.port);
  }

  async connect(id: string, how: { clean: boolean }): Promise<WorldClient> {
    return MqttWorldClient.connect(`mqtt://127.0.0.1:${this.#port}`, id, how);
  }
  async connectSilent(id: string, filter: string): Promise<void> {
    await silentClient(this.#port, id, filter);
  }
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    this.#server.close();
  }
}

/** EMQX's semantics on paper: sessions here, their events as JSON on a plain Mosquitto. */
export class EventsWorld implements World {
  readonly watch: EventsWatch;
  readonly #broker: LocalMosquitto;
  readonly #plugin: MqttClient;
  readonly #connections = new Map<string, symbol>();

  private constructor(broker: LocalMosquitto, plugin: MqttClient) {
    this.#broker = broker;
    this.#plugin = plugin;
    this.watch = new EventsWatch({
      kind: "events",
      port: broker.port,
      protocolVersion: 5,
      eventsTopic: "plugin/events/#",
    });
  }

  static async open(): Promise<EventsWorld> {
    const broker = await LocalMosquitto.start(["log_dest stderr"]);
    return new EventsWorld(broker, await mqtt.connectAsync(broker.url, { clientId: "plugin", protocolVersion: 5 }));
  }

  async #publish(event: string, clientid: string, more: object = {}): Promise<void> {
    await this.#plugin.publishAsync(`plugin/events/${event}`, JSON.stringify({ clientid, ...more }), {
      qos: 1,
    });
  }

  async connect(id: string, how: { clean: boolean }): Promise<WorldClient> {
    const connection = Symbol(id);
    if (this.#connections.has(id)) {
      await this.#publish("disconnected", id, { reason: how.clean ? "discarded" : "takenover" });
    }
    this.#connections.set(id, connection);
    const expiry = how.clean ? 0 : 7_200_000;
    await this.#publish("connected", id, { clean_start: how.clean, expiry_interval: expiry });
    const end = async (reason: string): Promise<void> => {
      if (this.#connections.get(id) !== connection) return;
      this.#connections.delete(id);
      await this.#publish("disconnected", id, { reason });
    };
    return {
      subscribe: async (...filters) => {
        for (const topic of filters) await this.#publish("subscribed", id, { topic, subopts: { qos: 1 } });
      },
      unsubscribe: async (...filters) => {
        for (const topic of filters) await this.#publish("unsubscribed", id, { topic });
      },
      end: () => end("normal"),
      kill: () => end("tcp_closed"),
    };
  }

  async connectSilent(id: string, filter: string): Promise<void> {
    const client = await this.connect(id, { clean: true });
    await client.subscribe(filter);
    await client.kill();
  }

  async stop(): Promise<void> {
    await this.#plugin.endAsync();
    await this.#broker.stop();
  }
}
