/**
 * Whether what is published on one link gets through, as far as anybody says: the broker on the way, by its answers to
 * us, and the peer, by what its heartbeats say of troubles that only it can know. No state of the conversation shows them:
 * an access rule may refuse frames while control messages pass, or our control messages while the peer's arrive.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { Trouble } from "../wire/message.ts";

/** Reason codes from here on are refusals (MQTT 5, 2.4). */
const REFUSED = 0x80;
/** Says something about one packet, nothing about the link. */
const PACKET_TOO_LARGE = 0x95;

export interface PassageProblem {
  readonly code: ErrorCode;
  readonly reason: string;
}

export class Passage {
  readonly #peer: string;
  /** The reason codes with which the broker on the way refuses ours; 0: it takes them, or was not asked yet. */
  #control = 0;
  #frames = 0;
  /** The same of the peer's frames, by its own word, and whether it hears us. */
  #peerFrames = 0;
  #unheard = false;

  constructor(peer: string) {
    this.#peer = peer;
  }

  /** Told to the peer. */
  get framesRefused(): number {
    return this.#frames;
  }

  controlAnswered(reasonCode: number): void {
    if (reasonCode !== PACKET_TOO_LARGE) this.#control = refusal(reasonCode);
  }

  frameAnswered(reasonCode: number): void {
    if (reasonCode !== PACKET_TOO_LARGE) this.#frames = refusal(reasonCode);
  }

  /** Answers what is new and bad. */
  peerSays(trouble: Trouble): PassageProblem[] {
    const before = { frames: this.#peerFrames, unheard: this.#unheard };
    this.#peerFrames = trouble.framesRefused;
    this.#unheard = trouble.unheard;
    if (this.#peerFrames !== 0 && before.frames !== this.#peerFrames)
      return [{ code: "MESSAGE_REFUSED", reason: this.#inward() }];
    if (this.#unheard && !before.unheard) return [{ code: "PEER_SILENT", reason: this.#unheardText() }];
    return [];
  }

  /** Why what we publish does not all reach the peer; null: nobody says so. */
  get outward(): string | null {
    if (this.#control !== 0) return `the broker refuses our control messages with ${hex(this.#control)}`;
    if (this.#frames !== 0) return `the broker refuses our message frames with ${hex(this.#frames)}`;
    return this.#unheard ? this.#unheardText() : null;
  }

  /** Why what the peer publishes does not all reach us. */
  get inward(): string | null {
    return this.#peerFrames === 0 ? null : this.#inward();
  }

  #inward(): string {
    return `the broker refuses the message frames of cluster "${this.#peer}" with ${hex(this.#peerFrames)}`;
  }

  #unheardText(): string {
    return `the agent of cluster "${this.#peer}" hears nothing of this one`;
  }
}

function refusal(reasonCode: number): number {
  return reasonCode >= REFUSED ? reasonCode : 0;
}

function hex(reasonCode: number): string {
  return `0x${reasonCode.toString(16)}`;
}
