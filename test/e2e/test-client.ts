/** An ordinary client of a broker, as users' devices are: it keeps what it receives, and waits for what it is told to expect. */
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from "mqtt";
import { until } from "../support/until.ts";

export type Properties = NonNullable<IClientPublishOptions["properties"]>;

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties;
}

export interface ClientOptions {
  readonly id?: string;
  readonly version?: 4 | 5;
  readonly clean?: boolean;
  /** Session expiry in seconds, MQTT 5 only. */
  readonly expirySeconds?: number;
  readonly more?: IClientOptions;
}

/** Payloads that begin so are answers to "does it cross yet?" and no test's own. */
const PROBE = "crosses?";
const PROBE_EVERY_MS = 15;
let clients = 0;

export class TestClient {
  readonly id: string;
  readonly client: MqttClient;
  /** Everything but probes, in order. */
  readonly received: Received[] = [];
  readonly #probes = new Set<string>();
  #onMessage: ((message: Received) => void) | null = null;

  private constructor(id: string, client: MqttClient) {
    this.id = id;
    this.client = client;
    client.on("error", () => {});
    client.on("message", (topic, payload, packet) => {
      const text = payload.toString("utf8");
      if (text.startsWith(PROBE)) {
        this.#probes.add(text);
        return;
      }
      const { qos, retain, dup } = packet;
      const message = { topic, text, payload, qos, retain, dup, properties: packet.properties ?? {} };
      this.received.push(message);
      this.#onMessage?.(message);
    });
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<TestClient> {
    clients += 1;
    const { id = `client-${clients}`, version = 5, clean = true, expirySeconds, more = {} } = options;
    const properties = expirySeconds === undefined ? {} : { properties: { sessionExpiryInterval: expirySeconds } };
    const client = mqtt.connect(url, {
      clientId: id,
      protocolVersion: version,
      clean,
      reconnectPeriod: 0,
      resubscribe: false,
      ...properties,
      ...more,
    });
    const result = new TestClient(id, client);
    await new Promise<void>((resolve, reject) => {
      client.once("connect", () => resolve());
      client.once("error", reject);
      client.once("close", () => reject(new Error(`${url} closed the connection of ${id}`)));
    });
    return result;
  }

  /** Resolves with the broker's SUBACK. */
  async subscribe(filters: string | readonly string[], qos: 0 | 1 | 2 = 1): Promise<void> {
    await this.client.subscribeAsync([filters].flat(), { qos });
  }

  async unsubscribe(filters: string | readonly string[]): Promise<void> {
    await this.client.unsubscribeAsync([filters].flat());
  }

  /** Resolves when the broker has taken it. */
  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, ...options });
  }

  onMessage(handler: (message: Received) => void): void {
    this.#onMessage = handler;
  }

  texts(topic?: string): string[] {
    return this.received.filter((message) => topic === undefined || message.topic === topic).map(({ text }) => text);
  }

  /** Waits for a payload and answers the message. */
  async arrival(text: string, timeoutMs = 10_000): Promise<Received> {
    await until(
      `${text} arrives at ${this.id}`,
      () => this.texts().includes(text) || `${this.received.length} messages, last ${this.texts().slice(-5)}`,
      timeoutMs,
    );
    const message = this.received.find((candidate) => candidate.text === text);
    if (message === undefined) throw new Error("unreachable: it was there");
    return message;
  }

  /** Publishes probes on `topic` until one reaches `subscriber`: from here on the route stands. */
  async reaches(subscriber: TestClient, topic: string, timeoutMs = 15_000): Promise<void> {
    let sent = 0;
    let lastMs = 0;
    const stem = `${PROBE} ${this.id} ${topic} `;
    await until(
      `what ${this.id} publishes on ${topic} reaches ${subscriber.id}`,
      async () => {
        if ([...subscriber.#probes].some((text) => text.startsWith(stem))) return true;
        if (Date.now() - lastMs >= PROBE_EVERY_MS) {
          lastMs = Date.now();
          sent += 1;
          await this.publish(topic, `${stem}${sent}`);
        }
        return `${sent} probes sent`;
      },
      timeoutMs,
    );
  }

  /** A DISCONNECT, then the socket. */
  async end(): Promise<void> {
    await this.client.endAsync();
  }

  /** The socket goes without a word. */
  async vanish(): Promise<void> {
    this.client.stream.destroy();
    await until(`${this.id} is gone`, () => !this.client.connected);
    this.client.end(true);
  }
}
