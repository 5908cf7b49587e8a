/**
 * One connection to a broker, from CONNECT to its end, made of the client library and our stream below it. It translates:
 * packets into calls of its owner, and calls into packets. It is used once; nothing of it is ever sent again.
 *
 * Answers are read from the library's `packetreceive`, because its callbacks lose reason codes and come too late: behind
 * messages that arrived after the answer.
 */
import type { Duplex } from "node:stream";
import { type IClientOptions, type IPublishPacket, MqttClient, type Packet } from "mqtt";
import { AckTable, type Settle } from "./ack-table.ts";
import type { ConnectionEnd } from "./connection-end.ts";
import type { Dialled } from "./dial.ts";
import { codeOf, isTlsFailure } from "./dial-problem.ts";
import type { Dialect } from "./dialect.ts";
import { limitsOf, type SessionLimits } from "./limits.ts";
import { type PacketProperties, toBuffer, toLibrary } from "./packet-properties.ts";
import { PacketStream } from "./packet-stream.ts";
import { outgoingProperties, type PublishPacket } from "./publish.ts";
import type { SubscribePacket } from "./subscribe.ts";

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
}

export interface MessageAbout {
  /** A QoS 2 message is told as 1. */
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: PacketProperties | null;
  /** Empty on 3.1.1. */
  readonly subscriptionIds: readonly number[];
}

export interface ConnectionOptions {
  readonly dialect: Dialect;
  readonly clientId: string;
  readonly clean: boolean;
  /** MQTT 5 only. */
  readonly expirySeconds: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly will: Will | null;
  readonly keepAliveSeconds: number;
  readonly maximumPacketSize: number | null;
  readonly connackTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly ackByPing: boolean;
}

export interface ConnectionEvents {
  up(sessionPresent: boolean, limits: SessionLimits): void;
  /** The payload may be a part of a larger buffer: copy what is kept for long. */
  message(topic: string, payload: Uint8Array, about: MessageAbout): void;
  /** The broker took bytes that had waited. */
  drained(): void;
  /** Once; nothing is called after it. What still waits for an answer gets it from `lose`. */
  over(end: ConnectionEnd): void;
}

/** How finely the deadline of an answer is kept. */
const TICKS_PER_ACK_TIMEOUT = 20;
/** A broker that was sent a DISCONNECT closes the connection itself (MQTT-3.14.4); one that does not is left. */
const CLOSE_TIMEOUT_MS = 1_000;
const CLOSED_ON_US: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
/** The library's words for it; it has no code. */
const CONNACK_TIMEOUT = "connack timeout";

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #stream: PacketStream;
  readonly #client: MqttClient;
  readonly #acks = new AckTable();
  /** The identifier of the packet that the library just made. */
  #madeId: number | null = null;
  #up = false;
  #end: ConnectionEnd | null = null;
  #over = false;
  #ackTimer: NodeJS.Timeout | null = null;
  #closeTimer: NodeJS.Timeout | null = null;

  constructor(dialled: Dialled, options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    const { bridge } = options.dialect;
    this.#stream = new PacketStream(dialled.stream, {
      bridge,
      ackByPing: options.ackByPing,
      framed: dialled.framed,
    });
    this.#client = this.#start(this.#stream);
    this.#stream.on("drain", () => this.#events.drained());
  }

  /** The packets that wait for the broker's answer. */
  get waiting(): number {
    return this.#acks.size;
  }

  /** Bytes that the broker has not taken yet. */
  get waitingBytes(): number {
    return this.#stream.waitingBytes;
  }

  get pings(): number {
    return this.#stream.pings;
  }

  /** QoS 1 is answered by one reason code. */
  publish(packet: PublishPacket, settle: Settle | null): void {
    const { topic, payload, qos, retain } = packet;
    const properties = outgoingProperties(packet, this.#options.dialect.version);
    const options = {
      qos,
      retain,
      ...(properties === null ? {} : { properties: toLibrary(properties) }),
    };
    // Without a callback: the library would hang one on `drain` for each packet written while the broker takes nothing.
    this.#make(settle, () => this.#client.publish(topic, toBuffer(payload), options));
  }

  /** Answered by one reason code per filter. */
  subscribe(packet: SubscribePacket, settle: Settle): void {
    const { filters, qos, id } = packet;
    const options = {
      qos,
      nl: packet.noLocal,
      rap: packet.retainAsPublished,
      rh: packet.retainHandling,
      ...(id === null ? {} : { properties: { subscriptionIdentifier: id } }),
    };
    this.#make(this.#expecting(filters.length, settle), () => this.#client.subscribe([...filters], options, ignore));
  }

  /** Answered by one reason code per filter; by none on 3.1.1. */
  unsubscribe(filters: readonly string[], settle: Settle): void {
    const count = this.#options.dialect.version === 5 ? filters.length : 0;
    this.#make(this.#expecting(count, settle), () => this.#client.unsubscribe([...filters], ignore));
  }

  /** Says goodbye behind everything that was written; `over` follows. */
  close(): void {
    if (this.#closeTimer !== null) return;
    this.#end ??= { kind: "closed" };
    this.#stopAckTimer();
    this.#stream.disconnect();
    this.#closeTimer = setTimeout(() => this.#stream.destroy(), CLOSE_TIMEOUT_MS);
  }

  /** Ends it without a goodbye; `over` follows on a later turn. */
  destroy(end: ConnectionEnd): void {
    this.#end ??= end;
    this.#stopAckTimer();
    this.#stream.destroy();
  }

  /** Answers everything that still waits as lost. Called by the owner when it is over, once it has let go of this. */
  lose(): void {
    this.#acks.lose();
  }

  #start(stream: Duplex): MqttClient {
    const client = new MqttClient(() => stream, this.#clientOptions());
    client.on("packetreceive", (packet) => this.#received(packet));
    client.on("message", (topic, payload, packet) => this.#message(topic, payload, packet));
    // Called behind `message`: an error keeps the PUBACK back, and nothing else.
    client.handleMessage = (_packet, done) => done(this.#listening ? undefined : new Error("not taken"));
    client.on("disconnect", (packet) => {
      this.#end ??= { kind: "disconnected", reasonCode: packet.reasonCode ?? 0 };
      this.#stream.destroy();
    });
    // The library goes on after some errors, with a parser that lost its place: the connection is worth nothing then.
    client.on("error", (error) => this.destroy(this.#failure(error)));
    client.on("close", () => this.#closed());
    return client;
  }

  #clientOptions(): IClientOptions {
    const { dialect, clientId, clean, username, password, will, keepAliveSeconds } = this.#options;
    const { expirySeconds, maximumPacketSize, connackTimeoutMs } = this.#options;
    const connectProperties = {
      ...(expirySeconds === 0 ? {} : { sessionExpiryInterval: expirySeconds }),
      ...(maximumPacketSize === null ? {} : { maximumPacketSize }),
    };
    return {
      protocolVersion: dialect.version,
      clientId,
      clean,
      keepalive: keepAliveSeconds,
      connectTimeout: connackTimeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      messageIdProvider: {
        allocate: () => {
          this.#madeId = this.#acks.nextId();
          return this.#madeId;
        },
        getLastAllocated: () => this.#madeId,
        register: () => true,
        deallocate: ignore,
        clear: ignore,
      },
      ...(dialect.version === 5 ? { properties: connectProperties } : {}),
      // The library takes no password without a name, which MQTT 5 allows (3.1.2.8): an empty name is one.
      ...(username === null && password === null ? {} : { username: username ?? "" }),
      ...(password === null ? {} : { password }),
      ...(will === null ? {} : { will: { ...will, payload: toBuffer(will.payload), retain: false } }),
    };
  }

  /** An answer with another number of codes than it has to have (MQTT-3.9.3-1, MQTT-3.11.3-1) means nothing: the broker's fault. */
  #expecting(codesCount: number, settle: Settle): Settle {
    return (codes) => {
      if (codes !== null && codes.length !== codesCount) {
        this.destroy({ kind: "lost", reason: `the broker answered ${codesCount} filters with ${codes.length} codes` });
        settle(null);
      } else settle(codes);
    };
  }

  /** Lets the library make one packet and waits for its answer, if it has one. */
  #make(settle: Settle | null, make: () => void): void {
    if (this.#end !== null) {
      // Behind our goodbye nothing may be written: the stream would end with an error, before the goodbye has left.
      if (settle !== null) setImmediate(settle, null);
      return;
    }
    this.#madeId = null;
    make();
    if (this.#madeId !== null && settle !== null) this.#acks.wait(this.#madeId, settle);
    else if (settle !== null) setImmediate(settle, null);
  }

  #received(packet: Packet): void {
    if (this.#end !== null && this.#end.kind !== "closed") return;
    switch (packet.cmd) {
      case "connack": {
        const reasonCode = packet.reasonCode ?? packet.returnCode ?? 0;
        if (reasonCode !== 0) {
          this.#end = { kind: "refused", reasonCode };
          return;
        }
        // The library can send only once it has handled this itself, and handles the next packet a tick later: between the two.
        const asked = this.#options.dialect.version === 5 ? this.#options.expirySeconds : null;
        const limits = limitsOf(packet.properties ?? {}, asked);
        process.nextTick(() => this.#connected(packet.sessionPresent, limits));
        return;
      }
      case "puback": {
        const id = packet.messageId ?? 0;
        this.#acks.answer(id, [this.#stream.pubackCodes.take(id, packet.reasonCode ?? 0)]);
        return;
      }
      case "suback":
        this.#acks.answer(packet.messageId ?? 0, numbers(packet.granted));
        return;
      case "unsuback":
        // The type of this packet leaves out what the parser puts in for MQTT 5.
        this.#acks.answer(packet.messageId ?? 0, "granted" in packet ? numbers(packet.granted) : []);
        return;
    }
  }

  #connected(sessionPresent: boolean, limits: SessionLimits): void {
    if (this.#end !== null || this.#over) return;
    this.#up = true;
    const { ackTimeoutMs } = this.#options;
    this.#ackTimer = setInterval(() => {
      if (this.#acks.tick() <= TICKS_PER_ACK_TIMEOUT) return;
      this.destroy({
        kind: "lost",
        reason: `the broker left a packet unanswered for ${ackTimeoutMs / 1000} s`,
      });
    }, ackTimeoutMs / TICKS_PER_ACK_TIMEOUT);
    this.#events.up(sessionPresent, limits);
  }

  #message(topic: string, payload: Uint8Array, packet: IPublishPacket): void {
    if (!this.#listening) return;
    const { properties, qos, retain, dup } = packet;
    const ids = properties?.subscriptionIdentifier ?? [];
    this.#events.message(topic, payload, {
      qos: qos === 0 ? 0 : 1,
      retain,
      dup,
      packetId: packet.messageId ?? 0,
      properties: properties ?? null,
      subscriptionIds: typeof ids === "number" ? [ids] : ids,
    });
  }

  /** What arrives behind our goodbye is not taken: unacknowledged, it waits for the next connection. */
  get #listening(): boolean {
    return this.#up && this.#end === null;
  }

  #failure(error: Error): ConnectionEnd {
    if (error.message === CONNACK_TIMEOUT) {
      return { kind: "silent", reason: `no answer to CONNECT within ${this.#options.connackTimeoutMs / 1000} s` };
    }
    const why = error.message === "" ? (codeOf(error) ?? error.name) : error.message;
    return this.#up ? { kind: "lost", reason: why } : { kind: "silent", reason: why };
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopAckTimer();
    if (this.#closeTimer !== null) clearTimeout(this.#closeTimer);
    this.#events.over(this.#end ?? this.#endOfStream());
  }

  #endOfStream(): ConnectionEnd {
    const { problem } = this.#stream;
    if (problem === null) {
      return this.#up
        ? { kind: "dropped", reason: "the broker closed the connection" }
        : { kind: "silent", reason: "the broker closed the connection without an answer" };
    }
    // TLS 1.3 lets a client finish before the server has looked at its certificate.
    if (!this.#up && isTlsFailure(codeOf(problem))) return { kind: "tls", reason: problem.message.trim() };
    // What it looks like depends on what we were writing at that moment.
    if (this.#up && CLOSED_ON_US.has(codeOf(problem) ?? "")) {
      return { kind: "dropped", reason: "the broker closed the connection" };
    }
    return this.#failure(problem);
  }

  #stopAckTimer(): void {
    if (this.#ackTimer !== null) clearInterval(this.#ackTimer);
    this.#ackTimer = null;
  }
}

function numbers(values: unknown): readonly number[] {
  return Array.isArray(values) ? values.filter((value): value is number => typeof value === "number") : [];
}

function ignore(): void {}
