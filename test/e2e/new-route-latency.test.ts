/** How soon a new subscription on A gets what is published on B: measured and printed; only arrival itself is asserted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_LINES, Pair } from "./site.ts";

const TRIES = 120;
const PUBLISH_EVERY_MS = 1;

for (const nodelay of [true, false]) {
  test(`from SUBACK on A to the first message of B, ${nodelay ? "with" : "without"} set_tcp_nodelay`, async (t) => {
    const lines = EVENT_LINES.filter((line) => !line.startsWith("set_tcp_nodelay"));
    if (nodelay) lines.push("set_tcp_nodelay true");
    const pair = await Pair.open({ bWants: [], aLines: lines, bLines: lines });
    try {
      const [reader, writer] = [await pair.a.client(), await pair.b.client()];
      const tookMs: number[] = [];
      for (let n = 0; n < TRIES; n += 1) {
        const topic = `fresh/${n}`;
        let running = true;
        const arrived = new Promise<number>((resolve) => {
          reader.onMessage((message) => {
            if (message.topic === topic) resolve(performance.now());
          });
        });
        const publishing = (async () => {
          while (running) {
            writer.client.publish(topic, "x", { qos: 0 });
            await new Promise((again) => setTimeout(again, PUBLISH_EVERY_MS));
          }
        })();
        await reader.subscribe(topic, 0);
        const subackAtMs = performance.now();
        tookMs.push((await arrived) - subackAtMs);
        running = false;
        await publishing;
        await reader.unsubscribe(topic);
      }
      tookMs.sort((a, b) => a - b);
      const at = (share: number): string => `${tookMs[Math.floor(share * TRIES)]?.toFixed(1)} ms`;
      t.diagnostic(`p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${tookMs.at(-1)?.toFixed(1)} ms of ${TRIES}`);
      assert.equal(tookMs.length, TRIES);
    } finally {
      await pair.close();
    }
  });
}
