/**
 * What waits for the local broker: a lane for each stream of the peer, and one for what is best effort. All in the order in
 * which it came, save for one thing: what waited longer than it should goes on at the pace of a backlog, since the queues
 * of the subscribers behind were not made for all of it at once; and meanwhile the other lanes pass it. Pure.
 *
 * A peer's next life begins behind everything of the life before: only within one life does it keep the topics of its
 * streams apart.
 */
import type { FramedMessage, Message } from "../wire/message.ts";
import { DrainPace } from "./drain-pace.ts";
import type { WaitingFrame } from "./frames-ahead.ts";
import { RepublishLane } from "./republish-lane.ts";

/** Messages of opened frames that wait for their turn; with more no frame is opened. */
const WAITING_MAX = 20_000;
/** What the wire format lets one frame hold: the last one opened may take the number that far past its limit. */
const FRAME_MESSAGES_MAX = 65_535;
/** Their payloads, together with those under way. */
const BYTES_MAX = 64 * 1024 * 1024;
const BEST_EFFORT = "";

export interface Pending {
  readonly stream: string;
  readonly number: number | null;
  readonly message: Message;
  readonly origin: string | null;
  /** When its frame came. */
  readonly cameAtMs: number;
  /** How long brokers had held it before. */
  readonly stayMs: number;
  /** Place in the order of arrival. */
  readonly place: number;
  readonly lane: RepublishLane;
  /** How often the local broker answered that it was busy. */
  busy: number;
}

export class RepublishQueue {
  readonly #lanes = new Map<string, RepublishLane>();
  #life = 0;
  #length = 0;
  #bytes = 0;
  #place = 0;
  readonly pace: DrainPace;

  /** `drainPerSecond`: what a backlog may at most take; null: by the rate of arrival alone. */
  constructor(drainPerSecond: number | null) {
    this.pace = new DrainPace(drainPerSecond);
  }

  get length(): number {
    return this.#length;
  }

  get hasRoom(): boolean {
    return this.#length < WAITING_MAX && this.#bytes < BYTES_MAX;
  }

  /** When more may be taken; Infinity: now, or nothing waits. */
  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const { length, pace } of this.#lanes.values())
      if (length > 0) deadlineMs = Math.min(deadlineMs, pace.deadlineMs);
    return deadlineMs;
  }

  /** The peer has begun another life. */
  speakerChanged(): void {
    this.#life += 1;
  }

  add({ message, number, origin }: FramedMessage, { frame, atMs, stayMs }: WaitingFrame, nowMs: number): void {
    this.#place += 1;
    const { stream } = frame;
    const lane = this.#lane(number === null ? BEST_EFFORT : stream);
    lane.add({ stream, number, message, origin, cameAtMs: atMs, stayMs, place: this.#place, lane, busy: 0 });
    this.#length += 1;
    this.#bytes += message.payload.length;
    this.pace.offered(nowMs);
  }

  /** What may go now, `max` at most. To be called also with 0: it tells when to come again. */
  take(max: number, nowMs: number): Pending[] {
    const taken: Pending[] = [];
    for (;;) {
      const [lane, allowed, behind] = this.#next(nowMs);
      if (lane === null) return taken;
      let count = 0;
      while (count < Math.min(allowed, max - taken.length) && lane.place < behind) {
        const pending = lane.take();
        if (pending !== undefined) taken.push(pending);
        count += 1;
      }
      if (count === 0) return taken;
      this.#length -= count;
      lane.pace.went(count);
    }
  }

  putBack(items: readonly Pending[]): void {
    for (const pending of items) pending.lane.putBack(pending);
    this.#length += items.length;
  }

  /** It needs no room any more. */
  done({ message, lane }: Pending): void {
    this.#bytes -= message.payload.length;
    lane.open -= 1;
    if (lane.open > 0) return;
    lane.pace.stop();
    this.#lanes.delete(lane.key);
  }

  /** The lane whose turn it is, how many may go of it, and the place of what is next in another one. */
  #next(nowMs: number): readonly [RepublishLane | null, number, number] {
    let life = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) if (lane.length > 0) life = Math.min(life, lane.life);
    let [first, allowed, behind]: [RepublishLane | null, number, number] = [null, 0, Number.POSITIVE_INFINITY];
    for (const lane of this.#lanes.values()) {
      const count = lane.length > 0 && lane.life > life ? 0 : lane.allowance(nowMs);
      if (count === 0) continue;
      if (lane.place < (first?.place ?? Number.POSITIVE_INFINITY)) {
        behind = first?.place ?? behind;
        [first, allowed] = [lane, count];
      } else behind = Math.min(behind, lane.place);
    }
    return [first, allowed, behind];
  }

  #lane(stream: string): RepublishLane {
    const key = `${this.#life} ${stream}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new RepublishLane(key, this.#life, this.pace.lane(), WAITING_MAX + FRAME_MESSAGES_MAX);
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}
