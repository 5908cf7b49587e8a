/**
 * Holds QoS 1 publishes back to the broker's Receive Maximum (MQTT-3.3.4-9), which mqtt.js does not, and refuses what
 * the broker's Maximum Packet Size would. Order is kept; the queue is bounded.
 */
import type { PublishPacket, PublishResult, SessionLimits } from "./packets.ts";

const QUEUE_MAX = 50_000;
/** Fixed header, lengths, packet identifier: room beside topic, payload and properties. */
const HEADER_BYTES = 32;

interface Queued {
  readonly packet: PublishPacket;
  readonly done: (result: PublishResult) => void;
}

export class SendWindow {
  readonly #limits: SessionLimits;
  readonly #send: (packet: PublishPacket, answer: (result: PublishResult) => void) => void;
  #queue: Queued[] = [];
  #head = 0;
  #inflight = 0;

  constructor(limits: SessionLimits, send: (packet: PublishPacket, answer: (result: PublishResult) => void) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  publish(packet: PublishPacket, done: (result: PublishResult) => void): void {
    if (sizeOf(packet) > this.#limits.maximumPacketSize) {
      setImmediate(() => done({ ok: false, why: "too_large" }));
      return;
    }
    if (packet.qos === 0) {
      this.#send(packet, done);
      return;
    }
    if (this.#queue.length - this.#head >= QUEUE_MAX) {
      setImmediate(() => done({ ok: false, why: "queue_full" }));
      return;
    }
    this.#queue.push({ packet, done });
    this.#pump();
  }

  #pump(): void {
    while (this.#head < this.#queue.length && this.#inflight < this.#limits.receiveMaximum) {
      const next = this.#queue[this.#head];
      this.#head += 1;
      if (next === undefined) break;
      this.#inflight += 1;
      this.#send(next.packet, (result) => {
        this.#inflight -= 1;
        next.done(result);
        this.#pump();
      });
    }
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

function sizeOf(packet: PublishPacket): number {
  let size = HEADER_BYTES + 3 * packet.topic.length + packet.payload.length;
  const { properties } = packet;
  if (properties == null) return size;
  size += 3 * ((properties.contentType?.length ?? 0) + (properties.responseTopic?.length ?? 0)) + (properties.correlationData?.length ?? 0);
  for (const [key, value] of properties.userProperties ?? []) size += 5 + 3 * (key.length + value.length);
  return size;
}
