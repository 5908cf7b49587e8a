/** The two backlogs of one link, on their way to the peer and into the local broker, and what either broker's drops mean for them. */
import type { DrainPace } from "../flow/drain-pace.ts";
import type { DropBrake } from "../flow/drop-brake.ts";
import type { Inbound } from "../flow/inbound.ts";
import type { Outbound } from "../flow/outbound.ts";
import type { Conversation } from "../link/conversation.ts";
import type { DrainStatus } from "./status.ts";

/** Brokers tell of their drops every 10 s (Mosquitto's `sys_interval`): what drains no more may still be the cause. */
const TOLD_LATE_MS = 15_000;

export class LinkBacklog {
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #conversation: Conversation;
  readonly #brake: DropBrake;

  constructor(outbound: Outbound, inbound: Inbound, conversation: Conversation, brake: DropBrake) {
    this.#outbound = outbound;
    this.#inbound = inbound;
    this.#conversation = conversation;
    this.#brake = brake;
  }

  /** The peer's broker slows the one down, the local broker the other and the peer's own. */
  adapt(nowMs: number): void {
    const { percent } = this.#brake;
    this.#inbound.pace.slow(percent);
    this.#outbound.pace.slow(this.#conversation.peerBacklog.percent);
    this.#conversation.backlog({ draining: this.#outbound.pace.draining, percent }, nowMs);
  }

  /** Whether one goes into the local broker, or went a moment ago, from here or from the peer. */
  goesIn(nowMs: number): boolean {
    return nowMs - this.#inbound.pace.drainedAtMs < TOLD_LATE_MS || this.#conversation.peerBacklog.draining;
  }

  /** `canGo`: the link's connection stands; while it does not, nothing drains. */
  status(canGo: boolean): { readonly out: DrainStatus; readonly in: DrainStatus } {
    return { out: drainStatus(this.#outbound.pace, canGo), in: drainStatus(this.#inbound.pace, true) };
  }
}

function drainStatus(pace: DrainPace, canGo: boolean): DrainStatus {
  return { draining: canGo && pace.draining, perSecond: pace.perSecond };
}
