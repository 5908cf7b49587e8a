/**
 * The wide-area paths: one per direction and pair. Whatever a control message or a frame may suffer between two agents
 * happens here: loss, repetition, delay, reordering, a black hole, a cut, arrival in a later connection's or a later life's time.
 */
import type { Prng } from "./prng.ts";
import type { Timeline } from "./timeline.ts";

export interface Weather {
  readonly drop: number;
  readonly repeat: number;
  /** Chance of arriving 2-45 s late. */
  readonly late: number;
  readonly delayMaxMs: number;
}

export const CALM: Weather = { drop: 0, repeat: 0, late: 0, delayMaxMs: 20 };

interface Path {
  up: boolean;
  blackHole: boolean;
  will: Uint8Array | null;
}

export interface FaultCounts {
  dropped: number;
  repeated: number;
  late: number;
  carried: number;
}

export class SimNetwork {
  weather: Weather = CALM;
  readonly counts: FaultCounts = { dropped: 0, repeated: 0, late: 0, carried: 0 };
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #paths = new Map<string, Path>();
  readonly #deliver: (kind: "ctl" | "msg", from: string, to: string, bytes: Uint8Array) => void;

  constructor(
    time: Timeline,
    random: Prng,
    deliver: (kind: "ctl" | "msg", from: string, to: string, bytes: Uint8Array) => void,
  ) {
    this.#time = time;
    this.#random = random;
    this.#deliver = deliver;
  }

  path(from: string, to: string): Path {
    const key = `${from} ${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = { up: false, blackHole: false, will: null };
      this.#paths.set(key, path);
    }
    return path;
  }

  control(from: string, to: string, bytes: Uint8Array): void {
    this.#carry("ctl", from, to, bytes);
  }

  frame(from: string, to: string, bytes: Uint8Array): void {
    this.#carry("msg", from, to, bytes);
  }

  /** The connection ends without DISCONNECT: the broker publishes its Will. */
  cut(from: string, to: string): void {
    const path = this.path(from, to);
    path.up = false;
    const { will } = path;
    path.will = null;
    if (will !== null) this.#time.after(this.#random.next() * 3_000, () => this.#deliver("ctl", from, to, will));
  }

  #carry(kind: "ctl" | "msg", from: string, to: string, bytes: Uint8Array): void {
    const path = this.path(from, to);
    const { weather } = this;
    if (!path.up || path.blackHole || this.#random.chance(weather.drop)) {
      this.counts.dropped += 1;
      return;
    }
    this.counts.carried += 1;
    this.#arrive(kind, from, to, bytes);
    if (this.#random.chance(weather.repeat)) {
      this.counts.repeated += 1;
      this.#arrive(kind, from, to, bytes);
    }
  }

  #arrive(kind: "ctl" | "msg", from: string, to: string, bytes: Uint8Array): void {
    const late = this.#random.chance(this.weather.late);
    if (late) this.counts.late += 1;
    const delayMs = late ? this.#random.int(2_000, 45_000) : 1 + this.#random.next() * this.weather.delayMaxMs;
    this.#time.after(delayMs, () => this.#deliver(kind, from, to, bytes));
  }
}
