/** Frames that a broker has to confirm, so that its refusal can be placed. */
import { BoundedMap } from "../base/bounded-map.ts";
import type { FramedMessage } from "../wire/message.ts";
import type { Lane } from "./lane.ts";

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

  add(id: number, lane: Lane, messages: readonly FramedMessage[], bytes: number): void {
    const number = messages.find((framed) => framed.number !== null)?.number ?? null;
    this.#frames.set(id, { lane, messages: messages.length, bytes, number });
  }

  get(id: number): ConfirmedFrame | undefined {
    return this.#frames.get(id);
  }

  clear(): void {
    this.#frames.clear();
  }
}
