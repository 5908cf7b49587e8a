/**
 * Whether a frame leaves compressed. Where the configuration leaves the choice to us, it is compressed when bytes are what
 * the way is short of: the peer is far, or the connection takes less than it is given. Frames that do not shrink are found
 * out by trying, and tried again ever more seldom.
 *
 *   trying ──three frames in a row save less than a tenth──▶ paused ──1 s, doubled up to 60 s──▶ one frame is tried
 */
import type { Compression, FrameCodec } from "../wire/compression.ts";
import { packFrame } from "../wire/packed-frame.ts";

export type CompressionChoice = "auto" | Compression;

/** Nearer than this, bytes cost nothing. */
const FAR_MS = 5;
/** A connection that was full a moment ago will be again. */
const CONGESTED_MS = 10_000;
const WORTHWHILE = 0.9;
const MISSES_MAX = 3;
const PAUSE_MS = 1_000;
const PAUSE_CAP_MS = 60_000;

export class FramePacker {
  readonly #choice: CompressionChoice;
  readonly #codec: FrameCodec | null;
  #algorithm: Compression | null = null;
  #congestedAtMs = Number.NEGATIVE_INFINITY;
  #misses = 0;
  #pauseMs = 0;
  #pausedAtMs = 0;
  #inUse = false;

  /** `codec` null: nothing is compressed. */
  constructor(choice: CompressionChoice, codec: FrameCodec | null) {
    this.#choice = choice;
    this.#codec = codec;
  }

  /** What the last frame that was worth a thought left with; null: uncompressed. */
  get inUse(): Compression | null {
    return this.#inUse ? this.#algorithm : null;
  }

  /** The peer listens (again), and expands these. */
  opened(expands: readonly Compression[]): void {
    const own = this.#codec?.algorithms ?? [];
    this.#algorithm = own.find((name) => expands.includes(name) && fits(this.#choice, name)) ?? null;
    this.#inUse = false;
    this.#misses = 0;
    this.#pauseMs = 0;
  }

  /** The connection takes less than it is given. */
  congested(nowMs: number): void {
    this.#congestedAtMs = nowMs;
  }

  /** The frame as it is to leave. `roundTripMs`: the least one seen on this way. */
  pack(frame: Uint8Array, roundTripMs: number, nowMs: number): Uint8Array {
    if (frame.length < (this.#codec?.frameBytesMin ?? 0)) return frame;
    const packed = this.#isWorthATry(roundTripMs, nowMs) ? this.#pack(frame) : null;
    this.#inUse = packed !== null && packed.length < frame.length;
    if (packed === null) return frame;
    this.#judge(packed.length <= frame.length * WORTHWHILE, nowMs);
    return this.#inUse ? packed : frame;
  }

  #isWorthATry(roundTripMs: number, nowMs: number): boolean {
    // Either way: a clock that went back must not put it off.
    if (this.#pauseMs > 0 && Math.abs(nowMs - this.#pausedAtMs) < this.#pauseMs) return false;
    if (this.#choice !== "auto" || roundTripMs >= FAR_MS) return true;
    return Math.abs(nowMs - this.#congestedAtMs) < CONGESTED_MS;
  }

  #pack(frame: Uint8Array): Uint8Array | null {
    if (this.#algorithm === null || this.#codec === null) return null;
    return packFrame(frame, this.#algorithm, this.#codec);
  }

  #judge(isWorthwhile: boolean, nowMs: number): void {
    if (isWorthwhile) {
      this.#misses = 0;
      this.#pauseMs = 0;
      return;
    }
    this.#misses += 1;
    if (this.#misses < MISSES_MAX) return;
    this.#pauseMs = Math.min(PAUSE_CAP_MS, Math.max(PAUSE_MS, this.#pauseMs * 2));
    this.#pausedAtMs = nowMs;
  }
}

function fits(choice: CompressionChoice, name: Compression): boolean {
  return choice === "auto" || choice === name;
}
