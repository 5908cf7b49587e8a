/**
 * Clients that come back: publishers that note what their broker accepted, and a subscriber with a persistent session that
 * notes what arrives. Neither sends anything twice, so every duplicate is the link's.
 */
import mqtt, { type MqttClient } from "mqtt";
import type { History } from "./history.ts";

const RETRY_MS = 100;
/** Publishes under way: a publisher that waits for each PUBACK would only measure round trips. */
const UNDER_WAY_MAX = 50;
const TICK_MS = 5;

/** Connects again and again until it is told to end; `connected` is called with each new client. */
class Returning {
  readonly #url: string;
  readonly #id: string;
  readonly #clean: boolean;
  readonly #connected: (client: MqttClient) => void;
  #client: MqttClient | null = null;
  #ended = false;

  constructor(url: string, id: string, clean: boolean, connected: (client: MqttClient) => void) {
    this.#url = url;
    this.#id = id;
    this.#clean = clean;
    this.#connected = connected;
    this.#connect();
  }

  end(): void {
    this.#ended = true;
    this.#client?.end(true);
  }

  #connect(): void {
    if (this.#ended) return;
    const client = mqtt.connect(this.#url, {
      clientId: this.#id,
      clean: this.#clean,
      protocolVersion: 4,
      reconnectPeriod: 0,
      keepalive: 10,
      resubscribe: false,
    });
    this.#client = client;
    client.on("error", () => {});
    client.once("connect", () => this.#connected(client));
    client.once("close", () => {
      client.end(true);
      setTimeout(() => this.#connect(), RETRY_MS);
    });
  }
}

export class Publisher {
  readonly #history: History;
  readonly #topic: string;
  readonly #padding: string;
  readonly #connection: Returning;
  readonly #timer: NodeJS.Timeout;
  #client: MqttClient | null = null;
  #number = 0;
  readonly #underWay = new Set<number>();

  /** `perSecond`: what it publishes while its broker takes it; what a broker's absence leaves out is not made up for. */
  constructor(url: string, topic: string, perSecond: number, payloadBytes: number, history: History) {
    this.#history = history;
    this.#topic = topic;
    this.#padding = "x".repeat(payloadBytes);
    this.#connection = new Returning(url, `publisher-${topic.replaceAll("/", "-")}`, true, (client) => {
      this.#client = client;
      client.once("close", () => this.#lost(client));
    });
    let due = 0;
    let lastMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      due = Math.min(due + ((nowMs - lastMs) / 1_000) * perSecond, perSecond / 10 + 1);
      lastMs = nowMs;
      while (due >= 1 && this.#client !== null && this.#underWay.size < UNDER_WAY_MAX) {
        due -= 1;
        this.#publish(this.#client);
      }
    }, TICK_MS);
  }

  get published(): number {
    return this.#number;
  }

  /** Publishes nothing more; resolves when all that is under way is answered or in doubt. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const endMs = Date.now() + 10_000;
    while (this.#underWay.size > 0 && Date.now() < endMs) await new Promise((again) => setTimeout(again, TICK_MS));
    this.#connection.end();
    for (const number of this.#underWay) this.#history.unsure(this.#topic, number);
    this.#underWay.clear();
  }

  #publish(client: MqttClient): void {
    this.#number += 1;
    const number = this.#number;
    this.#underWay.add(number);
    client.publish(this.#topic, `${number} ${this.#padding}`, { qos: 1 }, (error) => {
      if (!this.#underWay.delete(number)) return;
      if (error === undefined || error === null) this.#history.accepted(this.#topic, number, performance.now());
      else this.#history.unsure(this.#topic, number);
    });
  }

  #lost(client: MqttClient): void {
    if (this.#client === client) this.#client = null;
    for (const number of this.#underWay) this.#history.unsure(this.#topic, number);
    this.#underWay.clear();
  }
}

export class Subscriber {
  readonly #connection: Returning;
  #subscribed = false;
  #arrivals = 0;

  /** `takesPerSecond`: how fast it can be; null: as fast as it is. */
  constructor(url: string, id: string, filter: string, history: History, takesPerSecond: number | null = null) {
    let freeAtMs = 0;
    this.#connection = new Returning(url, id, false, (client) => {
      client.on("message", (topic, payload) => {
        this.#arrivals += 1;
        history.delivered(topic, Number.parseInt(payload.toString("latin1", 0, 16), 10), performance.now());
      });
      if (takesPerSecond !== null) {
        // The PUBACK waits its turn: a slow device, whose broker keeps what it has not taken.
        const take = client.handleMessage.bind(client);
        client.handleMessage = (packet, done) => {
          freeAtMs = Math.max(freeAtMs, performance.now()) + 1_000 / takesPerSecond;
          const waitMs = freeAtMs - performance.now();
          if (waitMs < 2) take(packet, done);
          else setTimeout(() => take(packet, done), waitMs);
        };
      }
      client.subscribe(filter, { qos: 1 }, (error) => {
        if (error === null || error === undefined) this.#subscribed = true;
      });
    });
  }

  get subscribed(): boolean {
    return this.#subscribed;
  }

  get arrivals(): number {
    return this.#arrivals;
  }

  end(): void {
    this.#connection.end();
  }
}
