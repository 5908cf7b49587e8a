/** The numbers of one link. Plain fields and maps: metrics and the API read them, nothing decides by them. */
export class Counters {
  /** `bytes` on the way, `plainBytes` as they were before compression; `packed`: frames that left compressed. */
  readonly sent = { messages: 0, bytes: 0, plainBytes: 0, frames: 0, packed: 0, resends: 0 };
  readonly received = { messages: 0, bytes: 0, plainBytes: 0, frames: 0, packed: 0 };
  /** Republished on the local broker and, for QoS 1, confirmed by it. */
  republished = 0;
  /** Messages of ours that the peer has confirmed. */
  settled = 0;
  /** Frames that went on without the route operation they named. */
  gateTimeouts = 0;
  readonly #dropped = new Map<string, number>();
  readonly #conversation = new Map<string, number>();

  /** `plainBytes`: before compression. */
  receivedFrame(messages: number, bytes: number, plainBytes: number): void {
    this.received.frames += 1;
    this.received.messages += messages;
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
