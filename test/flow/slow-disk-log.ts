/** A log whose disk is told when to have what: a test moves `durableNumber` by hand. */
import { MemorySpoolLog } from "../../src/flow/memory-spool-log.ts";
import type { LaneLogs } from "../../src/flow/outbound-options.ts";
import type { SpoolEntry, SpoolLog } from "../../src/flow/spool-log.ts";

export class SlowDiskLog extends MemorySpoolLog {
  durable = 0;
  /** Numbers that the disk has lost. */
  readonly holes = new Set<number>();
  /** How often a message was read. */
  reads = 0;

  override get durableNumber(): number {
    return this.durable;
  }

  override get(number: number): SpoolEntry | undefined {
    this.reads += 1;
    return this.holes.has(number) ? undefined : super.get(number);
  }
}

/** A link's logs, with nothing in the one of its live lane. */
export function besides(main: SpoolLog): LaneLogs {
  return { main, live: new SlowDiskLog("00000000000000de") };
}
