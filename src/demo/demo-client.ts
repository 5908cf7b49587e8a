/** One ordinary MQTT client of the demo: it knows its broker and nothing of any link. */
import { connectAsync, type MqttClient } from "mqtt";

/** What a client keeps of what it received: far more than any step sends. */
const INBOX_MAX = 5_000;

export interface Received {
  readonly topic: string;
  readonly text: string;
}

export class DemoClient {
  readonly name: string;
  readonly #client: MqttClient;
  readonly #filters = new Set<string>();
  #inbox: Received[] = [];
  #received = 0;
  #onMessage: ((message: Received) => void) | null = null;

  private constructor(name: string, client: MqttClient) {
    this.name = name;
    this.#client = client;
    client.on("message", (topic, payload) => this.#take({ topic, text: payload.toString("utf8") }));
    // The demo ends its clients itself; a broker that vanishes shows up as a step that fails.
    client.on("error", () => {});
  }

  static async connect(name: string, url: string): Promise<DemoClient> {
    const options = { clientId: name, protocolVersion: 4, clean: true, reconnectPeriod: 0 } as const;
    return new DemoClient(name, await connectAsync(url, options));
  }

  get filters(): readonly string[] {
    return [...this.#filters];
  }

  /** How many messages came in all. */
  get received(): number {
    return this.#received;
  }

  /** What came since the last `forget`, oldest first. */
  get inbox(): readonly Received[] {
    return this.#inbox;
  }

  forget(): void {
    this.#inbox = [];
  }

  /** Messages on one topic since the last `forget`. */
  copies(topic: string): number {
    return this.#inbox.filter((message) => message.topic === topic).length;
  }

  /** Calls back for each message, after it has been put into the inbox. */
  answer(onMessage: (message: Received) => void): void {
    this.#onMessage = onMessage;
  }

  /** Resolves at the SUBACK. */
  async subscribe(filter: string): Promise<void> {
    this.#filters.add(filter);
    await this.#client.subscribeAsync(filter, { qos: 1 });
  }

  /** Resolves at the UNSUBACK. */
  async unsubscribe(filter: string): Promise<void> {
    this.#filters.delete(filter);
    await this.#client.unsubscribeAsync(filter);
  }

  /** QoS 1; resolves at the PUBACK. */
  async publish(topic: string, text: string): Promise<void> {
    await this.#client.publishAsync(topic, text, { qos: 1 });
  }

  /** QoS 0: gone when it is written. */
  tell(topic: string, text: string): void {
    if (this.#client.connected) this.#client.publish(topic, text, { qos: 0 });
  }

  async end(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #take(message: Received): void {
    this.#received += 1;
    this.#inbox.push(message);
    if (this.#inbox.length > INBOX_MAX) this.#inbox.shift();
    this.#onMessage?.(message);
  }
}
