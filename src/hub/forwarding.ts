/**
 * Messages of local clients on their way into one link's queues, past the guard against circles that another bridge makes.
 * Each carries the acknowledgement that waits for it, and every way it can take ends in the queues or in giving it back.
 */
import type { AckLedger, Due } from "../flow/ack-ledger.ts";
import { LoopGuard } from "../flow/loop-guard.ts";
import { couldHaveLostMark } from "../flow/mark.ts";
import type { Outbound } from "../flow/outbound.ts";
import type { Message } from "../wire/message.ts";
import type { Counters } from "./counters.ts";

export class Forwarding {
  readonly guard = new LoopGuard<Message>();
  readonly #outbound: Outbound;
  readonly #acks: AckLedger;
  readonly #counters: Counters;

  constructor(outbound: Outbound, acks: AckLedger, counters: Counters) {
    this.#outbound = outbound;
    this.#acks = acks;
    this.#counters = counters;
  }

  /** A local message that the peer wants, unless another bridge carries it in a circle. */
  take(message: Message, due: Due | null, nowMs: number): void {
    const { topic, payload, properties } = message;
    this.#counters.offered += 1;
    const owed = this.#outbound.withholds ? due : null;
    if (owed !== null) this.#acks.hold(owed);
    const isWatched = couldHaveLostMark(properties) || this.guard.holds(topic);
    switch (isWatched ? this.guard.offer(topic, payload, message, nowMs) : "pass") {
      case "pass":
        for (const earlier of this.guard.released()) this.#offer(earlier, null, nowMs);
        this.#offer(message, owed, nowMs);
        break;
      case "hold":
        // At once: a broker whose window is full of what we hold falls silent, and its publishers look like a circle.
        if (owed !== null) this.#acks.done(owed);
        break;
      case "drop":
        this.#counters.drop("out", "foreign_loop");
        if (owed !== null) this.#acks.done(owed);
        break;
    }
  }

  /** What the guard held and whose time has come. */
  release(nowMs: number): void {
    for (const earlier of this.guard.release(nowMs)) this.#offer(earlier, null, nowMs);
  }

  #offer(message: Message, due: Due | null, nowMs: number): void {
    this.#outbound.offer(message, due, nowMs);
    if (message.qos === 0) this.guard.left(message.topic, message.payload, nowMs);
  }
}
