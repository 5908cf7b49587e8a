/**
 * The publishes of one connection: how many may be in flight, which wait, which are refused. Keeps within what the broker
 * allows; the queue is bounded, and nothing in it outlives the connection.
 */
import { Ring } from "../base/ring.ts";
import type { Connection } from "./connection.ts";
import type { SessionLimits } from "./limits.ts";
import { type PublishPacket, type PublishResult, publishBytes } from "./publish.ts";
import type { SessionCounters } from "./session-counters.ts";

export type PublishDone = (result: PublishResult) => void;

export interface OutboxOptions {
  readonly version: 4 | 5;
  readonly limits: SessionLimits;
  readonly inflightMax: number;
  readonly queueMax: number;
}

interface Queued {
  readonly packet: PublishPacket;
  readonly bytes: number;
  readonly done: PublishDone;
}

/** Past this the connection counts as slow: what has no hurry should wait. */
const CONGESTED_BYTES = 262_144;
/** Past this nothing more is handed down: QoS 1 waits in the queue, QoS 0 is refused. */
const HANDED_BYTES_MAX = 4_194_304;
/** What the queue holds at most beside its number of packets: a broker that stalls must not fill the memory with large ones. */
const QUEUE_BYTES_MAX = 67_108_864;
/** Reason codes that a broker would end the connection with (MQTT-3.2.2-11, MQTT-3.2.2-14). */
const RETAIN_NOT_SUPPORTED = 0x9a;
const QOS_NOT_SUPPORTED = 0x9b;

export class Outbox {
  readonly #connection: Pick<Connection, "publish" | "waitingBytes">;
  readonly #options: OutboxOptions;
  readonly #counters: SessionCounters;
  readonly #window: number;
  readonly #queue: Ring<Queued>;
  #queuedBytes = 0;
  #inflight = 0;

  constructor(
    connection: Pick<Connection, "publish" | "waitingBytes">,
    options: OutboxOptions,
    counters: SessionCounters,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#counters = counters;
    this.#window = Math.min(options.limits.receiveMaximum, options.inflightMax);
    this.#queue = new Ring(options.queueMax);
  }

  get idle(): boolean {
    return this.#inflight === 0 && this.#queue.length === 0 && this.#connection.waitingBytes === 0;
  }

  get congested(): boolean {
    return this.#queue.length > 0 || this.#connection.waitingBytes > CONGESTED_BYTES;
  }

  /** `done` is called on a later turn, also with what is known at once. */
  publish(packet: PublishPacket, done: PublishDone): void {
    const { limits, version } = this.#options;
    const bytes = publishBytes(packet, version);
    if (bytes > limits.maximumPacketSize) {
      this.#counters.publishesTooLarge += 1;
      setImmediate(done, { ok: false, why: "tooLarge" });
    } else if (packet.retain && !limits.retainAvailable) {
      setImmediate(done, { ok: true, reasonCode: RETAIN_NOT_SUPPORTED });
    } else if (packet.qos > limits.maximumQoS) {
      setImmediate(done, { ok: true, reasonCode: QOS_NOT_SUPPORTED });
    } else if (packet.qos === 0) this.#publishOnce(packet, done);
    else if (this.#queue.length === 0 && this.#hasRoom()) this.#send(packet, done);
    else if (this.#queuedBytes + bytes > QUEUE_BYTES_MAX || !this.#queue.push({ packet, bytes, done })) {
      this.#refuse(done);
    } else this.#queuedBytes += bytes;
  }

  /** Sends from the queue what may go now. */
  pump(): void {
    while (this.#hasRoom()) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#queuedBytes -= next.bytes;
      this.#send(next.packet, next.done);
    }
  }

  /** The connection is over; what was in flight is answered by the connection itself. */
  lose(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      next.done({ ok: false, why: "lost" });
    }
  }

  #hasRoom(): boolean {
    return this.#inflight < this.#window && this.#connection.waitingBytes < HANDED_BYTES_MAX;
  }

  #publishOnce(packet: PublishPacket, done: PublishDone): void {
    if (this.#connection.waitingBytes >= HANDED_BYTES_MAX) {
      this.#refuse(done);
      return;
    }
    this.#connection.publish(packet, null);
    setImmediate(done, { ok: true, reasonCode: 0 });
  }

  #refuse(done: PublishDone): void {
    this.#counters.publishesRefusedFull += 1;
    setImmediate(done, { ok: false, why: "full" });
  }

  #send(packet: PublishPacket, done: PublishDone): void {
    this.#inflight += 1;
    this.#connection.publish(packet, (codes) => {
      this.#inflight -= 1;
      if (codes === null) {
        done({ ok: false, why: "lost" });
        return;
      }
      done({ ok: true, reasonCode: codes[0] ?? 0 });
      this.pump();
    });
  }
}
