/** How long confirmed messages took: since they last left in a frame, and since the local broker gave them to us. */
import { DelayHistogram } from "../base/delay-histogram.ts";
import type { SpoolEntry } from "./spool-log.ts";

export class Delays {
  readonly roundTrip = new DelayHistogram();
  readonly forward = new DelayHistogram();

  /** `entry` undefined: it cannot be read any more, and nobody knows when it came. */
  confirmed(entry: SpoolEntry | undefined, sentAtMs: number, nowMs: number): void {
    this.roundTrip.add(nowMs - sentAtMs);
    if (entry !== undefined) this.forward.add(nowMs - entry.storedAtMs);
  }
}
