/** Three clusters, each linked with the two others: everybody gets one copy, and nothing goes round. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const NAMES = ["a", "b", "c"] as const;

describe("a full mesh of three clusters, # everywhere", { concurrency: false }, () => {
  const sites: Site[] = [];
  const proxies: TcpProxy[] = [];

  before(async () => {
    for (const name of NAMES) sites.push(await Site.open(name));
    for (const site of sites) {
      const links: Record<string, string> = {};
      const topics: Record<string, string[]> = {};
      for (const peer of sites.filter(({ name }) => name !== site.name)) {
        const proxy = await TcpProxy.start(peer.broker.port);
        proxies.push(proxy);
        links[peer.name] = proxy.url;
        topics[peer.name] = ["#"];
      }
      site.agent = await AgentProcess.start({ cluster: site.name, local: site.broker.url, links, topics });
    }
    for (const site of sites) {
      for (const peer of sites.filter(({ name }) => name !== site.name)) await site.agent.linked(peer.name);
    }
    await Promise.all(sites.map((site) => site.agent.exact()));
  });
  after(async () => {
    await Promise.all(sites.map((site) => site.close()));
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  });

  test("every subscriber gets exactly one copy of every message, from every cluster", async () => {
    const readers = [];
    const writers = [];
    for (const site of sites) {
      for (const version of [4, 5] as const) {
        const reader = await site.client({ version });
        await reader.subscribe(version === 4 ? "mesh/#" : "+/1");
        readers.push(reader);
      }
      writers.push(await site.client());
    }
    for (const writer of writers) for (const reader of readers) await writer.reaches(reader, "mesh/1");
    const expected: string[] = [];
    for (let n = 0; n < 100; n += 1) {
      for (const writer of writers) {
        const text = `${writer.id} ${n}`;
        expected.push(text);
        await writer.publish("mesh/1", text, { qos: n % 3 === 0 ? 0 : 1 });
      }
    }
    for (const reader of readers) {
      for (const text of expected) await reader.arrival(text);
    }
    // A second round behind the first on every path: what circled would have come before.
    for (const writer of writers) await writer.publish("mesh/1", `end of ${writer.id}`);
    for (const reader of readers) {
      for (const writer of writers) await reader.arrival(`end of ${writer.id}`);
      const texts = reader.texts().filter((text) => !text.startsWith("end of"));
      assert.equal(texts.length, expected.length, `${reader.id} has duplicates`);
    }
  });

  test("a message crosses each link once and no link twice: what is counted is finite", async () => {
    const before = await counted();
    const [a, b, c] = sites;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const readers = [await b.client(), await c.client()];
    for (const reader of readers) await reader.subscribe("count/#");
    const writer = await a.client();
    for (const reader of readers) await writer.reaches(reader, "count/1");
    await quiet();
    const start = await counted();
    assert.ok(start.messages > before.messages);
    for (let n = 0; n < 200; n += 1) await writer.publish("count/1", `n ${n}`);
    for (const reader of readers) await reader.arrival("n 199");
    await quiet();
    const end = await counted();
    assert.equal(end.messages - start.messages, 400, "200 messages to each of two peers");
    assert.equal(end.republished - start.republished, 400);
    assert.equal(end.loopMark - start.loopMark >= 0, true);
    for (const site of sites) {
      const { links } = (await site.agent.status()).hub;
      for (const link of links) assert.deepEqual(link.dropped, [], `${site.name} dropped nothing`);
    }
  });

  /** Waits until neither frames nor messages at the brokers grow any more: three looks, a broker's interval apart. */
  async function quiet(): Promise<void> {
    let last = "";
    let since = Date.now();
    await until("the mesh is quiet", () => {
      const now = JSON.stringify(proxies.map((proxy) => [proxy.up.frames, proxy.down.frames]));
      if (now !== last) since = Date.now();
      last = now;
      return Date.now() - since > 500 || now;
    });
  }

  async function counted(): Promise<{ messages: number; republished: number; loopMark: number }> {
    const all = await Promise.all(sites.map((site) => site.agent.status()));
    const links = all.flatMap((status) => status.hub.links);
    return {
      messages: links.reduce((sum, link) => sum + link.sent.messages, 0),
      republished: links.reduce((sum, link) => sum + link.republished, 0),
      loopMark: all.reduce((sum, status) => sum + (status.hub.local["loop_mark"] ?? 0), 0),
    };
  }
});
