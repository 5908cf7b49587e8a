/**
 * When one link's frames may leave, and in what size. Frames flow once the peer has accepted our greeting, and stop when
 * it has to be greeted again.
 */
import type { Outbound } from "../flow/outbound.ts";
import type { OutgoingFrame } from "../flow/outgoing-frame.ts";
import type { Conversation } from "../link/conversation.ts";
import { encodeFrame, FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { Counters } from "./counters.ts";
import { FramePacker } from "./frame-packer.ts";
import { FrameSpacing } from "./frame-spacing.ts";
import type { HubLinkOptions, LinkHost } from "./link-host.ts";
import type { Passage } from "./passage.ts";

/** Room for the fixed header, topic and properties of the PUBLISH that carries a frame, and the frame's own header. */
const FRAME_OVERHEAD_BYTES = 1_024;
/**
 * While frames are refused, the broker is asked with an empty one this long after the last. Seldom: Mosquitto 2.0.11 without
 * a limit for its queues (`max_queued_messages 0`) closes the connection behind each.
 */
const ASK_REFUSED_MS = 30_000;

export interface SendingLink {
  readonly name: string;
  readonly options: HubLinkOptions;
  readonly conversation: Conversation;
  readonly outbound: Outbound;
  readonly counters: Counters;
  readonly passage: Passage;
}

export class FrameSender {
  /** Largest packet that the broker on the way takes. */
  packetBytesMax = FRAME_BYTES_MAX;
  readonly #link: SendingLink;
  readonly #host: LinkHost;
  readonly packer: FramePacker;
  readonly #spacing = new FrameSpacing();
  #open = false;
  /** When to ask whether frames are still refused, if nothing else asks before. */
  #askAtMs = Number.POSITIVE_INFINITY;

  constructor(link: SendingLink, host: LinkHost) {
    this.#link = link;
    this.#host = host;
    this.packer = new FramePacker(link.options.compression ?? "auto", link.options.codec ?? null);
  }

  get deadlineMs(): number {
    return Math.min(this.#spacing.deadlineMs, this.#isRefused ? this.#askAtMs : Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#link.outbound.disconnected();
    this.#open = false;
  }

  /** One at a time: what the connection does not take stays in the queues, where it is bounded and counted. */
  flush(transportUp: boolean, nowMs: number): void {
    this.#gate(transportUp);
    const { name, outbound } = this.#link;
    const { outlet } = this.#host;
    for (const refused of outbound.takeRefused()) outlet.report({ type: "message_refused", link: name, ...refused });
    // Asked each time: what the connection holds grows with each frame.
    while (this.#spacing.mayLeave(outbound.unsent, this.#roundTripMs, nowMs)) {
      const congested = outlet.congested(name);
      if (congested) this.packer.congested(nowMs);
      outbound.congested(congested);
      const frame = outbound.nextFrame(nowMs);
      if (frame === null) break;
      this.#send(frame, nowMs);
    }
    // Its answer shows that they are taken again, although nobody publishes anything.
    if (this.#isRefused && nowMs >= this.#askAtMs) this.#send(outbound.emptyFrame(nowMs), nowMs);
  }

  get #isRefused(): boolean {
    return this.#open && this.#link.passage.framesRefused !== 0;
  }

  /** The least one known of this connection: queues at either end say nothing of the way. */
  get #roundTripMs(): number {
    const { conversation, outbound } = this.#link;
    return Math.min(conversation.announcer.terms.roundTripMs ?? Number.POSITIVE_INFINITY, outbound.leastRoundTripMs);
  }

  #send(frame: OutgoingFrame, nowMs: number): void {
    const { name, conversation, counters } = this.#link;
    const { outlet, identity } = this.#host;
    const plain = encodeFrame({
      speaker: identity.speaker(),
      routeOp: conversation.announcer.lastOp,
      stream: frame.stream,
      base: frame.base,
      messages: frame.messages,
    });
    const bytes = this.packer.pack(plain, this.#roundTripMs, nowMs);
    this.#spacing.left(nowMs);
    counters.sent.frames += 1;
    counters.sent.bytes += bytes.length;
    counters.sent.plainBytes += plain.length;
    if (bytes !== plain) counters.sent.packed += 1;
    if (frame.resend) counters.sent.resends += 1;
    else {
      counters.sent.messages += frame.messages.length;
      counters.sent.byQos.add(frame.messages);
    }
    if (frame.confirm) this.#askAtMs = nowMs + ASK_REFUSED_MS;
    outlet.sendFrame(name, frame.id, bytes, frame.confirm);
  }

  #gate(transportUp: boolean): void {
    const { announcer } = this.#link.conversation;
    const open = transportUp && (announcer.state === "online" || announcer.state === "bootstrapping");
    if (open === this.#open) return;
    this.#open = open;
    const { outbound } = this.#link;
    if (!open) {
      outbound.closed();
      return;
    }
    this.packer.opened(announcer.terms.expands);
    outbound.opened(Math.min(announcer.terms.frameBytesMax, this.packetBytesMax) - FRAME_OVERHEAD_BYTES);
  }
}
