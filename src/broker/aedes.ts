/**
 * The adapter for Aedes: reads the JSON events that every Aedes publishes below `$SYS/<broker id>/`.
 *
 * Aedes has no counters and sends its events at QoS 0: every reconnect is a gap, and nothing ever proves the table complete.
 * It never says whether a session outlives its connection, so rows stay until they are unsubscribed.
 */
import { filterProblem } from "../topic/filter.ts";
import type { AdapterSink, BrokerAdapter, EventsSession, EventsUp } from "./adapter.ts";
import { type AdapterOptions, CLIENTS_MAX } from "./adapter-options.ts";
import { AedesClients } from "./aedes-clients.ts";
import { asRecord, ownList, ownNumber, ownText, parseRecord } from "./own-json.ts";
import { Probe } from "./probe.ts";
import { reconnectGap } from "./reconnect-gap.ts";

const TOPICS = ["$SYS/+/new/clients", "$SYS/+/new/subscribes", "$SYS/+/new/unsubscribes", "$SYS/+/disconnect/clients"];
const TOPIC = /^\$SYS\/([^/]+)\/(new\/clients|new\/subscribes|new\/unsubscribes|disconnect\/clients)$/;

/** One event names all filters of one packet: a thousand long ones fit. */
const EVENT_BYTES_MAX = 4 * 1024 * 1024;
/** Filters remembered to tell late unsubscribes apart: some 50 MB; one sidecar's embedded broker holds fewer. */
const ROWS_MAX = 500_000;
/** Aedes answers this instead of a granted QoS when its authorizer refuses (MQTT-3.9.3). */
const DENIED = 128;

const ADVICE =
  "The broker does not show its events to this agent, so everything in each link's topics is asked for. Aedes always " +
  "publishes them: let authorizeSubscribe and authorizeForward pass $SYS/+/new/+ and $SYS/+/disconnect/clients for the agent's user.";

export class AedesAdapter implements BrokerAdapter {
  readonly kind = "aedes";
  readonly awayMaxMs = 0;
  readonly #sink: AdapterSink;
  readonly #probe: Probe;
  readonly #clients: AedesClients;
  #session: EventsSession | null = null;
  #ups = 0;
  #enabled: boolean | null = null;

  constructor(options: AdapterOptions) {
    this.#sink = options.sink;
    this.#clients = new AedesClients(options.clientsMax ?? CLIENTS_MAX, ROWS_MAX);
    const { controlPrefix, cluster } = options;
    this.#probe = new Probe(`${controlPrefix}/v1/${cluster}/${cluster}/probe`, options.random);
  }

  up(session: EventsSession, how: EventsUp, nowMs: number): void {
    this.#session = session;
    const reason = reconnectGap(this.#ups === 0, how);
    this.#ups += 1;
    if (reason !== null) {
      this.#clients.gap();
      this.#sink.event({ type: "gap", reason });
    }
    session.subscribe(TOPICS, 0, () => {});
    this.#ask(nowMs);
  }

  down(_nowMs: number): void {
    this.#session = null;
    this.#probe.stop();
  }

  message(topic: string, payload: Uint8Array, retain: boolean, nowMs: number): void {
    const match = TOPIC.exec(topic);
    const node = match?.[1];
    if (retain || node === undefined) return;
    switch (match?.[2]) {
      case "new/clients":
        this.#connected(node, payload, nowMs);
        return;
      case "disconnect/clients":
        this.#disconnected(node, payload, nowMs);
        return;
      case "new/subscribes":
        this.#subscribed(payload);
        return;
      case "new/unsubscribes":
        this.#unsubscribed(node, payload, nowMs);
        return;
    }
  }

  /** There is no count to ask for. */
  refreshCount(_nowMs: number): void {}

  announceOwn(): void {}

  get deadlineMs(): number {
    return this.#probe.deadlineMs;
  }

  tick(nowMs: number): void {
    switch (this.#probe.tick(nowMs)) {
      case "silent":
        this.#setEnabled(false);
        return;
      case "again":
        this.#ask(nowMs);
        return;
      case null:
        return;
    }
  }

  /** Aedes announces an unsubscribe also of a filter that nobody holds, so the probe leaves nothing behind. */
  #ask(nowMs: number): void {
    this.#session?.unsubscribe([this.#probe.ask(nowMs)], () => {});
  }

  #connected(node: string, payload: Uint8Array, nowMs: number): void {
    const client = clientId(payload);
    if (client === null) {
      this.#unreadable(payload);
      return;
    }
    this.#clients.connected(client, node, nowMs);
    this.#sink.event({ type: "connected", client, cleanStart: null, session: "unknown" });
  }

  #disconnected(node: string, payload: Uint8Array, nowMs: number): void {
    const client = clientId(payload);
    if (client === null) {
      this.#unreadable(payload);
      return;
    }
    if (this.#clients.disconnected(client, node, nowMs)) this.#sink.event({ type: "disconnected", client });
  }

  #subscribed(payload: Uint8Array): void {
    const record = parseRecord(payload, EVENT_BYTES_MAX);
    const client = record === null ? null : ownText(record, "clientId");
    const subs = record === null ? null : ownList(record, "subs");
    if (client === null || subs === null) {
      this.#unreadable(payload);
      return;
    }
    for (const item of subs) {
      const sub = asRecord(item);
      const filter = sub === null ? null : ownText(sub, "topic");
      const qos = sub === null ? null : ownNumber(sub, "qos");
      if (filter === null || qos === null || filterProblem(filter) !== null) {
        this.#unreadable(payload);
        continue;
      }
      if (qos >= DENIED) continue;
      this.#clients.subscribed(client, filter);
      this.#sink.event({ type: "subscribed", client, filter, certain: true });
    }
  }

  #unsubscribed(node: string, payload: Uint8Array, nowMs: number): void {
    const record = parseRecord(payload, EVENT_BYTES_MAX);
    const client = record === null ? null : ownText(record, "clientId");
    const subs = record === null ? null : ownList(record, "subs");
    if (client === null || subs === null) {
      this.#unreadable(payload);
      return;
    }
    const filters = subs.filter((item): item is string => typeof item === "string" && filterProblem(item) === null);
    if (filters.length < subs.length) this.#unreadable(payload);
    if (client === this.#session?.clientId && filters.some((filter) => filter === this.#probe.filter)) {
      this.#probe.answered();
      this.#setEnabled(true);
      return;
    }
    const certain = this.#clients.unsubscribed(client, node, filters, nowMs);
    for (const [index, filter] of filters.entries()) {
      this.#sink.event({ type: "unsubscribed", client, filter, certain: certain[index] === true });
    }
  }

  #unreadable(payload: Uint8Array): void {
    this.#sink.odd("unparsable", new TextDecoder().decode(payload.subarray(0, ODD_BYTES_MAX)));
    this.#sink.event({ type: "gap", reason: "events_unparsable" });
  }

  #setEnabled(enabled: boolean): void {
    if (this.#enabled === enabled) return;
    this.#enabled = enabled;
    if (!enabled) this.#sink.advise(ADVICE);
    this.#sink.event({ type: "events_enabled", enabled });
  }
}

/** Enough of an odd payload to recognise it in a log. */
const ODD_BYTES_MAX = 1_000;

/** The payload is the bare id, of at most 65,535 bytes (MQTT-1.5.4). */
function clientId(payload: Uint8Array): string | null {
  if (payload.length === 0 || payload.length > 65_535) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return null;
  }
}
