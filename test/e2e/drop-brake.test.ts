/** A backlog that overflows a subscriber's queue in the receiving broker goes slower, until nothing is dropped any more. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const QUEUE = 40;
/** This backlog comes at 100 a second, and is slowed down to 25: the subscriber takes about 30. */
const DRAIN_RATE = 100;
const TAKES_ONE_IN_MS = 33;
const BACKLOG = 900;
/** Arrivals in a row without a drop, once the pace has been found. */
const CALM = 100;

describe("a subscriber that is slower than a backlog", { concurrency: false }, () => {
  let a: Site;
  let b: Site;
  let proxy: TcpProxy;

  before(async () => {
    const short = EVENT_LINES.map((line) =>
      line.startsWith("max_queued_messages") ? `max_queued_messages ${QUEUE}` : line,
    );
    a = await Site.open("a", short);
    b = await Site.open("b");
    proxy = await TcpProxy.start(a.broker.port);
    a.agent = new AgentProcess({ cluster: "a", local: a.broker.url, links: { b: null }, topics: { b: ["#"] } });
    b.agent = new AgentProcess({
      cluster: "b",
      local: b.broker.url,
      config: { links: [{ name: "a", server: proxy.url, topics: [], drain_rate: DRAIN_RATE }] },
    });
    await Promise.all([a.agent.start(), b.agent.start()]);
    await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
    await Promise.all([a.agent.exact(), b.agent.exact()]);
  });
  after(async () => {
    await Promise.all([a?.close(), b?.close(), proxy?.stop()]);
  });

  const dropped = async (): Promise<number> => (await a.agent.status()).brokerDropped ?? 0;
  const pace = async (): Promise<{ draining: boolean; perSecond: number }> => (await b.agent.linkStatus("a")).drain.out;

  test("the broker's dropped counter slows the backlog down, at the peer too, and the drops end", async (t) => {
    const reader = await a.client({ more: { properties: { receiveMaximum: 10 } } });
    const writer = await b.client();
    await reader.subscribe("slow/#");
    await writer.reaches(reader, "slow/1");
    reader.client.handleMessage = (_packet, taken) => setTimeout(taken, TAKES_ONE_IN_MS);
    proxy.cut();
    await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
    for (let n = 1; n <= BACKLOG; n += 1) await writer.publish(`slow/${n % 7}`, `n ${n}`);
    await until("the backlog is old enough to be one", async () => {
      const { oldestAtMs } = (await b.agent.linkStatus("a")).queue;
      return (oldestAtMs !== null && Date.now() - oldestAtMs > 1_500) || `oldest ${oldestAtMs}`;
    });
    proxy.heal();
    await b.agent.linked("a", 30_000);
    let first = 0;
    await until("the backlog drains at its pace", async () => {
      const { draining, perSecond } = await pace();
      first = perSecond;
      return draining || `${perSecond}`;
    });
    await until(
      "the pace is below what the subscriber takes",
      async () => {
        const { draining, perSecond } = await pace();
        return (draining && perSecond <= 1_000 / TAKES_ONE_IN_MS) || JSON.stringify({ draining, perSecond, first });
      },
      40_000,
    );
    let calmFrom = reader.received.length;
    let last = await dropped();
    await until(
      "nothing is dropped any more",
      async () => {
        const now = await dropped();
        if (now !== last) [last, calmFrom] = [now, reader.received.length];
        return reader.received.length - calmFrom >= CALM || JSON.stringify({ last, at: reader.received.length });
      },
      60_000,
    );
    const total = await dropped();
    t.diagnostic(`pace ${first} -> ${(await pace()).perSecond} a second, ${total} of ${BACKLOG} dropped`);
    assert.ok(total > 0, "it was the drops that slowed it down");
    // At its first pace seven of ten would not have found room.
    assert.ok(total < BACKLOG / 2, `${total} of ${BACKLOG} dropped`);
  });
});
