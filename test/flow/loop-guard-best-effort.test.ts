import assert from "node:assert/strict";
import { test } from "node:test";
import { type GuardVerdict, LoopGuard } from "../../src/flow/loop-guard.ts";

const PAYLOAD = new TextEncoder().encode("round and round");

test("a best-effort message that another bridge carries in a circle is found, although nobody confirms it", () => {
  const guard = new LoopGuard<string>((text) => text.length);
  const alarms: string[] = [];
  let sent = 0;
  let nowMs = 0;
  let backAtMs: number | null = 0;
  // The circle takes 3 ms and goes on as long as we pass the message on.
  for (; nowMs < 10_000 && alarms.length === 0; nowMs += 1) {
    const pass = (): void => {
      sent += 1;
      guard.left("loop/it", PAYLOAD, nowMs);
      backAtMs = nowMs + 3;
    };
    if (backAtMs === nowMs) {
      backAtMs = null;
      if (guard.offer("loop/it", PAYLOAD, "it", nowMs) === "pass") pass();
    }
    for (const _ of guard.release(nowMs)) pass();
    alarms.push(...guard.alarms());
  }
  assert.deepEqual(alarms, ["loop/it"]);
  assert.ok(sent < 20, `${sent} rounds before it was found`);
  assert.equal(guard.offer("loop/it", PAYLOAD, "it", nowMs + 3), "drop");
});

test("a sensor that says the same at QoS 0 every 20 ms loses nothing and keeps its order", () => {
  const guard = new LoopGuard<number>(() => 1);
  const out: number[] = [];
  const verdicts = new Set<GuardVerdict>();
  for (let nowMs = 0; nowMs < 20_000; nowMs += 1) {
    if (nowMs % 20 === 0) {
      const verdict = guard.offer("sensor", PAYLOAD, nowMs, nowMs);
      verdicts.add(verdict);
      if (verdict === "pass") {
        out.push(nowMs);
        guard.left("sensor", PAYLOAD, nowMs);
      }
    }
    out.push(...guard.release(nowMs));
  }
  assert.deepEqual(
    out,
    Array.from({ length: 1_000 }, (_, n) => n * 20),
  );
  assert.deepEqual([...verdicts].sort(), ["hold", "pass"]);
  assert.deepEqual(guard.alarms(), []);
});
