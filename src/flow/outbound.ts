/**
 * One link's messages on their way to the peer: two lanes for reliable ones, a bounded queue for best-effort ones, and the
 * frames that carry them. Pure: frames go out as values; only the peer's own word settles a message, never a broker's
 * acknowledgement of a frame.
 *
 * The owner asks for frames at the end of each turn: a lone message leaves at once, a burst shares frames.
 */
import { framedSize } from "../wire/frame.ts";
import type { Message } from "../wire/message.ts";
import { AckLedger, type Due } from "./ack-ledger.ts";
import { BestEffortQueue } from "./best-effort.ts";
import { ConfirmedFrames } from "./confirmed-frames.ts";
import { Delays } from "./delays.ts";
import { DrainPace } from "./drain-pace.ts";
import { FrameLimits } from "./frame-limits.ts";
import { Intake } from "./intake.ts";
import { Lane, type LaneFrame } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { MemorySpoolLog } from "./memory-spool-log.ts";
import type { OutboundDropReason, OutboundOptions } from "./outbound-options.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";
import type { SpoolLog } from "./spool-log.ts";
import type { RefusedMessage } from "./suspect.ts";

/** Reason codes that say that a packet is too large for a broker (MQTT 5, 4.13 and 3.4.2.1). */
const PACKET_TOO_LARGE = 0x95;

export class Outbound {
  readonly lanes: Lanes;
  /** Of what has waited, in whichever lane. */
  readonly pace: DrainPace;
  readonly delays = new Delays();
  #options: OutboundOptions;
  readonly #dropped: (reason: OutboundDropReason, count: number) => void;
  readonly #ledger: AckLedger;
  readonly #bestEffort = new BestEffortQueue();
  readonly intake: Intake;
  #open = false;
  #congested = false;
  readonly #limits = new FrameLimits();
  /** Frames published at QoS 1 since the last restart, by their id. */
  readonly #confirmed = new ConfirmedFrames();

  /** `newStream`: names a log in memory. */
  constructor(
    newStream: () => string,
    options: OutboundOptions,
    dropped: (reason: OutboundDropReason, count: number) => void,
    ledger = new AckLedger(() => {}),
  ) {
    this.pace = new DrainPace(options.drainPerSecond ?? null);
    const parts = { options, ledger, delays: this.delays, dropped };
    const lane = (log: SpoolLog) => new Lane(log, this.pace.lane(), parts);
    const logs = options.logs ?? { main: new MemorySpoolLog(newStream()), live: new MemorySpoolLog(newStream()) };
    this.pace.seen(logs.main);
    this.lanes = new Lanes(lane(logs.main), lane(logs.live), options.spool, options.topicsMax);
    const whenFull = () => this.#options.spool.whenFull;
    this.intake = new Intake(this.lanes, ledger, whenFull, ({ reason, count }) => dropped(reason, count));
    this.#options = options;
    this.#ledger = ledger;
    this.#dropped = dropped;
  }

  /** Other limits, from now on. The logs, and with them the streams, stay. */
  reconfigure(options: OutboundOptions): void {
    this.#options = options;
    for (const lane of this.lanes.both) lane.reconfigure(options);
    this.lanes.limit(options.spool);
    this.pace.cap(options.drainPerSecond ?? null);
  }

  /** Whether an acknowledgement may have to wait for this link. */
  get withholds(): boolean {
    return this.lanes.main.dues.withholds;
  }

  /** Messages that the peer has not confirmed. */
  get depth(): number {
    return this.lanes.main.spool.depth + this.lanes.live.spool.depth;
  }

  get bytes(): number {
    return this.lanes.main.spool.bytes + this.lanes.live.spool.bytes;
  }

  /** Null: nothing is kept. */
  get oldestStoredAtMs(): number | null {
    const atMs = this.lanes.both.flatMap(({ spool }) => spool.oldestStoredAtMs ?? []);
    return atMs.length === 0 ? null : Math.min(...atMs);
  }

  get inflight(): number {
    return this.lanes.main.inflight + this.lanes.live.inflight;
  }

  /** Of the lane that moved last. */
  get roundTripMs(): number {
    const { main, live } = this.lanes;
    return (live.progressAtMs > main.progressAtMs ? live : main).roundTripMs;
  }

  /** The shortest on this connection, of either lane; Infinity: nothing was confirmed yet. */
  get leastRoundTripMs(): number {
    return Math.min(this.lanes.main.leastRoundTripMs, this.lanes.live.leastRoundTripMs);
  }

  /** Messages that were not sent yet. */
  get unsent(): number {
    return this.#bestEffort.length + this.lanes.main.unsent + this.lanes.live.unsent;
  }

  /** Messages that are neither spooled nor acknowledged, because there is no room or the disk has to come first. */
  get waiting(): number {
    return this.intake.waiting;
  }

  get bestEffortQueued(): number {
    return this.#bestEffort.length;
  }

  /** Whether the peer listens: what is offered leaves, instead of waiting for its return. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether something waits for the connection only. */
  get isHeldBack(): boolean {
    return this.#open && this.#congested && this.unsent > 0;
  }

  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes.both) {
      deadlineMs = Math.min(deadlineMs, lane.deadlineMs);
      if (this.#open) deadlineMs = Math.min(deadlineMs, lane.openDeadlineMs);
    }
    return deadlineMs;
  }

  /** The peer listens (again): what was under way is in doubt and goes first, with the same numbers. */
  opened(frameBytesMax: number): void {
    this.#limits.named(frameBytesMax);
    this.#open = true;
    for (const { suspect } of this.lanes.both) suspect.answered();
    this.lanes.opened();
    this.#again();
  }

  /** The connection is another one, or none. */
  disconnected(): void {
    this.#doubt();
    this.closed();
  }

  /** The peer does not listen. What is best effort is not kept for its return. */
  closed(): void {
    this.#open = false;
    this.#congested = false;
    this.lanes.closed();
    for (const lane of this.lanes.both) lane.stop();
    if (this.#bestEffort.length > 0) this.#dropped("peer_away", this.#bestEffort.length);
    this.#bestEffort.clear();
  }

  /** The peer lost its record (a new life): everything unconfirmed goes again. */
  restart(): void {
    this.#doubt();
    this.#again();
  }

  #again(): void {
    for (const lane of this.lanes.both) lane.rewind(true);
    this.#confirmed.clear();
    this.#confirmed.wanted();
  }

  #doubt(): void {
    for (const { suspect } of this.lanes.both) suspect.doubt();
  }

  /** The connection's own send buffer is full (or drained): best-effort messages wait meanwhile. */
  congested(on: boolean): void {
    this.#congested = on;
  }

  /**
   * `due`: the acknowledgement that waits until the message is safe; held by this link until then. Answers the lane that
   * has the message as its last number; null: none has it (yet).
   */
  offer(message: Message, due: Due | null, nowMs: number): Lane | null {
    const bytes = framedSize(message);
    if (bytes === null || bytes > this.#limits.messageBytesMax) {
      this.#dropped(bytes === null ? "malformed" : "too_large", 1);
      if (due !== null) this.#ledger.done(due);
    } else if (message.qos === 1) {
      this.pace.offered(nowMs);
      return this.intake.take(message, bytes, due, nowMs);
    } else if (!this.#open) {
      this.#dropped("peer_away", 1);
    } else {
      const pushedOut = this.#bestEffort.push({ message, bytes, queuedAtMs: nowMs });
      if (pushedOut > 0) this.#dropped("best_effort_full", pushedOut);
    }
    return null;
  }

  /** More is on the disk than before. */
  synced(nowMs: number): void {
    for (const { dues } of this.lanes.both) dues.synced();
    this.intake.admit(nowMs);
  }

  /** The peer's word: of a stream, everything up to `upTo`, and the ranges, is settled. Answers the messages settled just now. */
  settled(
    stream: string,
    upTo: number,
    ranges: readonly (readonly [number, number])[],
    nowMs: number,
  ): readonly Message[] {
    const messages = this.lanes.of(stream)?.settled(upTo, ranges, nowMs) ?? [];
    this.lanes.freed();
    this.intake.admit(nowMs);
    return messages;
  }

  /**
   * A broker refused a confirmed frame. Too large: everything under way goes again at once in smaller ones, since a frame
   * that nobody confirms may have met the same limit without a word; one message alone is given up, and larger ones with it.
   */
  refused(id: number, reasonCode: number): void {
    // Told, it is not lost without a word; and access rights are not the message's fault.
    this.#doubt();
    const frame = this.#confirmed.get(id);
    if (frame === undefined || reasonCode !== PACKET_TOO_LARGE) return;
    const { lane, messages, bytes, number } = frame;
    if (messages > 1) {
      this.#limits.refusedBatch(bytes);
      this.#again();
      return;
    }
    if (number === null || lane.spool.isSettled(number)) return;
    this.#limits.refusedMessage(bytes);
    lane.tooLarge(number);
    this.lanes.freed();
  }

  /** Gives up what is too old, and repeats what is overdue. `heardAtMs`: when the peer last said anything. */
  tick(nowMs: number, heardAtMs = Number.NEGATIVE_INFINITY): boolean {
    this.lanes.expire(nowMs);
    this.intake.admit(nowMs);
    if (!this.#open) return false;
    let repeated = false;
    for (const lane of this.lanes.both) repeated = lane.repeat(nowMs, heardAtMs) || repeated;
    if (repeated) this.#confirmed.wanted();
    this.lanes.freed();
    return repeated;
  }

  /** Whether the peer has to be greeted, so that its answer shows that the way is open: answers true once. */
  takeProofRequest(): boolean {
    return this.lanes.both.map(({ suspect }) => suspect.takeProofRequest()).includes(true);
  }

  /** Messages that were given up because they never came through, and that nobody has named yet. */
  takeRefused(): RefusedMessage[] {
    return this.lanes.both.flatMap(({ suspect }) => suspect.refused.splice(0));
  }

  /** The next frame that may leave now; null: none may. */
  nextFrame(nowMs: number): OutgoingFrame | null {
    if (!this.#open) return null;
    let [first, begun]: [Lane | null, LaneFrame | null] = [null, null];
    for (const lane of this.lanes.inTurn) {
      if (this.#congested && lane.inflight > 0) continue;
      [first, begun] = [lane, lane.fill(this.#limits, nowMs)];
      if (begun.messages.length > 0) break;
    }
    this.lanes.freed();
    if (first === null || begun === null) return null;
    const { messages, messagesMax, resend } = begun;
    let { bytes } = begun;
    const reliable = messages.length;
    if (!this.#congested) {
      const limit = this.#limits.batchBytesMax;
      const filled = this.#bestEffort.fill(messages, bytes, { messages: messagesMax, bytes: limit }, nowMs);
      bytes = filled.bytes;
      if (filled.expired > 0) this.#dropped("expired", filled.expired);
    }
    if (messages.length === 0) return this.intake.admit(nowMs) ? this.nextFrame(nowMs) : null;
    if (reliable > 0) this.lanes.left(first);
    const { stream, base } = first.spool;
    return { ...this.#confirmed.number(first, messages, bytes, resend, nowMs), stream, messages, base, resend };
  }

  /** Carries nothing; the broker's answer shows whether it takes frames. */
  emptyFrame(nowMs: number): OutgoingFrame {
    const { main } = this.lanes;
    const { stream, base } = main.spool;
    return { ...this.#confirmed.number(main, [], 0, false, nowMs), stream, messages: [], base, resend: false };
  }
}
