/** What was left of an earlier life, then a gap of numbers that were never given, as a log on disk has one after a kill. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemorySpoolLog } from "../../src/flow/memory-spool-log.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import { SENT_WINDOW_MAX } from "../../src/flow/sent-window.ts";
import type { SpoolEntry, SpoolLog } from "../../src/flow/spool-log.ts";
import type { Message } from "../../src/wire/message.ts";
import { framesOf, LIVE_STREAM, message, numbers, streams } from "./rig.ts";

const LEFT = 3;
const OPTIONS = {
  framesInflightMax: 8,
  retryIntervalMs: 15_000,
  spool: { bytesMax: 1_000_000, ageMaxMs: 3_600_000, whenFull: "drop_oldest" },
} as const;

class GapLog implements SpoolLog {
  readonly stream = "0011223344556677";
  readonly isFull = false;
  readonly bytes = 0;
  base = 1;
  lastNumber = 0;
  readonly #entries = new Map<number, SpoolEntry>();

  get durableNumber(): number {
    return this.lastNumber;
  }

  append(kept: Message, bytes: number, nowMs: number): number {
    this.lastNumber += 1;
    this.#entries.set(this.lastNumber, { number: this.lastNumber, message: kept, bytes, storedAtMs: nowMs });
    return this.lastNumber;
  }

  get(number: number): SpoolEntry | undefined {
    return number < this.base ? undefined : this.#entries.get(number);
  }

  free(base: number): void {
    this.base = base;
  }
}

describe("messages behind a gap as long as the window leave, although what stands before it", () => {
  for (const [what, left] of [
    ["expired", { ...message("t", "old"), expiryMs: 10 }],
    ["was a retained value for an earlier life", { ...message("t", "old"), state: true as const }],
  ] as const)
    test(what, () => {
      const log = new GapLog();
      for (let n = 0; n < LEFT; n += 1) log.append(left, 10, 0);
      log.lastNumber += SENT_WINDOW_MAX;
      const dropped: string[] = [];
      const out = new Outbound(
        streams(),
        { ...OPTIONS, logs: { main: log, live: new MemorySpoolLog(LIVE_STREAM) } },
        (reason, count) => void dropped.push(`${reason} ${count}`),
      );
      out.opened(1_000_000);
      out.offer(message("t", "new"), null, 100);
      assert.deepEqual(numbers(framesOf(out, 100)), [[LEFT + SENT_WINDOW_MAX + 1]]);
      assert.equal(dropped.length, LEFT);
      assert.equal(out.depth, 1);
    });
});
