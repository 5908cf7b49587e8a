/**
 * Numbers frames, says which of them a broker has to confirm, and keeps those, so that its refusal can be placed. Pure.
 *
 * Most are published without: our own settlements make them reliable. But a refusal that begins while frames flow has to be
 * told, and what may have met one, since it has to be sent again, is asked about.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import type { FramedMessage } from "../wire/message.ts";
import type { Lane } from "./lane.ts";

/** One frame in so long is confirmed in any case. */
const CONFIRM_MS = 1_000;
/** Frames whose refusal can still be placed. */
const FRAMES_MAX = 256;

export interface ConfirmedFrame {
  readonly lane: Lane;
  readonly messages: number;
  readonly bytes: number;
  /** The first reliable one. */
  readonly number: number | null;
}

export class ConfirmedFrames {
  readonly #frames = new BoundedMap<number, ConfirmedFrame>(FRAMES_MAX);
  #id = 0;
  #wanted = true;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** The next frame is to be confirmed. */
  wanted(): void {
    this.#wanted = true;
  }

  /** The number of a frame that leaves now, and whether it is to be confirmed; `resend`: it was sent before, and that is reason enough. */
  number(
    lane: Lane,
    messages: readonly FramedMessage[],
    bytes: number,
    resend: boolean,
    nowMs: number,
  ): { id: number; confirm: boolean } {
    this.#id += 1;
    // Either way: a clock that went back must not put it off.
    const isDue = this.#wanted || Math.abs(nowMs - this.#askedAtMs) >= CONFIRM_MS;
    // Without messages it leaves only to be confirmed, and counts for none that carries some.
    const confirm = messages.length === 0 || resend || isDue;
    if (messages.length > 0) this.#wanted = false;
    if (confirm) this.#askedAtMs = nowMs;
    if (confirm && messages.length > 0) {
      const number = messages.find((framed) => framed.number !== null)?.number ?? null;
      this.#frames.set(this.#id, { lane, messages: messages.length, bytes, number });
    }
    return { id: this.#id, confirm };
  }

  get(id: number): ConfirmedFrame | undefined {
    return this.#frames.get(id);
  }

  clear(): void {
    this.#frames.clear();
  }
}
