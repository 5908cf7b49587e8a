/** A client that subscribes to a reply topic and then asks gets its answer, always: the route is never overtaken by the question. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { Pair } from "./site.ts";

const REQUESTS = 1_000;
const AT_ONCE = 10;

test("1,000 requests from A, each with a fresh reply topic, answered on B: no answer is lost", async (t) => {
  const pair = await Pair.open();
  try {
    const server = await pair.b.client({ id: "server" });
    server.onMessage(({ text, properties }) => {
      const { responseTopic, correlationData } = properties;
      if (responseTopic === undefined || correlationData === undefined) return;
      void server.publish(responseTopic, `re: ${text}`, { properties: { correlationData } });
    });
    await server.subscribe("request/#");
    const askers = [];
    for (let n = 0; n < AT_ONCE; n += 1) {
      askers.push(await pair.a.client({ id: `asker-${n}` }));
    }
    const [first] = askers;
    assert.ok(first !== undefined);
    await first.reaches(server, "request/work");
    const tookMs: number[] = [];
    await Promise.all(
      askers.map(async (asker, who) => {
        for (let n = 0; n < REQUESTS / AT_ONCE; n += 1) {
          const reply = `reply/${who}/${n}`;
          await asker.subscribe(reply);
          const askedAtMs = performance.now();
          await asker.publish("request/work", `${who} ${n}`, {
            properties: { responseTopic: reply, correlationData: Buffer.from(`${n}`) },
          });
          const answer = await asker.arrival(`re: ${who} ${n}`);
          tookMs.push(performance.now() - askedAtMs);
          assert.equal(answer.topic, reply);
          assert.equal(answer.properties.correlationData?.toString(), `${n}`);
          if (n % 2 === 0) await asker.unsubscribe(reply);
        }
      }),
    );
    await until("the server has seen all", () => server.received.length === REQUESTS || `${server.received.length}`);
    const [atA, atB] = [await pair.a.agent.linkStatus("b"), await pair.b.agent.linkStatus("a")];
    assert.deepEqual([atA.gateTimeouts, atB.gateTimeouts], [0, 0], "no question went on before its route");
    tookMs.sort((a, b) => a - b);
    t.diagnostic(`request to reply: p50 ${tookMs[REQUESTS / 2]?.toFixed(1)} ms, p99 ${tookMs[990]?.toFixed(1)} ms`);
  } finally {
    await pair.close();
  }
});
