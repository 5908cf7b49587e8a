/** Events per second from totals, over a short sliding window. Time comes in; nothing here asks a clock. */

/** Long enough for a steady figure, short enough to follow what happens. */
const WINDOW_MS = 3_000;

interface Sample {
  readonly atMs: number;
  readonly total: number;
}

export class Rates {
  readonly #samples = new Map<string, Sample[]>();

  /** Takes a total that only grows; answers its growth per second over the last few seconds, 0 at first. */
  perSecond(name: string, total: number, nowMs: number): number {
    const samples = this.#samples.get(name) ?? [];
    this.#samples.set(name, samples);
    samples.push({ atMs: nowMs, total });
    while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= WINDOW_MS) samples.shift();
    const [oldest] = samples;
    if (oldest === undefined || nowMs <= oldest.atMs) return 0;
    return ((total - oldest.total) * 1000) / (nowMs - oldest.atMs);
  }
}
