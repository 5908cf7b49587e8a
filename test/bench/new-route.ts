/**
 * How long a new subscription takes to have effect on the other side: from SUBACK on A to the first delivery of what is
 * published on B every millisecond. Once with `set_tcp_nodelay true` on both brokers, once without.
 */
import { Socket } from "node:net";
import { connectAsync } from "mqtt";
import { percentile, twoClusters } from "./two-clusters.ts";

const TRIES = Number(process.env["BENCH_TRIES"] ?? 150);

for (const nodelay of [true, false]) {
  const clusters = await twoClusters({
    lines: nodelay ? ["set_tcp_nodelay true"] : [],
    topics: { a: ["#"], b: [] },
  });
  const subscriber = await connectAsync(clusters.brokers.a.url, { protocolVersion: 5, clientId: "subscriber" });
  const publisher = await connectAsync(clusters.brokers.b.url, { protocolVersion: 5, clientId: "publisher" });
  // The clients' own Nagle must not be measured.
  for (const { stream } of [subscriber, publisher]) if (stream instanceof Socket) stream.setNoDelay(true);
  const tookMs: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const topic = `route/${attempt}`;
    const timer = setInterval(() => publisher.publish(topic, "x"), 1);
    const first = new Promise<number>((resolve) => {
      subscriber.once("message", () => resolve(performance.now()));
    });
    await subscriber.subscribeAsync(topic);
    const subackMs = performance.now();
    tookMs.push((await first) - subackMs);
    clearInterval(timer);
    subscriber.removeAllListeners("message");
    await subscriber.unsubscribeAsync(topic);
  }
  console.log(
    `set_tcp_nodelay ${nodelay}: n=${TRIES} p50 ${percentile(tookMs, 0.5).toFixed(1)} ms, ` +
      `p90 ${percentile(tookMs, 0.9).toFixed(1)} ms, p99 ${percentile(tookMs, 0.99).toFixed(1)} ms, ` +
      `max ${Math.max(...tookMs).toFixed(1)} ms`,
  );
  await Promise.all([subscriber.endAsync(true), publisher.endAsync(true)]);
  await clusters.stop();
}
