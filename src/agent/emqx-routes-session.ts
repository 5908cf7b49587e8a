/**
 * The connection on which our routes go to EMQX. EMQX takes one greeting on each, so whoever wants to greet again needs
 * another: a thin shell over one MQTT session after the other.
 */
import type { EndpointConfig } from "../config/types.ts";
import { failureCode, type PublishPacket, type PublishResult } from "../mqtt/publish.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";
import { noCounts, type SessionCounters } from "../mqtt/session-counters.ts";

const KEEP_ALIVE_SECONDS = 15;

export interface EmqxRoutesEvents {
  connected(packetBytesMax: number): void;
  /** `problem` null: we ended it. */
  disconnected(why: string, problem: SessionProblem | null): void;
  response(bytes: Uint8Array, correlation: Uint8Array | null): void;
}

export class EmqxRoutesSession {
  readonly #clientId: string;
  readonly #events: EmqxRoutesEvents;
  #endpoint: EndpointConfig;
  #session: MqttSession | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Of connections whose sessions are over. */
  readonly #counters: SessionCounters = noCounts();

  constructor(endpoint: EndpointConfig, clientId: string, events: EmqxRoutesEvents) {
    this.#endpoint = endpoint;
    this.#clientId = clientId;
    this.#events = events;
  }

  start(): void {
    if (this.#stopped) return;
    this.#retry = null;
    const session = new MqttSession(
      {
        endpoint: { ...this.#endpoint, protocolVersion: 5 },
        clientId: this.#clientId,
        session: { cleanStart: "always", expirySeconds: 0 },
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: false,
        side: "peer",
        ackByPing: true,
        random: Math.random,
        will: () => null,
      },
      {
        connected: ({ limits }) => this.#events.connected(limits.maximumPacketSize),
        disconnected: (problem) => this.#events.disconnected(problem.reason, problem),
        message: (_topic, payload, { retain, properties }) => {
          if (!retain) this.#events.response(payload, properties?.correlationData ?? null);
        },
      },
    );
    this.#session = session;
    session.start();
  }

  /** Ends the connection, and makes another one after so long. */
  restart(delayMs: number, why: string): void {
    const session = this.#session;
    if (session === null || this.#stopped) return;
    this.#session = null;
    this.#counters.connections += session.counters.connections;
    // Asked for by whom it is told: not before that has returned.
    setImmediate(() => this.#events.disconnected(why, null));
    void session.stop(0).then(() => {
      if (!this.#stopped) this.#retry = setTimeout(() => this.start(), delayMs);
    });
  }

  renew(endpoint: EndpointConfig): void {
    this.#endpoint = endpoint;
    this.#session?.renew({ ...endpoint, protocolVersion: 5 });
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#session?.stop(graceMs);
  }

  get counters(): SessionCounters {
    const now = this.#session?.counters ?? noCounts();
    return { ...now, connections: now.connections + this.#counters.connections };
  }

  get certificateEndsAtMs(): number | null {
    return this.#session?.certificateEndsAtMs ?? null;
  }

  /** `done`: the reason code, or null when the connection was lost first. */
  subscribe(filter: string, done: (reasonCode: number | null) => void): void {
    this.#session?.subscribe([{ filter, qos: 1 }], (codes) => done(codes?.[0] ?? null));
  }

  /** The same; only of QoS 1 the end is told. */
  publish(packet: PublishPacket, done: ((reasonCode: number | null) => void) | null): void {
    if (done === null) this.#session?.publish(packet);
    else this.#session?.publish(packet, (result) => done(codeOf(result)));
  }
}

export function codeOf(result: PublishResult): number | null {
  return result.ok ? result.reasonCode : failureCode(result.why);
}
