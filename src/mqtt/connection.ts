/**
 * One connection to a broker, from CONNECT to its end, made of the client library and our tap below it. It translates:
 * packets into calls of its owner, and calls into packets. It is used once; nothing of it is ever sent again.
 *
 * The library connects, makes SUBSCRIBE and UNSUBSCRIBE, keeps alive and reads what ends a connection. Messages and all
 * answers are the tap's: the library's callbacks lose reason codes, and come behind messages that arrived after the answer.
 */
import type { Duplex } from "node:stream";
import { MqttClient, type Packet } from "mqtt";
import { AckTable, type Settle } from "./ack-table.ts";
import type { ConnectionEnd } from "./connection-end.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-options.ts";
import { Deliveries } from "./deliveries.ts";
import type { Dialled } from "./dial.ts";
import { codeOf, isTlsFailure } from "./dial-problem.ts";
import { KeepAlive } from "./keep-alive.ts";
import { libraryOptions } from "./library-options.ts";
import { limitsOf, PACKET_BYTES_MAX, type SessionLimits } from "./limits.ts";
import type { PublishPacket } from "./publish.ts";
import type { ReceivedPublish } from "./publish-decoder.ts";
import type { SubscribePacket } from "./subscribe.ts";
import { Tap } from "./tap.ts";

/** How finely the deadline of an answer is kept. */
const TICKS_PER_ACK_TIMEOUT = 20;
/** A broker that was sent a DISCONNECT closes the connection itself (MQTT-3.14.4); one that does not is left. */
const CLOSE_TIMEOUT_MS = 1_000;
const CLOSED_ON_US: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
/**
 * Which identifiers are whose: the library's are for SUBSCRIBE and UNSUBSCRIBE, of which its owner has a few hundred under
 * way; the rest is for our own publishes.
 */
const REQUEST_IDS = [1, 4_095] as const;
const PUBLISH_IDS = [4_096, 65_535] as const;
/** The library's words for it; it has no code. */
const CONNACK_TIMEOUT = "connack timeout";

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #tap: Tap;
  readonly #client: MqttClient;
  readonly #requests = new AckTable(...REQUEST_IDS);
  readonly #publishes = new AckTable(...PUBLISH_IDS);
  readonly #deliveries: Deliveries;
  /** The identifier of the packet that the library just made. */
  #madeId: number | null = null;
  #up = false;
  #keepAlive: KeepAlive | null = null;
  #end: ConnectionEnd | null = null;
  #over = false;
  #ackTimer: NodeJS.Timeout | null = null;
  #closeTimer: NodeJS.Timeout | null = null;

  constructor(dialled: Dialled, options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#deliveries = new Deliveries(options.receiveMaximum, options.openBytesMax);
    this.#tap = new Tap(
      dialled.stream,
      {
        version: options.dialect.version,
        bridge: options.dialect.bridge,
        ackByPing: options.ackByPing,
        framed: dialled.framed,
        maximumPacketSize: options.maximumPacketSize ?? PACKET_BYTES_MAX,
      },
      {
        publish: (packet, bytes) => this.#message(packet, bytes),
        answer: (packetId, codes) => this.#answered(packetId, codes),
        alive: () => {
          if (this.#listening) this.#keepAlive?.heard(this.#tap.wroteAtMs);
        },
        drained: () => events.drained(),
        problem: (reason) => this.destroy(this.#up ? { kind: "lost", reason } : { kind: "silent", reason }),
      },
    );
    this.#client = this.#start(this.#tap);
  }

  get number(): number {
    return this.#options.number;
  }

  /** The packets that wait for the broker's answer. */
  get waiting(): number {
    return this.#requests.size + this.#publishes.size;
  }

  /** Bytes that the broker has not taken yet. */
  get waitingBytes(): number {
    return this.#tap.waitingBytes;
  }

  get pings(): number {
    return this.#tap.pings;
  }

  /** QoS 1 is answered by one reason code. */
  publish(packet: PublishPacket, settle: Settle | null): void {
    const packetId = packet.qos === 0 ? 0 : this.#publishes.nextId();
    if (this.#end !== null || packetId === null) {
      // Behind our goodbye nothing may be written.
      if (settle !== null) setImmediate(settle, null);
      return;
    }
    if (packet.qos === 1) this.#publishes.wait(packetId, settle ?? ignore);
    this.#tap.publish(packet, packetId);
  }

  /** Answers a message of this connection. What is not open, or comes behind our goodbye, is ignored: it is delivered again. */
  acknowledge(packetId: number, reasonCode: number): void {
    if (this.#end !== null) return;
    const qos = this.#deliveries.close(packetId);
    if (qos !== null) this.#tap.acknowledge(packetId, qos, reasonCode);
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
    this.#tap.disconnect();
    this.#closeTimer = setTimeout(() => this.#tap.destroy(), CLOSE_TIMEOUT_MS);
  }

  /** Ends it without a goodbye; `over` follows on a later turn. */
  destroy(end: ConnectionEnd): void {
    this.#end ??= end;
    this.#stopAckTimer();
    this.#tap.destroy();
  }

  /** Answers everything that still waits as lost. Called by the owner when it is over, once it has let go of this. */
  lose(): void {
    this.#requests.lose();
    this.#publishes.lose();
  }

  #start(stream: Duplex): MqttClient {
    const client = new MqttClient(
      () => stream,
      libraryOptions(this.#options, () => {
        this.#madeId = this.#requests.nextId();
        return this.#madeId;
      }),
    );
    client.on("packetreceive", (packet) => this.#received(packet));
    client.on("disconnect", (packet) => {
      this.#end ??= { kind: "disconnected", reasonCode: packet.reasonCode ?? 0 };
      this.#tap.destroy();
    });
    // The library goes on after some errors, with a parser that lost its place: the connection is worth nothing then.
    client.on("error", (error) => this.destroy(this.#failure(error)));
    client.on("close", () => this.#closed());
    return client;
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

  /** Lets the library make one packet and waits for its answer. */
  #make(settle: Settle, make: () => void): void {
    this.#madeId = null;
    // Behind our goodbye nothing may be written: the stream would end with an error, before the goodbye has left.
    if (this.#end === null) make();
    if (this.#madeId === null) setImmediate(settle, null);
    else this.#requests.wait(this.#madeId, settle);
  }

  #received(packet: Packet): void {
    if (packet.cmd !== "connack" || (this.#end !== null && this.#end.kind !== "closed")) return;
    const reasonCode = packet.reasonCode ?? packet.returnCode ?? 0;
    if (reasonCode !== 0) {
      this.#end = { kind: "refused", reasonCode };
      return;
    }
    // The library can send only once it has handled this itself.
    const asked = this.#options.dialect.version === 5 ? this.#options.expirySeconds : null;
    const limits = limitsOf(packet.properties ?? {}, asked);
    process.nextTick(() => {
      this.#connected(packet.sessionPresent, limits);
      this.#tap.open();
    });
  }

  #answered(packetId: number, codes: readonly number[]): void {
    if (this.#end !== null && this.#end.kind !== "closed") return;
    const table = packetId < PUBLISH_IDS[0] ? this.#requests : this.#publishes;
    table.answer(packetId, codes);
  }

  #connected(sessionPresent: boolean, limits: SessionLimits): void {
    if (this.#end !== null || this.#over) return;
    this.#up = true;
    const { ackTimeoutMs, keepAliveSeconds } = this.#options;
    this.#keepAlive = new KeepAlive(this.#client, limits.serverKeepAlive ?? keepAliveSeconds);
    this.#ackTimer = setInterval(() => {
      if (Math.max(this.#requests.tick(), this.#publishes.tick()) <= TICKS_PER_ACK_TIMEOUT) return;
      this.destroy({
        kind: "lost",
        reason: `the broker left a packet unanswered for ${ackTimeoutMs / 1000} s`,
      });
    }, ackTimeoutMs / TICKS_PER_ACK_TIMEOUT);
    this.#events.up(sessionPresent, limits);
  }

  #message(packet: ReceivedPublish, bytes: number): void {
    if (!this.#listening) return;
    const { topic, payload, qos, retain, dup, packetId, properties, subscriptionIds } = packet;
    if (qos !== 0) this.#deliveries.add(packetId, qos, bytes);
    if (this.#deliveries.overrun) {
      this.#overrun();
      return;
    }
    this.#events.message(topic, payload, {
      connection: this.#options.number,
      qos: qos === 0 ? 0 : 1,
      retain,
      dup,
      packetId,
      properties,
      subscriptionIds,
    });
    if (qos !== 0 && this.#options.acknowledge === "at_return") this.acknowledge(packetId, 0);
  }

  #overrun(): void {
    const { size, bytes, beyondCount } = this.#deliveries;
    const whose = beyondCount ? "the broker delivered more than we allow" : "too much is not acknowledged";
    this.#events.overrun();
    this.destroy({ kind: "lost", reason: `${whose}: ${size} messages of ${bytes} bytes wait for our answer` });
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
    const { problem } = this.#tap;
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

function ignore(): void {}
