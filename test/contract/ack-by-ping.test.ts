/** Mosquitto leaves Nagle's algorithm on unless told otherwise. What that costs a message behind a SUBACK, with and without our PINGREQ. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionRig } from "../mqtt/session-rig.ts";
import { TestMosquitto } from "../mqtt/test-mosquitto.ts";
import { until } from "../support/until.ts";

const ROUNDS = 30;

/** Milliseconds from the publish of the first message of a new filter to its arrival, sorted. */
async function measure(broker: TestMosquitto, ackByPing: boolean): Promise<{ timesMs: number[]; pings: number }> {
  await using from = await SessionRig.up({ urls: [broker.url], ackByPing: false });
  await using to = await SessionRig.up({ urls: [broker.url], ackByPing });
  const timesMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const topic = `round/${round}`;
    await to.subscribe(topic);
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

test("a message behind a SUBACK is drawn out of the broker by a PINGREQ", async (t) => {
  await using broker = await TestMosquitto.start();
  const without = await measure(broker, false);
  const pinged = await measure(broker, true);
  const say = ({ timesMs }: { timesMs: number[] }): string =>
    `p50 ${timesMs[ROUNDS >> 1]?.toFixed(1)} ms, max ${timesMs.at(-1)?.toFixed(1)} ms`;
  t.diagnostic(`without: ${say(without)}; with: ${say(pinged)} (no set_tcp_nodelay, n=${ROUNDS})`);
  assert.equal(without.pings, 0);
  assert.ok(pinged.pings >= ROUNDS / 2, `${pinged.pings} pings`);
});
