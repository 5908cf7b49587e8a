/**
 * How often one kind of log line may be written: a trouble that lasts is said at once, then seldom, and the line that is
 * said again carries how many were not. Keys may hold what strangers choose, so the memory is bounded.
 */
import { BoundedMap } from "../base/bounded-map.ts";

const KEYS_MAX = 1_000;

interface Window {
  readonly startMs: number;
  lines: number;
  suppressed: number;
}

export class LogBudget {
  readonly #linesMax: number;
  readonly #windowMs: number;
  readonly #windows = new BoundedMap<string, Window>(KEYS_MAX);

  /** At most `linesMax` lines of one key in `windowMs`. */
  constructor(linesMax: number, windowMs: number) {
    this.#linesMax = linesMax;
    this.#windowMs = windowMs;
  }

  /** Null: do not write this one. Otherwise how many of this key were not written since the last that was. */
  take(key: string, nowMs: number): number | null {
    const window = this.#windows.get(key);
    if (window === undefined || nowMs - window.startMs >= this.#windowMs || nowMs < window.startMs) {
      this.#windows.set(key, { startMs: nowMs, lines: 1, suppressed: 0 });
      return window?.suppressed ?? 0;
    }
    if (window.lines >= this.#linesMax) {
      window.suppressed += 1;
      return null;
    }
    window.lines += 1;
    return 0;
  }
}
