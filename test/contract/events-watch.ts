/** An adapter on a live `-events` session, made with mqtt.js alone, and the table that its events amount to. */
import mqtt, { type MqttClient } from "mqtt";
import type { BrokerAdapter, EventsSession } from "../../src/broker/adapter.ts";
import type { EmqxApiOptions } from "../../src/broker/emqx.ts";
import { createAdapter } from "../../src/broker/registry.ts";
import type { BrokerKind } from "../../src/config/types.ts";
import type { InterestEvent } from "../../src/route/interest-event.ts";
import { brief, Recorder } from "../broker/recorder.ts";
import { RowTable } from "../broker/row-table.ts";
import { until } from "../support/until.ts";

export interface WatchOptions {
  readonly kind: BrokerKind;
  readonly port: number;
  readonly protocolVersion: 4 | 5;
  readonly eventsTopic?: string;
  readonly filters?: readonly string[];
  readonly api?: EmqxApiOptions;
}

const CLIENT_ID = "brokerlink-a-events";
const TICK_MS = 20;

class TableSink extends Recorder {
  readonly table = new RowTable();
  override event(event: InterestEvent): void {
    super.event(event);
    this.table.apply(event);
  }
}

export class EventsWatch {
  readonly sink = new TableSink();
  readonly adapter: BrokerAdapter;
  readonly #options: WatchOptions;
  #client: MqttClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #downMs: number | null = null;
  #uptimeS = -1;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.adapter = createAdapter(options.kind, {
      cluster: "a",
      controlPrefix: "$LINK",
      sink: this.sink,
      random: Math.random,
      eventsTopic: options.eventsTopic ?? null,
      filters: options.filters ?? [],
      api: options.api ?? null,
    });
  }

  /** Connects, or connects again, and waits for the broker's answer to the probe. */
  async up(): Promise<void> {
    const { port, protocolVersion } = this.#options;
    const client = mqtt.connect({
      host: "127.0.0.1",
      port,
      protocolVersion,
      clientId: CLIENT_ID,
      clean: false,
      reconnectPeriod: 0,
      resubscribe: false,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    });
    this.#client = client;
    client.on("error", () => {});
    client.on("message", (topic, payload, packet) => {
      if (topic === "$SYS/broker/uptime") this.#uptimeS = Number.parseInt(payload.toString(), 10);
      this.adapter.message(topic, payload, packet.retain, Date.now());
    });
    client.on("connect", ({ sessionPresent }) => {
      const awayMs = this.#downMs === null ? null : Date.now() - this.#downMs;
      this.adapter.up(sessionOf(client), { sessionPresent, awayMs }, Date.now());
    });
    this.#timer ??= setInterval(() => {
      if (Date.now() >= this.adapter.deadlineMs) this.adapter.tick(Date.now());
    }, TICK_MS);
    await until("the events session is connected", () => client.connected);
  }

  /** The connection breaks without a word. */
  async drop(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    client.stream.destroy();
    await until("the events session is gone", () => !client.connected);
    client.end(true);
    this.#client = null;
    this.#downMs = Date.now();
    this.adapter.down(Date.now());
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.drop();
  }

  get port(): number {
    return this.#options.port;
  }

  /** What the broker said last; -1: nothing yet. */
  get uptimeS(): number {
    return this.#uptimeS;
  }

  async answered(enabled = true): Promise<void> {
    await this.event(enabled ? "enabled" : "disabled");
  }

  /** Waits for an event that looks like this in short (see `brief`). */
  async event(text: string): Promise<void> {
    await until(`the event "${text}"`, () => this.texts().includes(text) || this.texts().slice(-20).join(", "));
  }

  texts(): string[] {
    return this.sink.events.map(brief);
  }

  /** What other clients hold according to the adapter, as sorted `client filter` texts. */
  rows(): string[] {
    return this.sink.table.list(CLIENT_ID);
  }

  ownRows(): number {
    return this.sink.table.list().length - this.rows().length;
  }

  async settles(expected: readonly string[]): Promise<void> {
    const wanted = [...expected].sort().join("; ");
    await until(`the rows ${wanted}`, () => this.rows().join("; ") === wanted || this.rows().join("; "));
  }
}

function sessionOf(client: MqttClient): EventsSession {
  return {
    clientId: CLIENT_ID,
    subscribe(filters, qos, granted): void {
      client.subscribe([...filters], { qos }, (_error, _grants, packet) => {
        granted(packet === undefined ? null : packet.granted.map(Number));
      });
    },
    unsubscribe(filters, done): void {
      client.unsubscribe([...filters], (_error, packet) => {
        done(packet === undefined ? null : filters.map(() => 0));
      });
    },
  };
}
