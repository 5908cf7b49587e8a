/**
 * A client of the doctor's: connects once, under a name of its own, and hands out promises. Its name begins with the agent's, so that
 * a running agent does not take what it subscribes for a client's interest.
 */
import { randomBytes } from "node:crypto";
import type { Side } from "../mqtt/connection-end.ts";
import type { Endpoint } from "../mqtt/endpoint.ts";
import type { SessionLimits } from "../mqtt/limits.ts";
import type { PacketProperties } from "../mqtt/packet-properties.ts";
import type { PublishResult } from "../mqtt/publish.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";
import type { SubscribeEntry } from "../mqtt/subscribe.ts";

const KEEP_ALIVE_SECONDS = 20;
const CONNECT_WITHIN_MS = 10_000;
/** More than any examination waits for; a broker with much to say must not fill the memory. */
const HEARD_MAX = 20_000;

export interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly retain: boolean;
  readonly properties: PacketProperties | null;
}

export interface DoctorClientOptions {
  readonly endpoint: Endpoint;
  readonly side: Side;
  readonly clientId: string;
  /** A session that outlives its connection for so long; absent: none. */
  readonly expirySeconds?: number;
}

/** Under the agent's own prefix of client ids; `hub-options` leaves these out of the interest. */
export function doctorClientId(prefix: string): string {
  return `${prefix}-doctor-${randomBytes(4).toString("hex")}`;
}

export class DoctorClient {
  readonly clientId: string;
  readonly heard: Heard[] = [];
  readonly #session: MqttSession;
  readonly #listeners = new Set<() => void>();
  #failures = 0;
  #problem: SessionProblem | null = null;
  #settle: (problem: SessionProblem | null) => void = () => {};

  private constructor({ endpoint, side, clientId, expirySeconds = 0 }: DoctorClientOptions) {
    this.clientId = clientId;
    this.#session = new MqttSession(
      {
        endpoint,
        side,
        clientId,
        session: { cleanStart: expirySeconds === 0 ? "always" : "never", expirySeconds },
        will: () => null,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: true,
        ackByPing: false,
        random: Math.random,
        connectTimeoutMs: CONNECT_WITHIN_MS,
      },
      {
        connected: () => this.#settle(null),
        disconnected: (problem) => this.#failed(problem, endpoint.urls.length),
        message: (topic, payload, { retain, properties }) => {
          if (this.heard.length >= HEARD_MAX) return;
          const bytes = new Uint8Array(payload);
          this.heard.push({ topic, bytes, text: new TextDecoder().decode(bytes), retain, properties });
          for (const listener of this.#listeners) listener();
        },
      },
    );
  }

  /** Each of the endpoint's URLs is tried once. */
  static async connect(options: DoctorClientOptions): Promise<DoctorClient | SessionProblem> {
    const client = new DoctorClient(options);
    const problem = await new Promise<SessionProblem | null>((resolve) => {
      client.#settle = resolve;
      client.#session.start();
    });
    if (problem === null) return client;
    await client.close();
    return problem;
  }

  get version(): 4 | 5 {
    return this.#session.protocolVersion ?? 4;
  }

  get limits(): SessionLimits | null {
    return this.#session.limits;
  }

  /** Why the connection ended; null: it stands. */
  get problem(): SessionProblem | null {
    return this.#problem;
  }

  subscribe(entries: readonly SubscribeEntry[]): Promise<readonly number[] | null> {
    return new Promise((resolve) => this.#session.subscribe(entries, resolve));
  }

  unsubscribe(filters: readonly string[]): Promise<readonly number[] | null> {
    return new Promise((resolve) => this.#session.unsubscribe(filters, resolve));
  }

  /** At QoS 1: the answer tells whether the broker took it. */
  publish(
    topic: string,
    payload: string | Uint8Array,
    properties: PacketProperties | null = null,
  ): Promise<PublishResult> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    return new Promise((resolve) =>
      this.#session.publish({ topic, payload: bytes, qos: 1, retain: false, properties }, resolve),
    );
  }

  /** The first message that fits, of those already there too; null: none within the time, or the connection ended. */
  hears(fits: (heard: Heard) => boolean, withinMs: number): Promise<Heard | null> {
    return this.waits(() => this.heard.find(fits) ?? null, withinMs);
  }

  /** Looks after every message whether there is an answer; the last look is when the time is over. */
  waits<T>(look: () => T | null, withinMs: number): Promise<T | null> {
    return new Promise((resolve) => {
      const end = (value: T | null): void => {
        clearTimeout(timer);
        this.#listeners.delete(again);
        resolve(value);
      };
      const again = (): void => {
        const found = look();
        if (found !== null) end(found);
      };
      const timer = setTimeout(() => end(look()), withinMs);
      this.#listeners.add(again);
      again();
    });
  }

  close(): Promise<void> {
    return this.#session.stop(0);
  }

  #failed(problem: SessionProblem, urls: number): void {
    this.#problem = problem;
    this.#failures += 1;
    if (problem.wasConnected || this.#failures >= urls) this.#settle(problem);
  }
}
