/** One link changes while 2,000 messages a second cross it, and the other does not notice: real Mosquittos, real processes. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { NumberedStream } from "./numbered-stream.ts";
import { Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import type { TestClient } from "./test-client.ts";

/** 2,000 a second. */
const FAST_EVERY_MS = 0.5;
const OTHER_EVERY_MS = 5;
/** Messages a second. */
const KEEPS_UP = 1_800;

type Link = Readonly<Record<string, unknown>>;

describe("hot change under load", { concurrency: false }, () => {
  const sites: Site[] = [];
  let [a, b, c]: Site[] = [];
  let proxyToA: TcpProxy;
  let proxyToB: TcpProxy;
  let reader: TestClient;
  let otherReader: TestClient;
  let fast: NumberedStream;
  let other: NumberedStream;
  let aLink: Link;
  let bLink: Link;

  before(async () => {
    for (const name of ["a", "b", "c"]) sites.push(await Site.open(name));
    [a, b, c] = sites;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three sites");
    proxyToA = await TcpProxy.start(a.broker.port);
    proxyToB = await TcpProxy.start(b.broker.port);
    aLink = { name: "b", server: b.broker.url, topics: ["s/#"] };
    bLink = { name: "a", server: a.broker.url, topics: ["back/#"] };
    const config = (links: readonly Link[]) => ({ links });
    a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config: config(aLinks()) });
    b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, config: config([bLink]) });
    c.agent = await AgentProcess.start({
      cluster: "c",
      local: c.broker.url,
      config: config([{ name: "a", server: a.broker.url }]),
    });
    await Promise.all([a.agent.linked("b"), a.agent.linked("c"), b.agent.linked("a"), c.agent.linked("a")]);
    await Promise.all(sites.map(({ agent }) => agent.exact()));
    reader = await a.client({ id: "reader" });
    await reader.subscribe("s/#");
    otherReader = await a.client({ id: "other-reader" });
    await otherReader.subscribe("o/#");
    const writer = await b.client({ id: "writer" });
    const otherWriter = await c.client({ id: "other-writer" });
    await writer.reaches(reader, "s/1");
    await otherWriter.reaches(otherReader, "o/1");
    fast = new NumberedStream(writer, "s/1", FAST_EVERY_MS, "fast");
    other = new NumberedStream(otherWriter, "o/1", OTHER_EVERY_MS, "other");
    await fast.reached(500);
  });
  after(async () => {
    await Promise.all([fast?.stop(), other?.stop()]);
    await Promise.all(sites.map((site) => site.close()));
    await Promise.all([proxyToA?.stop(), proxyToB?.stop()]);
  });

  function aLinks(): Link[] {
    return [aLink, { name: "c", server: sites[2]?.broker.url, topics: ["o/#"] }];
  }

  /** What of the link to C, on both sides, must not move. */
  async function calmOfOther(): Promise<unknown> {
    const one = async (site: Site | undefined, link: string) => {
      const status = await site?.agent.status();
      const found = status?.hub.links.find(({ name }) => name === link);
      return [
        status?.peerCounters[link]?.connections,
        found?.out.lastOp,
        found?.conversation.filter(({ what }) => what !== "again_received"),
        found?.dropped,
      ];
    };
    return [await one(a, "c"), await one(c, "a")];
  }

  /** Lost, repeated and disordered of both streams so far; waits until all is there. */
  async function tallied(): Promise<void> {
    const [fastLast, otherLast] = [fast.sent, other.sent];
    const tallies = [
      await fast.complete(reader, 1, fastLast, 30_000),
      await other.complete(otherReader, 1, otherLast, 30_000),
    ];
    for (const tally of tallies) assert.deepEqual(tally, { lost: [], duplicates: 0, disordered: 0 });
  }

  async function changed(site: Site | undefined, links: readonly Link[], pattern: RegExp): Promise<void> {
    const before = (await site?.agent.status())?.reloads.counts.applied ?? 0;
    site?.agent.rewrite({ links });
    site?.agent.signal("SIGHUP");
    await site?.agent.untilStatus("the change is taken", ({ reloads }) => reloads.counts.applied > before);
    await site?.agent.logged(pattern);
    const reached = fast.sent;
    await fast.reached(reached + 1_000);
  }

  test("limits, topics and export change in place: no connection is made anew, nothing is sent again", async (t) => {
    const [sentBefore, startMs] = [fast.sent, performance.now()];
    const calm = await calmOfOther();
    const connections = (await b?.agent.status())?.peerCounters["a"]?.connections;
    const resends = async () => [
      (await b?.agent.linkStatus("a"))?.sent.resends,
      (await c?.agent.linkStatus("a"))?.sent.resends,
      (await b?.agent.linkStatus("a"))?.conversation.find(({ what }) => what === "hello_sent"),
    ];
    const before = await resends();
    aLink = { ...aLink, topics: ["s/#", "t/#"], max_inflight: 32, retained: "live", drain_rate: 5_000 };
    await changed(a, aLinks(), /"keys":\["topics","retained","max_inflight","drain_rate"\].*"link changed"/);
    bLink = { ...bLink, topics: [], export: ["s/#"], retry_interval: "20s", max_demand: 1_000 };
    await changed(b, [bLink], /"keys":\["topics","export","max_demand","retry_interval"\].*"link changed"/);
    bLink = { ...bLink, topics: ["#"], export: ["s/+", "t/#"], max_routes: 500 };
    await changed(b, [bLink], /"keys":\["topics","export","max_routes"\].*"link changed"/);
    aLink = { ...aLink, topics: ["s/1", "t/#"] };
    await changed(a, aLinks(), /"keys":\["topics"\].*"link changed"/);
    const perSecond = ((fast.sent - sentBefore) * 1_000) / (performance.now() - startMs);
    t.diagnostic(`${Math.round(perSecond)} messages a second`);
    await tallied();
    assert.equal((await b?.agent.status())?.peerCounters["a"]?.connections, connections);
    // A machine that does not keep up repeats frames by itself.
    if (perSecond >= KEEPS_UP) assert.deepEqual(await resends(), before);
    assert.deepEqual(await calmOfOther(), calm);
  });

  test("another address of the peer's broker: one new connection, and nothing is lost or comes twice", async () => {
    const calm = await calmOfOther();
    bLink = { ...bLink, server: proxyToA.url };
    await changed(b, [bLink], /"keys":\["server"\],"connection":"replace".*"link changed"/);
    aLink = { ...aLink, server: proxyToB.url };
    await changed(a, aLinks(), /"keys":\["server"\],"connection":"replace".*"link changed"/);
    await Promise.all([a?.agent.linked("b"), b?.agent.linked("a")]);
    await tallied();
    assert.deepEqual(await calmOfOther(), calm);
  });

  test("switched off at the sender and on again: what its spool had is sent then", async () => {
    const calm = await calmOfOther();
    const beforeOff = fast.sent;
    await changed(b, [{ ...bLink, enable: false }], /"keys":\["enable"\].*"link changed"/);
    await a?.agent.untilLink("b", "A hears that B left", (link) => link.in.state === "left" || link.in.state);
    await changed(b, [bLink], /"keys":\["enable"\].*"link changed"/);
    await Promise.all([a?.agent.linked("b"), b?.agent.linked("a")]);
    await b?.agent.untilLink("a", "the routes are there", (link) => link.in.routes > 0);
    const back = fast.sent + 1;
    await fast.reached(back + 500);
    // In between nobody over there was owed anything.
    await fast.complete(reader, back, fast.sent, 30_000);
    await fast.complete(reader, 1, beforeOff - 500, 30_000);
    assert.equal(fast.tally(reader).duplicates, 0);
    assert.deepEqual(await calmOfOther(), calm);
  });

  test("a link that is removed takes its routes along; added again, it works as at first", async () => {
    const calm = await calmOfOther();
    const [, toC] = aLinks();
    await changed(a, [toC ?? {}], /"link":"b","msg":"link removed"/);
    await b?.agent.untilLink("a", "B hears that A left", (link) => link.in.routes === 0 || `${link.in.routes}`);
    await changed(a, aLinks(), /"link":"b","enable":true,"msg":"link added"/);
    await Promise.all([a?.agent.linked("b"), b?.agent.linked("a")]);
    await b?.agent.untilLink("a", "the routes are there", (link) => link.in.routes > 0);
    const back = fast.sent + 1;
    await fast.reached(back + 500);
    await fast.complete(reader, back, fast.sent, 30_000);
    assert.deepEqual(await calmOfOther(), calm);
  });
});
