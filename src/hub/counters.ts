/** The numbers of one link. Plain fields and maps: metrics and the API read them, nothing decides by them. */
import type { FramedMessage } from "../wire/message.ts";
import { TrafficByQos } from "./traffic-by-qos.ts";

export class Counters {
  /** `bytes` on the way, `plainBytes` as they were before compression; `packed`: frames that left compressed. */
  readonly sent = { messages: 0, bytes: 0, plainBytes: 0, frames: 0, packed: 0, resends: 0, byQos: new TrafficByQos() };
  readonly received = { messages: 0, bytes: 0, plainBytes: 0, frames: 0, packed: 0, byQos: new TrafficByQos() };
  /** Local messages handed to this link. */
  offered = 0;
  /** Republished on the local broker and, for QoS 1, confirmed by it. */
  republished = 0;
  /** Messages of ours that the peer has confirmed. */
  settled = 0;
  /** Frames that went on without the route operation they named. */
  gateTimeouts = 0;
  readonly #considered: () => number;
  readonly #consideredBefore: number;
  readonly #dropped = new Map<string, number>();
  readonly #conversation = new Map<string, number>();

  /** `considered`: local messages that were looked at for all links so far; some of them before this one was there. */
  constructor(considered: () => number) {
    this.#considered = considered;
    this.#consideredBefore = considered();
  }

  /** Local messages that the agent had for another peer, and this one does not want. */
  get suppressed(): number {
    return this.#considered() - this.#consideredBefore - this.offered;
  }

  /** `plainBytes`: before compression. */
  receivedFrame(messages: readonly FramedMessage[], bytes: number, plainBytes: number): void {
    this.received.frames += 1;
    this.received.messages += messages.length;
    this.received.byQos.add(messages);
    this.received.bytes += bytes;
    this.received.plainBytes += plainBytes;
    if (bytes !== plainBytes) this.received.packed += 1;
  }

  gateTimedOut(): void {
    this.gateTimeouts += 1;
  }

  drop(direction: "out" | "in", reason: string, count = 1): void {
    const key = `${direction} ${reason}`;
    this.#dropped.set(key, (this.#dropped.get(key) ?? 0) + count);
  }

  count(what: string): void {
    this.#conversation.set(what, (this.#conversation.get(what) ?? 0) + 1);
  }

  dropped(): { direction: string; reason: string; count: number }[] {
    return [...this.#dropped].map(([key, count]) => {
      const [direction = "", reason = ""] = key.split(" ");
      return { direction, reason, count };
    });
  }

  conversation(): { what: string; count: number }[] {
    return [...this.#conversation].map(([what, count]) => ({ what, count }));
  }
}
