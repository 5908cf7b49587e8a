/** Mosquitto leaves Nagle's algorithm on unless told otherwise. What that costs a message behind a SUBACK, with and without our PINGREQs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionRig } from "../mqtt/session-rig.ts";
import { TestMosquitto } from "../mqtt/test-mosquitto.ts";
import { until } from "../support/until.ts";

const ROUNDS = 20;

/** Milliseconds from the publish of the first message of a new filter, so long after its SUBACK, to its arrival; sorted. */
async function measure(
  broker: TestMosquitto,
  ackByPing: boolean,
  afterMs: number,
): Promise<{ timesMs: number[]; pings: number }> {
  await using from = await SessionRig.up({ urls: [broker.url], ackByPing: false });
  await using to = await SessionRig.up({ urls: [broker.url], ackByPing });
  const timesMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const topic = `round/${round}`;
    await to.subscribe(topic);
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    let arrivedMs = 0;
    to.onMessage = () => {
      arrivedMs = performance.now();
    };
    const sentMs = performance.now();
    void from.publish(topic, topic, { qos: 0 });
    await until(`${topic} arrives`, () => arrivedMs > 0);
    timesMs.push(arrivedMs - sentMs);
  }
  return { timesMs: timesMs.sort((a, b) => a - b), pings: to.session.counters.ackPings };
}

test("messages behind a SUBACK are drawn out of the broker by PINGREQs", async (t) => {
  await using broker = await TestMosquitto.start();
  const say = ({ timesMs }: { timesMs: number[] }): string =>
    `p50 ${timesMs[ROUNDS >> 1]?.toFixed(1)} ms, max ${timesMs.at(-1)?.toFixed(1)} ms`;
  for (const afterMs of [0, 1, 3, 10, 25]) {
    const without = await measure(broker, false, afterMs);
    const pinged = await measure(broker, true, afterMs);
    t.diagnostic(
      `${afterMs} ms after it: without ${say(without)}; with ${say(pinged)} (no set_tcp_nodelay, n=${ROUNDS})`,
    );
    assert.equal(without.pings, 0);
    assert.ok(pinged.pings >= ROUNDS / 2, `${pinged.pings} pings`);
  }
});
