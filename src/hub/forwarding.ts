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

/** Objects and their fields. */
const HELD_OVERHEAD_BYTES = 200;

export class Forwarding {
  readonly guard = new LoopGuard<Message>(heldSize);
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
        this.#goOn(nowMs);
        this.#offer(message, owed, nowMs);
        break;
      case "hold":
        // At once: a broker whose window is full of what we hold falls silent, and its publishers look like a circle.
        if (owed !== null) this.#acks.done(owed);
        this.#goOn(nowMs);
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

  /** What holds let go at a limit, before the end of the turn, or it would be in memory beside what is held. */
  #goOn(nowMs: number): void {
    for (const earlier of this.guard.released()) this.#offer(earlier, null, nowMs);
  }

  #offer(message: Message, due: Due | null, nowMs: number): void {
    this.#outbound.offer(message, due, nowMs);
    if (message.qos === 0) this.guard.left(message.topic, message.payload, nowMs);
  }
}

/** Of a message in memory, about: what is not its payload counts as well, since a client may put all of it there. */
function heldSize({ topic, payload, properties }: Message): number {
  let units = topic.length;
  if (properties === null) return HELD_OVERHEAD_BYTES + 2 * units + payload.length;
  const { contentType = "", responseTopic = "", correlationData, userProperties = [] } = properties;
  units += contentType.length + responseTopic.length;
  for (const [key, value] of userProperties) units += HELD_OVERHEAD_BYTES + key.length + value.length;
  return HELD_OVERHEAD_BYTES + 2 * units + payload.length + (correlationData?.length ?? 0);
}
