/**
 * The connection to one peer's broker: where this link's control messages and frames are published, and where those of
 * a peer that cannot reach us are received. A thin shell over one MQTT session; the hub decides.
 */
import type { EndpointConfig } from "../config/types.ts";
import { FRAME_EXPIRY_SECONDS } from "../hub/link-host.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import type { SubscribeEntry } from "../mqtt/subscribe.ts";
import { controlTopic, messageTopic, parseName, peerInboxFilters } from "../wire/names.ts";
import type { LinkConnection } from "./link-connection.ts";

/** A peer's broker that goes away is noticed well before its agent counts as silent. */
const KEEP_ALIVE_SECONDS = 15;

/**
 * The peer's agent may have lost sight of our subscriptions on its broker (a gap in its events), and counts them: while they
 * are missing it asks for more than it needs. Two filters a minute cost nothing.
 */
const REFRESH_INBOX_MS = 60_000;

export interface PeerConnectionOptions {
  readonly endpoint: EndpointConfig;
  readonly me: string;
  readonly peer: string;
  readonly prefix: string;
  readonly random: () => number;
}

export interface PeerConnectionEvents {
  up(packetBytesMax: number): void;
  down(problem: SessionProblem): void;
  control(bytes: Uint8Array): void;
  frame(bytes: Uint8Array, stayMs: number): void;
  /** The peer's broker answered a control message. */
  controlAnswered(reasonCode: number): void;
  /** The same of a frame that was to be confirmed. */
  frameAnswered(frame: number, reasonCode: number): void;
  /** The last words, written before each connection. */
  will(): Uint8Array | null;
}

export class PeerConnection implements LinkConnection {
  readonly #options: PeerConnectionOptions;
  readonly #events: PeerConnectionEvents;
  readonly #session: MqttSession;
  #refresh: NodeJS.Timeout | null = null;

  constructor(options: PeerConnectionOptions, events: PeerConnectionEvents) {
    this.#options = options;
    this.#events = events;
    const { endpoint, me, peer, prefix } = options;
    this.#session = new MqttSession(
      {
        endpoint,
        clientId: endpoint.clientid,
        session: { cleanStart: "always", expirySeconds: 0 },
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: true,
        side: "peer",
        ackByPing: true,
        random: options.random,
        will: () => {
          const payload = events.will();
          return payload === null ? null : { topic: controlTopic(prefix, peer, me), payload, qos: 1 };
        },
      },
      {
        connected: (how) => this.#connected(how.limits.maximumPacketSize),
        disconnected: (problem) => events.down(problem),
        message: (topic, payload, about) =>
          this.#message(topic, payload, about.retain, about.properties?.messageExpiryInterval),
      },
    );
  }

  start(): void {
    this.#session.start();
    this.#refresh = setInterval(() => this.refreshInbox(), REFRESH_INBOX_MS);
  }

  /** Other secrets, from the next connection on. */
  renew(endpoint: EndpointConfig): void {
    this.#session.renew(endpoint);
  }

  stop(graceMs: number): Promise<void> {
    if (this.#refresh !== null) clearInterval(this.#refresh);
    return this.#session.stop(graceMs);
  }

  get counters(): Readonly<SessionCounters> {
    return this.#session.counters;
  }

  get certificateEndsAtMs(): number | null {
    return this.#session.certificateEndsAtMs;
  }

  get congested(): boolean {
    return this.#session.congested;
  }

  sendControl(bytes: Uint8Array): void {
    const { prefix, peer, me } = this.#options;
    this.#session.publish(
      { topic: controlTopic(prefix, peer, me), payload: bytes, qos: 1, retain: false },
      (result) => {
        if (result.ok) this.#events.controlAnswered(result.reasonCode);
      },
    );
  }

  sendFrame(frame: number, bytes: Uint8Array, confirm: boolean): void {
    const { prefix, peer, me } = this.#options;
    const packet = {
      topic: messageTopic(prefix, peer, me),
      payload: bytes,
      retain: false,
      expirySeconds: FRAME_EXPIRY_SECONDS,
    };
    if (!confirm) {
      this.#session.publish({ ...packet, qos: 0 });
      return;
    }
    this.#session.publish({ ...packet, qos: 1 }, (result) => {
      if (result.ok) this.#events.frameAnswered(frame, result.reasonCode);
    });
  }

  /** Subscribes again what is subscribed: the peer's broker announces it anew, and its agent can count it. */
  refreshInbox(): void {
    if (this.#session.connected) this.#session.subscribe(this.#inbox(), ignore);
  }

  /** The peer may have no way to reach us: then it answers on its own broker, where we listen. */
  #connected(packetBytesMax: number): void {
    this.#session.subscribe(this.#inbox(), (codes) => {
      // A refusal only matters to a peer that cannot dial, and such a peer's silence is noticed and said anyway.
      if (codes !== null) this.#events.up(packetBytesMax);
    });
  }

  #inbox(): SubscribeEntry[] {
    const { prefix, me, peer } = this.#options;
    return peerInboxFilters(prefix, me, peer).map((filter) => ({
      filter,
      qos: 1,
      noLocal: true,
      // Nothing under the prefix is ever retained; what somebody retained there all the same is not worth fetching.
      retainHandling: 2,
    }));
  }

  #message(topic: string, payload: Uint8Array, retain: boolean, expirySeconds: number | undefined): void {
    const { prefix, me, peer } = this.#options;
    const name = parseName(prefix, topic);
    // What a broker kept is not said now: retained messages under the prefix are never trusted.
    if (name === null || retain || name.to !== me || name.from !== peer) return;
    if (name.kind === "ctl") this.#events.control(payload);
    else this.#events.frame(payload, stayMs(expirySeconds));
  }
}

/** How long brokers held a frame, by what is left of its Message Expiry Interval (MQTT-3.3.2-6); 0 without one. */
export function stayMs(expirySeconds: number | undefined): number {
  return expirySeconds === undefined ? 0 : Math.max(0, FRAME_EXPIRY_SECONDS - expirySeconds) * 1000;
}

function ignore(): void {}
