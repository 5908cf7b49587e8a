/**
 * The adapter for brokers that publish EMQX's client events as JSON: EMQX itself (`emqx`), or any broker with a plugin or a
 * rule that writes the same (`events`).
 *
 * Alone it knows of no snapshot, no counter, and no event when a session expires: rows of expired sessions stay
 * (over-forwarding), every reconnect is a gap, and nothing proves the table complete. `EmqxAdapter` adds what EMQX's REST
 * API says.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import type { SessionEnd } from "../route/interest-event.ts";
import type { AdapterSink, BrokerAdapter, EventsSession, EventsUp } from "./adapter.ts";
import { type AdapterOptions, CLIENTS_MAX } from "./adapter-options.ts";
import { type ClientEvent, parseClientEvent } from "./client-event.ts";
import { Probe } from "./probe.ts";
import { reconnectGap } from "./reconnect-gap.ts";

/** Client ids stand raw in the topic and may contain slashes, hence `#`. */
export const EMQX_EVENTS_TOPIC = "$SYS/brokers/+/clients/#";

/**
 * Clients of EMQX's gateways (STOMP, MQTT-SN, …) hold subscriptions too. Whether their sessions outlive a connection is not
 * told, so only what they subscribe and unsubscribe counts; the list of subscriptions says the rest.
 */
const EMQX_GATEWAYS_TOPIC = "$SYS/brokers/+/gateway/+/clients/#";
const OF_GATEWAY = /^\$SYS\/brokers\/[^/]+\/gateway\//;

/** The lowest SUBACK reason code of a refusal (MQTT-3.9.3). */
const REFUSED = 0x80;
/** A refused or unanswered SUBSCRIBE is tried again: access rules change while brokers run. */
const AGAIN_MS = 30_000;
/** Enough of an odd payload to recognise it in a log. */
const ODD_BYTES_MAX = 1_000;

interface Connection {
  /** When it began, on the broker's clock; null: not told. */
  readonly sinceMs: number | null;
  /** Its session ends with it. */
  readonly dies: boolean;
}

export class EventsAdapter implements BrokerAdapter {
  readonly kind: "emqx" | "events";
  readonly awayMaxMs = 0;
  readonly #sink: AdapterSink;
  readonly #topic: string;
  /** EMQX announces our own subscriptions too, which proves that it announces any. Other publishers need not. */
  readonly #probe: Probe | null;
  /** Of the clients: a "disconnected" of an earlier connection is late, an "unsubscribed" from before the last one may be. */
  readonly #connections: BoundedMap<string, Connection>;
  readonly #listening: () => void;
  #session: EventsSession | null = null;
  #ups = 0;
  /** On this connection. */
  #granted = false;
  #enabled: boolean | null = null;
  #againMs = Number.POSITIVE_INFINITY;

  /** `listening`: called when the broker has granted the subscription. */
  constructor(kind: "emqx" | "events", topic: string, options: AdapterOptions, listening: () => void = () => {}) {
    this.kind = kind;
    this.#sink = options.sink;
    this.#topic = topic;
    const { controlPrefix, cluster } = options;
    this.#probe = kind === "emqx" ? new Probe(`${controlPrefix}/v1/${cluster}/${cluster}/probe`, options.random) : null;
    this.#connections = new BoundedMap(options.clientsMax ?? CLIENTS_MAX);
    this.#listening = listening;
  }

  /** Whether the session of the client's last connection ends with it; false also where that is not known. */
  dies(client: string): boolean {
    return this.#connections.get(client)?.dies === true;
  }

  up(session: EventsSession, how: EventsUp, nowMs: number): void {
    this.#session = session;
    this.#granted = false;
    const reason = reconnectGap(this.#ups === 0, how);
    this.#ups += 1;
    if (reason !== null) this.#sink.event({ type: "gap", reason });
    this.#ask(nowMs);
  }

  down(_nowMs: number): void {
    this.#session = null;
    this.#probe?.stop();
    this.#againMs = Number.POSITIVE_INFINITY;
  }

  message(topic: string, payload: Uint8Array, retain: boolean, _nowMs: number): void {
    // A retained event is an old one.
    if (retain) return;
    const event = parseClientEvent(topic, payload);
    if (event === "other") return;
    if (event === null) {
      this.#sink.odd("unparsable", new TextDecoder().decode(payload.subarray(0, ODD_BYTES_MAX)));
      this.#sink.event({ type: "gap", reason: "events_unparsable" });
      return;
    }
    const isConnection = event.kind === "connected" || event.kind === "disconnected";
    if (isConnection && this.kind === "emqx" && OF_GATEWAY.test(topic)) return;
    this.#translate(event);
  }

  /** There is no count to ask for. */
  refreshCount(_nowMs: number): void {}

  announceOwn(): void {}

  get deadlineMs(): number {
    return Math.min(this.#againMs, this.#probe?.deadlineMs ?? Number.POSITIVE_INFINITY);
  }

  tick(nowMs: number): void {
    const probe = this.#probe?.tick(nowMs) ?? null;
    if (probe === "silent") this.#setEnabled(false);
    if (probe !== "again" && nowMs < this.#againMs) return;
    this.#againMs = Number.POSITIVE_INFINITY;
    this.#ask(nowMs);
  }

  #ask(nowMs: number): void {
    const session = this.#session;
    if (session === null) return;
    session.subscribe([this.#topic], 1, (codes) => {
      if (codes === null || this.#session !== session) return;
      if (codes.some((code) => code >= REFUSED)) {
        this.#againMs = nowMs + AGAIN_MS;
        this.#setEnabled(false);
        return;
      }
      if (this.#probe === null) this.#setEnabled(true);
      if (this.#granted) return;
      this.#granted = true;
      this.#listening();
    });
    if (this.#probe === null) return;
    const filter = this.#probe.ask(nowMs);
    // Nothing is ever published there, and there is no counter: the row matters to nobody and goes at once.
    session.subscribe([filter], 0, () => {});
    session.unsubscribe([filter], () => {});
    // Where access rules refuse it, the list alone tells of gateways.
    session.subscribe([EMQX_GATEWAYS_TOPIC], 1, () => {});
  }

  #translate(event: ClientEvent): void {
    switch (event.kind) {
      case "connected":
        // It began before the last one that is known: what it says of rows and session is over.
        if (this.#isEarlier(event.client, event.connectedAt)) return;
        if (this.#isTwin(event.client, event.connectedAt)) {
          this.#unknownSession(event.client, event.connectedAt);
          return;
        }
        this.#connections.set(event.client, { sinceMs: event.connectedAt, dies: event.sessionExpiry === 0 });
        this.#sink.event({
          type: "connected",
          client: event.client,
          cleanStart: event.cleanStart,
          session: sessionEnd(event.sessionExpiry),
          // EMQX hands over the session of a living connection, whatever expiry that had asked for.
          takesOver: event.cleanStart === false,
        });
        return;
      case "disconnected":
        if (this.#isLate(event)) return;
        this.#unannounced(event);
        this.#sink.event({ type: "disconnected", client: event.client });
        return;
      case "subscribed":
      case "unsubscribed":
        if (event.client === this.#session?.clientId && event.filter === this.#probe?.filter) {
          this.#probe.answered();
          this.#setEnabled(true);
        }
        // An unsubscribe of an earlier connection, perhaps on another node: the new one may have subscribed again meanwhile.
        this.#sink.event({
          type: event.kind,
          client: event.client,
          filter: event.filter,
          certain: event.kind === "subscribed" || !this.#isEarlier(event.client, event.atMs),
        });
    }
  }

  /** A connection whose beginning was missed: what becomes of its session nobody said. */
  #unannounced({ client, connectedAt }: { client: string; connectedAt: number | null }): void {
    const known = this.#connections.get(client);
    if (known?.sinceMs == null || connectedAt === null || connectedAt <= known.sinceMs) return;
    this.#unknownSession(client, connectedAt);
  }

  #unknownSession(client: string, sinceMs: number | null): void {
    this.#connections.set(client, { sinceMs, dies: false });
    this.#sink.event({ type: "connected", client, cleanStart: null, session: "unknown", takesOver: true });
  }

  /** Two connections of one millisecond, told by two nodes: which is the last one nobody knows, so neither ends anything. */
  #isTwin(client: string, atMs: number | null): boolean {
    return atMs !== null && this.#connections.get(client)?.sinceMs === atMs;
  }

  /** Than the last known connection of the client began. */
  #isEarlier(client: string, atMs: number | null): boolean {
    const sinceMs = this.#connections.get(client)?.sinceMs ?? null;
    return sinceMs !== null && atMs !== null && atMs < sinceMs;
  }

  /**
   * A replaced connection ends nothing: the "connected" of the new one says whether its rows go. Two connections' events
   * come from two processes of the broker, in any order.
   */
  #isLate(event: { client: string; replaced: boolean; connectedAt: number | null }): boolean {
    return event.replaced || this.#isEarlier(event.client, event.connectedAt);
  }

  #setEnabled(enabled: boolean): void {
    if (this.#enabled === enabled) return;
    this.#enabled = enabled;
    if (!enabled) this.#sink.advise(this.#advice());
    this.#sink.event({ type: "events_enabled", enabled });
  }

  #advice(): string {
    const what = "so everything in each link's topics is asked for.";
    return this.kind === "emqx"
      ? `EMQX does not announce subscriptions to this agent, ${what} Set sys_topics.sys_event_messages.client_subscribed, client_unsubscribed, client_connected and client_disconnected to true, and let the agent's user subscribe to ${EMQX_EVENTS_TOPIC} (the default access rules allow that from localhost only).`
      : `The broker refuses the subscription to ${this.#topic} (local.events_topic), ${what} Let the agent's user read it.`;
  }
}

function sessionEnd(expiry: number | null): SessionEnd {
  if (expiry === null) return "unknown";
  return expiry === 0 ? "with_connection" : "outlives_connection";
}
