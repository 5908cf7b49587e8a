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
import { type SubscribeEntry, subscribePackets, unsubscribeBatches } from "./subscribe.ts";

export type CodesDone = (codes: readonly number[] | null) => void;

/** Newer Mosquitto drops answers past `max_queued_messages`, 1,000 by default: well below that. */
const WINDOW = 200;
/** Packets that wait their turn; an agent asks for one batch at a time, of a few thousand. */
const WAITING_MAX = 100_000;
const QUOTA_EXCEEDED = 0x97;

/** Sends one packet; its answer is one code per filter. */
interface Step {
  readonly filters: number;
  send(settle: Settle): void;
  readonly request: Request;
}

/** The codes come in the order of the packets, because a broker answers them in order or not at all. */
interface Request {
  readonly codes: number[];
  left: number;
  readonly done: CodesDone;
}

export class Requests {
  readonly #connection: Connection;
  readonly #limits: SessionLimits;
  readonly #counters: SessionCounters;
  readonly #waiting = new Ring<Step>(WAITING_MAX);
  #inflight = 0;

  constructor(connection: Connection, limits: SessionLimits, counters: SessionCounters) {
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
        send: (settle) => this.#connection.subscribe(packet, settle),
      })),
      done,
    );
  }

  unsubscribe(filters: readonly string[], done: CodesDone): void {
    const batches = unsubscribeBatches(filters, this.#limits.maximumPacketSize);
    this.#ask(
      batches.map((batch) => ({
        filters: batch.length,
        send: (settle) => this.#connection.unsubscribe(batch, settle),
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

  #ask(steps: readonly Omit<Step, "request">[], done: CodesDone): void {
    if (steps.length === 0) {
      setImmediate(done, []);
      return;
    }
    if (this.#waiting.length + steps.length > this.#waiting.limit) {
      this.#counters.requestsRefusedFull += steps.length;
      const filters = steps.reduce((sum, step) => sum + step.filters, 0);
      setImmediate(done, new Array<number>(filters).fill(QUOTA_EXCEEDED));
      return;
    }
    const request: Request = { codes: [], left: steps.length, done };
    for (const step of steps) this.#waiting.push({ ...step, request });
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
    const { request } = step;
    // UNSUBACK has no codes on 3.1.1: success.
    for (let index = 0; index < step.filters; index += 1) request.codes.push(codes[index] ?? 0);
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
