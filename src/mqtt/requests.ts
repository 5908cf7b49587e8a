/**
 * SUBSCRIBE and UNSUBSCRIBE of one connection, in the order in which they were asked. A filter with an identifier of its
 * own needs a packet of its own, so one request may be thousands of packets: they go out in a pipeline, of which the
 * broker never owes us more than a window of answers.
 */
import { Ring } from "../base/ring.ts";
import type { Settle } from "./ack-table.ts";
import type { Connection } from "./connection.ts";
import type { SessionLimits } from "./limits.ts";
import type { SessionCounters } from "./session-counters.ts";
import { type SubscribeEntry, subscribeBytesMax, subscribePackets, unsubscribePackets } from "./subscribe.ts";

export type CodesDone = (codes: readonly number[] | null) => void;

/** Newer Mosquitto drops answers past `max_queued_messages`, 1,000 by default: well below that. */
const WINDOW = 200;
/** Packets that wait their turn; an agent asks for one batch at a time, of a few thousand. */
const WAITING_MAX = 100_000;
const QUOTA_EXCEEDED = 0x97;
const PACKET_TOO_LARGE = 0x95;

/** One packet to send; its answer is one code per filter. */
interface Packet {
  readonly filters: number;
  send(settle: Settle): void;
}

interface Step extends Packet {
  readonly request: Request;
  /** Where in the request its filters begin. */
  readonly at: number;
}

interface Request {
  /** By place, because nothing obliges a broker to answer packets in order. */
  readonly codes: number[];
  /** Packets without an answer; negative: lost. */
  left: number;
  readonly done: CodesDone;
}

export class Requests {
  readonly #connection: Pick<Connection, "subscribe" | "unsubscribe">;
  readonly #limits: SessionLimits;
  readonly #counters: SessionCounters;
  readonly #waiting = new Ring<Step>(WAITING_MAX);
  #inflight = 0;

  constructor(
    connection: Pick<Connection, "subscribe" | "unsubscribe">,
    limits: SessionLimits,
    counters: SessionCounters,
  ) {
    this.#connection = connection;
    this.#limits = limits;
    this.#counters = counters;
  }

  get idle(): boolean {
    return this.#inflight === 0 && this.#waiting.length === 0;
  }

  subscribe(entries: readonly SubscribeEntry[], done: CodesDone): void {
    const { subscriptionIdsAvailable, maximumPacketSize } = this.#limits;
    const packets = subscribePackets(entries, subscriptionIdsAvailable, maximumPacketSize);
    this.#ask(
      packets.map((packet) => ({
        filters: packet.filters.length,
        // A broker ends the connection at a packet above its limit (MQTT-3.2.2-15), so it gets none.
        send: (settle) =>
          subscribeBytesMax(packet) > maximumPacketSize
            ? setImmediate(settle, [PACKET_TOO_LARGE])
            : this.#connection.subscribe(packet, settle),
      })),
      done,
    );
  }

  unsubscribe(filters: readonly string[], done: CodesDone): void {
    const batches = unsubscribePackets(filters, this.#limits.maximumPacketSize);
    this.#ask(
      batches.map((packet) => ({
        filters: packet.filters.length,
        send: (settle) =>
          subscribeBytesMax(packet) > this.#limits.maximumPacketSize
            ? setImmediate(settle, [PACKET_TOO_LARGE])
            : this.#connection.unsubscribe(packet.filters, settle),
      })),
      done,
    );
  }

  /** The connection is over; what was in flight is answered by the connection itself. */
  lose(): void {
    for (let step = this.#waiting.shift(); step !== undefined; step = this.#waiting.shift()) {
      this.#lost(step.request);
    }
  }

  #ask(packets: readonly Packet[], done: CodesDone): void {
    const filters = packets.reduce((sum, packet) => sum + packet.filters, 0);
    if (packets.length === 0) {
      setImmediate(done, []);
      return;
    }
    if (this.#waiting.length + packets.length > this.#waiting.limit) {
      this.#counters.requestsRefusedFull += packets.length;
      setImmediate(done, new Array<number>(filters).fill(QUOTA_EXCEEDED));
      return;
    }
    // UNSUBACK has no codes on 3.1.1: success.
    const request: Request = { codes: new Array<number>(filters).fill(0), left: packets.length, done };
    let at = 0;
    for (const packet of packets) {
      this.#waiting.push({ ...packet, request, at });
      at += packet.filters;
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#inflight < WINDOW) {
      const step = this.#waiting.shift();
      if (step === undefined) return;
      this.#inflight += 1;
      step.send((codes) => {
        this.#inflight -= 1;
        if (codes === null) this.#lost(step.request);
        else this.#answered(step, codes);
      });
    }
  }

  #answered(step: Step, codes: readonly number[]): void {
    const { request, at } = step;
    for (const [index, code] of codes.entries()) request.codes[at + index] = code;
    request.left -= 1;
    // A request that was lost before stays lost.
    if (request.left === 0) request.done(request.codes);
    this.#pump();
  }

  #lost(request: Request): void {
    if (request.left < 0) return;
    request.left = -1;
    request.done(null);
  }
}
