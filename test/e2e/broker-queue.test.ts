/** What the sending broker drops because its queue is full, while the agent holds back, is seen and said with its number. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { linesWithQueue, Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const QUEUE = 100;
/** What is under way to the agent beside what is queued: its Receive Maximum (2.0.11), or `max_inflight_messages`. */
const WINDOW_MAX = 500;
const PUBLISHED = 3_000;
/** The broker counts copies, for all its clients: while a demand changes, one message may have two. */
const COPIES_MAX = 5;

describe("a broker's queue that is too short for an outage", { concurrency: false }, () => {
  let a: Site;
  let b: Site;
  let proxy: TcpProxy;

  before(async () => {
    a = await Site.open("a");
    b = await Site.open("b", linesWithQueue(QUEUE));
    proxy = await TcpProxy.start(a.broker.port);
    a.agent = new AgentProcess({ cluster: "a", local: a.broker.url, links: { b: null }, topics: { b: ["#"] } });
    b.agent = new AgentProcess({
      cluster: "b",
      local: b.broker.url,
      config: { links: [{ name: "a", server: proxy.url, topics: [], durability: "end_to_end" }] },
    });
    await Promise.all([a.agent.start(), b.agent.start()]);
    await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
    // From here on the demand changes no more by itself.
    await Promise.all([a.agent.exact(), b.agent.exact()]);
  });
  after(async () => {
    await Promise.all([a?.close(), b?.close(), proxy?.stop()]);
  });

  test("what it drops is counted exactly, and what it kept arrives", async (t) => {
    const reader = await a.client();
    const writer = await b.client();
    await reader.subscribe("q/#");
    await writer.reaches(reader, "q/1");
    const before = (await b.agent.status()).brokerDropped ?? 0;
    proxy.cut();
    await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
    for (let n = 1; n <= PUBLISHED; n += 1) await writer.publish("q/1", `n ${n}`);
    await b.agent.untilStatus(
      "the loss is known",
      ({ brokerDropped }) => (brokerDropped ?? 0) - before >= PUBLISHED - QUEUE - WINDOW_MAX || `${brokerDropped}`,
    );
    const line = JSON.parse(await b.agent.logged(/the local broker dropped/)) as { level: string };
    assert.equal(line.level, "warn");
    proxy.heal();
    await b.agent.linked("a", 30_000);
    let sum = { arrived: 0, dropped: 0 };
    await until(
      "nothing is missing without a word",
      async () => {
        const { brokerDropped } = await b.agent.status();
        sum = { arrived: new Set(reader.texts("q/1")).size, dropped: (brokerDropped ?? 0) - before };
        return sum.arrived + sum.dropped >= PUBLISHED || JSON.stringify(sum);
      },
      30_000,
    );
    assert.ok(sum.arrived + sum.dropped <= PUBLISHED + COPIES_MAX, JSON.stringify(sum));
    t.diagnostic(`${PUBLISHED} published, ${JSON.stringify(sum)}`);
  });
});
