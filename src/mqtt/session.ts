/**
 * One MQTT session on one broker, over as many connections as it takes. The only importer of "mqtt".
 *
 *   idle ──start──▶ dialing ──CONNACK──▶ up ──lost──▶ waiting ──back-off──▶ dialing …      stop ──▶ stopped
 *
 * Every connection is a fresh client of mqtt.js: its stores never replay anything, its subscriptions are never repeated.
 * What was unanswered when a connection ends is answered as lost; the callers know what to do. Broker reason codes are
 * handed out as they came. Nothing here blocks the reader: an inbound QoS 1 message is acknowledged when `message` returns.
 */
import { type IClientOptions, type IConnackPacket, type IPublishPacket, MqttClient, type Packet } from "mqtt";
import { Backoff } from "../base/backoff.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { dial, dialFailure } from "./dial.ts";
import { toMessageProperties, toPacketProperties } from "./properties.ts";
import type {
  PublishPacket,
  PublishResult,
  SessionEvents,
  SessionLimits,
  SessionOptions,
  SubscribeEntry,
} from "./packets.ts";
import { SendWindow } from "./send-window.ts";
import { WireStream } from "./wire-stream.ts";

const BACKOFF = { baseMs: 500, capMs: 30_000, factor: 2, jitter: 0.5 };
/** A connection that lasted this long was a good one: the next failure starts with a short wait again. */
const GOOD_CONNECTION_MS = 10_000;
const CONNACK_WAIT_MS = 10_000;
/** An acknowledgement that takes longer will not come on this connection (brokers drop packets to a client when its queue is full). */
const ANSWER_WAIT_MS = 20_000;
const CONGESTED_BYTES = 1024 * 1024;
/** MQTT 5 and 3.1.1 CONNACK codes. */
const BAD_VERSION = new Set([0x01, 0x84]);
const BAD_LOGIN = new Set([0x04, 0x05, 0x86, 0x87, 0x8a, 0x8c]);
const TAKEN_OVER = 0x8e;
const PACKET_BYTES_MAX = 268_435_455;

const NO_IDS: readonly number[] = [];

export class MqttSession {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #backoff: Backoff;
  #client: MqttClient | null = null;
  #stream: WireStream | null = null;
  #window: SendWindow | null = null;
  #connected = false;
  #stopped = false;
  #version: 4 | 5;
  /** The version is known to work, or was told to us. */
  #versionSure: boolean;
  #urlAt = 0;
  #purged: boolean;
  #retry: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #upAtMs = 0;
  #lastReason: { code: ErrorCode; reason: string } | null = null;
  /** Unanswered requests of this connection: when sent, and how to say that they are lost. */
  readonly #pending = new Set<{ readonly atMs: number; readonly lost: () => void }>();

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(BACKOFF, options.random);
    this.#version = options.endpoint.protocolVersion ?? 5;
    this.#versionSure = options.endpoint.protocolVersion !== null;
    this.#purged = options.session.cleanStart === "always";
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Of the connection, or null before the first. */
  get protocolVersion(): 4 | 5 | null {
    return this.#versionSure ? this.#version : null;
  }

  /** More is waiting for the network than a moment's worth. */
  get congested(): boolean {
    return (this.#stream?.backlogBytes ?? 0) > CONGESTED_BYTES;
  }

  start(): void {
    this.#dial();
    this.#watch = setInterval(() => this.#watchAnswers(), ANSWER_WAIT_MS / 4);
    this.#watch.unref();
  }

  /** Says DISCONNECT once what is under way was answered, or after the grace. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#watch !== null) clearInterval(this.#watch);
    const client = this.#client;
    if (client === null) return;
    const stream = this.#stream;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        stream?.destroy();
        resolve();
      }, graceMs);
      client.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      if (!this.#connected) {
        stream?.destroy();
        client.end(true);
      } else {
        client.end(false);
      }
    });
  }

  /** One reason code for each entry, or null when the connection ended first. */
  subscribe(entries: readonly SubscribeEntry[], done: (codes: readonly number[] | null) => void): void {
    const client = this.#client;
    if (client === null || !this.#connected || entries.length === 0) {
      setImmediate(() => done(entries.length === 0 ? [] : null));
      return;
    }
    const codes: number[] = new Array(entries.length).fill(0x80);
    let waiting = 0;
    const track = this.#track(() => done(null));
    let at = 0;
    while (at < entries.length) {
      const first = entries[at];
      if (first === undefined) break;
      // A Subscription Identifier goes for its whole packet (MQTT-3.8.2.1.2): entries with ids travel alone.
      let end = at + 1;
      if (first.id === undefined) while (end < entries.length && sameOptions(first, entries[end])) end += 1;
      const from = at;
      waiting += 1;
      client.subscribe(
        entries.slice(at, end).map(({ filter }) => filter),
        {
          qos: first.qos,
          ...(this.#version === 5
            ? { nl: first.noLocal ?? false, rap: first.retainAsPublished ?? false, rh: first.retainHandling ?? 0 }
            : {}),
          ...(first.id !== undefined && this.#version === 5 ? { properties: { subscriptionIdentifier: first.id } } : {}),
        },
        (error, _granted, packet) => {
          // Without a packet the connection ended: #closed says so for everything at once.
          if (packet === undefined) return;
          grantedOf(packet, error).forEach((code, index) => {
            codes[from + index] = code;
          });
          waiting -= 1;
          if (waiting === 0 && track()) done(codes);
        },
      );
      at = end;
    }
  }

  unsubscribe(filters: readonly string[], done: (codes: readonly number[] | null) => void): void {
    const client = this.#client;
    if (client === null || !this.#connected) {
      setImmediate(() => done(null));
      return;
    }
    const track = this.#track(() => done(null));
    client.unsubscribe([...filters], (error, packet) => {
      if (error !== undefined && error !== null) return;
      if (track()) done(reasonCodes(packet, filters.length));
    });
  }

  publish(packet: PublishPacket, done?: (result: PublishResult) => void): void {
    const window = this.#window;
    if (window === null || !this.#connected) {
      if (done !== undefined) setImmediate(() => done({ ok: false, why: "lost" }));
      return;
    }
    window.publish(packet, done ?? (() => {}));
  }

  #dial(): void {
    if (this.#stopped) return;
    const { endpoint, clientId, session, keepAliveSeconds, will } = this.#options;
    const address = endpoint.urls[this.#urlAt % endpoint.urls.length] ?? "";
    const purging = !this.#purged;
    const clean = purging || session.cleanStart === "always";
    const words = will();
    const options: IClientOptions = {
      clientId,
      protocolId: "MQTT",
      protocolVersion: this.#version,
      clean,
      keepalive: keepAliveSeconds,
      reconnectPeriod: 0,
      connectTimeout: CONNACK_WAIT_MS,
      resubscribe: false,
      queueQoSZero: false,
      ...(endpoint.username === null ? {} : { username: endpoint.username }),
      ...(endpoint.password === null ? {} : { password: endpoint.password }),
      ...(words === null ? {} : { will: { topic: words.topic, payload: Buffer.from(words.payload), qos: words.qos, retain: false } }),
      ...(this.#version === 5 ? { properties: { sessionExpiryInterval: clean ? 0 : session.expirySeconds } } : {}),
    };
    this.#lastReason = null;
    let answered = false;
    const client = new MqttClient(() => {
      const stream = new WireStream(dial(address, endpoint.tls), {
        bridgeBit: this.#options.bridge && this.#version === 4,
        ackByPing: this.#options.ackByPing,
      });
      this.#stream = stream;
      return stream;
    }, options);
    this.#client = client;
    client.on("connect", (connack) => {
      answered = true;
      this.#versionSure = true;
      if (purging) {
        this.#purged = true;
        client.end(false);
      } else {
        this.#up(client, connack);
      }
    });
    client.on("error", (error: Error & { code?: unknown }) => this.#error(error, address, answered));
    client.on("disconnect", (packet) => {
      const code = packet.reasonCode ?? 0;
      this.#note(code === TAKEN_OVER ? "LOCAL_SESSION_TAKEN" : this.#code("unreachable"), `${address}: the broker disconnected us with 0x${code.toString(16)}`);
    });
    client.on("message", (topic, payload, packet) => this.#message(topic, payload, packet));
    client.on("close", () => this.#closed(client, address, answered, purging));
  }

  #up(client: MqttClient, connack: IConnackPacket): void {
    const { properties } = connack;
    const limits: SessionLimits = {
      receiveMaximum: properties?.receiveMaximum ?? 65_535,
      maximumPacketSize: properties?.maximumPacketSize ?? PACKET_BYTES_MAX,
    };
    this.#connected = true;
    this.#upAtMs = Date.now();
    this.#window = new SendWindow(limits, (packet, answer) => this.#send(client, packet, answer));
    this.#events.connected({ sessionPresent: connack.sessionPresent, protocolVersion: this.#version, limits });
  }

  #send(client: MqttClient, packet: PublishPacket, answer: (result: PublishResult) => void): void {
    const { topic, payload, qos, retain, properties = null, expirySeconds = null } = packet;
    const mapped = this.#version === 5 ? toPacketProperties(properties, expirySeconds) : null;
    const options = { qos, retain, ...(mapped === null ? {} : { properties: mapped }) };
    const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (qos === 0) {
      client.publish(topic, body, options);
      answer({ ok: true, reasonCode: 0 });
      return;
    }
    const track = this.#track(() => answer({ ok: false, why: "lost" }));
    client.publish(topic, body, options, (error, puback) => {
      const code = codeOf(error) ?? reasonCodeOf(puback);
      // Without a code the connection ended: #closed says so for everything at once.
      if (error != null && codeOf(error) === null) return;
      if (track()) answer({ ok: true, reasonCode: code ?? 0 });
    });
  }

  #message(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const { properties } = packet;
    const ids = properties?.subscriptionIdentifier;
    this.#events.message(topic, payload, {
      qos: packet.qos,
      retain: packet.retain,
      dup: packet.dup,
      properties: toMessageProperties(properties),
      expirySeconds: properties?.messageExpiryInterval ?? null,
      subscriptionIds: ids === undefined ? NO_IDS : Array.isArray(ids) ? ids : [ids],
    });
  }

  #error(error: Error & { code?: unknown }, address: string, answered: boolean): void {
    if (!answered && typeof error.code === "number") {
      if (BAD_VERSION.has(error.code) && this.#fallBack()) return;
      const login = BAD_LOGIN.has(error.code);
      this.#note(this.#code(login ? "refused" : "unreachable"), `${address}: ${error.message} (0x${error.code.toString(16)})`);
      return;
    }
    const { kind, reason } = dialFailure(error, address);
    this.#note(this.#code(kind === "tls" ? "tls" : "unreachable"), reason);
  }

  /** The first reason of a connection's end is the cause, later ones are consequences. */
  #note(code: ErrorCode, reason: string): void {
    this.#lastReason ??= { code, reason };
  }

  #fallBack(): boolean {
    if (this.#versionSure || this.#version === 4) return false;
    this.#version = 4;
    return true;
  }

  #closed(client: MqttClient, address: string, answered: boolean, purging: boolean): void {
    if (this.#client !== client) return;
    const wasConnected = this.#connected;
    this.#client = null;
    this.#stream = null;
    this.#connected = false;
    this.#window = null;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const { lost } of pending) lost();
    if (this.#stopped) return;
    if (purging && answered) {
      this.#dial();
      return;
    }
    // A broker of MQTT 3.1.1 may close a version it does not know without a word.
    const fellBack = !answered && this.#lastReason === null && this.#fallBack();
    if (!wasConnected && (fellBack || (!this.#versionSure && this.#version === 4 && this.#lastReason === null))) {
      this.#dial();
      return;
    }
    const { code, reason } = this.#lastReason ?? { code: this.#code("unreachable"), reason: `${address}: connection closed` };
    if (wasConnected && Date.now() - this.#upAtMs >= GOOD_CONNECTION_MS) this.#backoff.reset();
    if (!wasConnected) this.#urlAt += 1;
    this.#retry = setTimeout(() => this.#dial(), this.#backoff.next());
    this.#events.disconnected({ code, reason, wasConnected });
  }

  #code(kind: "unreachable" | "refused" | "tls"): ErrorCode {
    const local = this.#options.side === "local";
    switch (kind) {
      case "unreachable":
        return local ? "LOCAL_UNREACHABLE" : "PEER_UNREACHABLE";
      case "refused":
        return local ? "LOCAL_REFUSED" : "PEER_LOGIN_REFUSED";
      case "tls":
        return local ? "LOCAL_TLS" : "PEER_TLS";
    }
  }

  /** Registers a request; the function it answers says (once) whether the request was still open. */
  #track(lost: () => void): () => boolean {
    const entry = { atMs: Date.now(), lost };
    this.#pending.add(entry);
    return () => this.#pending.delete(entry);
  }

  #watchAnswers(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined || Date.now() - oldest.atMs < ANSWER_WAIT_MS) return;
    this.#note(this.#code("unreachable"), `no acknowledgement within ${ANSWER_WAIT_MS / 1000} s`);
    this.#stream?.destroy();
  }
}

function sameOptions(a: SubscribeEntry, b: SubscribeEntry | undefined): boolean {
  return b !== undefined && b.id === undefined && a.qos === b.qos && a.noLocal === b.noLocal && a.retainHandling === b.retainHandling && a.retainAsPublished === b.retainAsPublished;
}

function codeOf(error: unknown): number | null {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number" ? error.code : null;
}

function reasonCodeOf(packet: Packet | undefined): number | null {
  return packet !== undefined && "reasonCode" in packet && typeof packet.reasonCode === "number" ? packet.reasonCode : null;
}

function grantedOf(packet: Packet, error: unknown): number[] {
  const granted = "granted" in packet && Array.isArray(packet.granted) ? packet.granted.map(Number) : [];
  return granted.length > 0 ? granted : [codeOf(error) ?? 0x80];
}

function reasonCodes(packet: Packet | undefined, count: number): number[] {
  const granted = packet !== undefined && "granted" in packet && Array.isArray(packet.granted) ? packet.granted.map(Number) : [];
  return granted.length === count ? granted : new Array(count).fill(0);
}
