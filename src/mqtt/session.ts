/**
 * One MQTT session on one broker, over as many connections as it takes. Owns when to connect, with which dialect, and to
 * which of the URLs; every connection begins with nothing: what its predecessor could not finish was answered as lost.
 *
 * All events and answers are called synchronously; an answer never comes before the call that asks has returned. When a
 * connection ends, its answers come first, then `disconnected`, then nothing more of it.
 */
import { Connection } from "./connection.ts";
import { type ConnectionEnd, diagnose } from "./connection-end.ts";
import { dial } from "./dial.ts";
import { DialectChoice, dialects } from "./dialect.ts";
import type { Endpoint } from "./endpoint.ts";
import type { SessionLimits } from "./limits.ts";
import { Outbox, type PublishDone } from "./outbox.ts";
import type { PublishPacket } from "./publish.ts";
import { refusesVersion } from "./reason-code.ts";
import { type CodesDone, Requests } from "./requests.ts";
import { Retries } from "./retries.ts";
import { noCounts, type SessionCounters } from "./session-counters.ts";
import type { SessionEvents, SessionOptions, SessionUp } from "./session-options.ts";
import type { SubscribeEntry } from "./subscribe.ts";

export type { MessageAbout, Will } from "./connection-options.ts";
export type { SessionEvents, SessionOptions, SessionUp } from "./session-options.ts";
export type { SessionProblem } from "./session-problem.ts";

const SEND_QUEUE_MAX = 10_000;
/** Half of what Mosquitto queues for a client by default: past that, newer ones drop PUBACKs. */
const INFLIGHT_MAX = 500;
/** The same for what the broker delivers: newer Mosquitto drops a delivery too when so many packets wait for the socket. */
const RECEIVE_MAXIMUM = 500;
/** Far above what a window of ordinary messages holds. */
const OPEN_BYTES_MAX = 268_435_456;
const ACK_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that the broker drops within this counts as one of a row (see `connection-end.ts`): above the delays of a rival of our kind. */
const DROP_SOON_MS = 15_000;
/** How often a stop looks whether everything is answered. */
const DRAIN_POLL_MS = 10;

export class MqttSession {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #endpoint: Endpoint;
  readonly #dialect: DialectChoice;
  readonly #retries: Retries;
  readonly #counters: SessionCounters = noCounts();
  #url = 0;
  #connections = 0;
  #dropsInARow = 0;
  /** What the last life of this agent left on the broker is gone, or is to be kept. */
  #wiped: boolean;
  #connection: Connection | null = null;
  /** Only while connected. */
  #up: {
    readonly how: SessionUp;
    readonly outbox: Outbox;
    readonly requests: Requests;
    readonly atMs: number;
  } | null = null;
  #abortDial: (() => void) | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopping: Promise<void> | null = null;
  #overWhileStopping: (() => void) | null = null;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    const { endpoint, bridge, random, session } = options;
    this.#endpoint = endpoint;
    this.#retries = new Retries(options.reconnect ?? options.side, random);
    this.#dialect = new DialectChoice(dialects(endpoint.protocolVersion, bridge));
    this.#wiped = session.cleanStart !== "first";
  }

  /** Connects, and connects again, until `stop`. */
  start(): void {
    if (this.#stopping === null && this.#retry === null && this.#connection === null && this.#abortDial === null) {
      this.#attempt();
    }
  }

  /**
   * Takes nothing more, waits up to `graceMs` for the answers that are due, says goodbye (the Will is not sent) and
   * resolves when the connection is closed. No event after that; what was not answered is answered as lost.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** Other secrets for the same broker, from the next connection on; one that waits for its next attempt makes it at once. */
  renew(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    if (this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#attempt();
  }

  get connected(): boolean {
    return this.#up !== null;
  }

  /** Of the present connection; null when there is none. */
  get protocolVersion(): 4 | 5 | null {
    return this.#up?.how.protocolVersion ?? null;
  }

  /** Of the present connection; null when there is none. */
  get limits(): SessionLimits | null {
    return this.#up?.how.limits ?? null;
  }

  /** The broker takes less than we have: what has no hurry should wait. Not while there is no connection. */
  get congested(): boolean {
    return this.#up?.outbox.congested ?? false;
  }

  get counters(): Readonly<SessionCounters> {
    return { ...this.#counters, ackPings: this.#counters.ackPings + (this.#connection?.pings ?? 0) };
  }

  /** `done`: one reason code per entry, or null when the connection ended, or there was none. */
  subscribe(entries: readonly SubscribeEntry[], done: CodesDone): void {
    if (this.#up === null || this.#stopping !== null) setImmediate(done, null);
    else this.#up.requests.subscribe(entries, done);
  }

  /** `done`: one reason code per filter, or null when the connection ended, or there was none. */
  unsubscribe(filters: readonly string[], done: CodesDone): void {
    if (this.#up === null || this.#stopping !== null) setImmediate(done, null);
    else this.#up.requests.unsubscribe(filters, done);
  }

  /** The topic is valid and has no wildcards. */
  publish(packet: PublishPacket, done: PublishDone = ignore): void {
    if (this.#up === null || this.#stopping !== null) setImmediate(done, { ok: false, why: "lost" });
    else this.#up.outbox.publish(packet, done);
  }

  /**
   * Answers a QoS 1 message of `MessageAbout.connection`, in any order; once. Nothing happens when that connection is over (the
   * broker delivers the message again) or the message is not open.
   */
  acknowledge(connection: number, packetId: number, reasonCode = 0): void {
    if (this.#connection?.number === connection) this.#connection.acknowledge(packetId, reasonCode);
  }

  #attempt(): void {
    this.#retry = null;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const endpoint = this.#endpoint;
    const url = endpoint.urls[this.#url % endpoint.urls.length] ?? "";
    this.#abortDial = dial(url, { tls: endpoint.tls, timeoutMs: connectTimeoutMs }, (result) => {
      this.#abortDial = null;
      if (!result.ok) {
        this.#failed({ kind: "undialled", problem: result.problem });
        return;
      }
      this.#connect(result);
    });
  }

  #connect(dialled: ConstructorParameters<typeof Connection>[0]): void {
    const endpoint = this.#endpoint;
    const { clientId, session, will, keepAliveSeconds, ackByPing } = this.#options;
    const { maximumPacketSize = null, ackTimeoutMs = ACK_TIMEOUT_MS, acknowledge = "at_return" } = this.#options;
    const { receiveMaximum = RECEIVE_MAXIMUM, openBytesMax = OPEN_BYTES_MAX } = this.#options;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    // A broker may not restore, after its own restart, a session that began with a clean start: so what the last life left is
    // wiped on a connection of its own, and the session proper begins on the next one.
    const wiping = !this.#wiped;
    const clean = wiping || session.cleanStart === "always";
    this.#connections += 1;
    const connection = new Connection(
      dialled,
      {
        number: this.#connections,
        dialect: this.#dialect.current,
        clientId,
        clean,
        expirySeconds: clean ? 0 : session.expirySeconds,
        username: endpoint.username,
        password: endpoint.password,
        will: wiping ? null : will(),
        keepAliveSeconds,
        maximumPacketSize,
        receiveMaximum,
        openBytesMax,
        acknowledge,
        connackTimeoutMs: connectTimeoutMs,
        ackTimeoutMs,
        ackByPing,
      },
      {
        up: (sessionPresent, limits) => {
          if (!this.#dialect.accepted()) connection.close();
          else if (wiping) {
            this.#wiped = true;
            connection.close();
          } else this.#connected(connection, sessionPresent, limits);
        },
        message: (topic, payload, about) => this.#events.message(topic, payload, about),
        drained: () => this.#up?.outbox.pump(),
        overrun: () => {
          this.#counters.receiveOverruns += 1;
        },
        over: (end) => this.#over(end),
      },
    );
    this.#connection = connection;
  }

  #connected(connection: Connection, sessionPresent: boolean, limits: SessionLimits): void {
    const { version, bridge } = this.#dialect.current;
    const { inflightMax = INFLIGHT_MAX, sendQueueMax = SEND_QUEUE_MAX } = this.#options;
    const how: SessionUp = { sessionPresent, protocolVersion: version, bridged: bridge, limits };
    const outbox = new Outbox(connection, { version, limits, inflightMax, queueMax: sendQueueMax }, this.#counters);
    const requests = new Requests(connection, limits, this.#counters);
    this.#counters.connections += 1;
    this.#up = { how, outbox, requests, atMs: performance.now() };
    this.#events.connected(how);
  }

  #over(end: ConnectionEnd): void {
    const connection = this.#connection;
    const up = this.#up;
    this.#counters.ackPings += connection?.pings ?? 0;
    // First: who hears that something was lost may ask again at once, and that must not wait for the connection that is gone.
    this.#connection = null;
    this.#up = null;
    connection?.lose();
    up?.outbox.lose();
    up?.requests.lose();
    if (this.#stopping !== null) {
      this.#overWhileStopping?.();
      return;
    }
    if (up !== null) {
      const stoodMs = performance.now() - up.atMs;
      this.#retries.stood(stoodMs);
      this.#dropsInARow = end.kind === "dropped" && stoodMs < DROP_SOON_MS ? this.#dropsInARow + 1 : 0;
      this.#report(end, true);
      return;
    }
    this.#failed(end);
  }

  /** An attempt came to nothing, or was only the first of two steps. */
  #failed(end: ConnectionEnd): void {
    if (this.#nextStep(end)) {
      this.#attempt();
      return;
    }
    this.#url += 1;
    this.#dropsInARow = 0;
    this.#report(end, false);
  }

  /** Whether the next connection is due at once. */
  #nextStep(end: ConnectionEnd): boolean {
    switch (end.kind) {
      case "closed":
        return true;
      case "refused":
        return refusesVersion(end.reasonCode) && this.#dialect.refused();
      case "silent":
        return this.#dialect.silent();
      case "undialled":
      case "tls":
      case "disconnected":
      case "dropped":
      case "lost":
        return false;
    }
  }

  #report(end: ConnectionEnd, wasConnected: boolean): void {
    const { code, reason, retry } = diagnose(end, this.#options.side, this.#dropsInARow);
    const willRetryInMs = this.#retries.next(retry);
    this.#retry = setTimeout(() => this.#attempt(), willRetryInMs);
    this.#events.disconnected({ code, reason, willRetryInMs, wasConnected });
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#abortDial?.();
    this.#abortDial = null;
    if (this.#connection === null) return;
    const over = new Promise<void>((resolve) => {
      this.#overWhileStopping = resolve;
    });
    await this.#drained(performance.now() + graceMs);
    if (this.#up === null) this.#connection?.destroy({ kind: "closed" });
    else this.#connection?.close();
    if (this.#connection !== null) await over;
  }

  async #drained(endMs: number): Promise<void> {
    for (;;) {
      const up = this.#up;
      if (up === null || (up.outbox.idle && up.requests.idle) || performance.now() >= endMs) return;
      await new Promise((again) => setTimeout(again, DRAIN_POLL_MS));
    }
  }
}

function ignore(): void {}
