/** `retained: sync` and what it must not touch, bring or be given: values of others, topics of brokers and agents, MQTT 3.1.1. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { retain, stored, synced, texts } from "./retained-store.ts";
import { EVENT_LINES, Pair, Site } from "./site.ts";

const SYNC_A = { links: [{ name: "a", retained: "sync" }] };

describe("three clusters in a row: B syncs with both, A and C sync with B", { concurrency: false }, () => {
  const sites = new Map<string, Site>();
  const site = (name: string): Site => {
    const found = sites.get(name);
    assert.ok(found !== undefined);
    return found;
  };

  before(async () => {
    for (const name of ["a", "b", "c"]) sites.set(name, await Site.open(name));
    for (const [name, peers] of [
      ["a", ["b"]],
      ["b", ["a", "c"]],
      ["c", ["b"]],
    ] as const)
      site(name).agent = await AgentProcess.start({
        cluster: name,
        local: site(name).broker.url,
        links: Object.fromEntries(peers.map((peer) => [peer, site(peer).broker.url])),
        topics: Object.fromEntries(peers.map((peer) => [peer, ["#"]])),
        config: { links: peers.map((peer) => ({ name: peer, retained: "sync" })) },
      });
    await Promise.all([site("a").agent.linked("b"), site("c").agent.linked("b")]);
    await Promise.all(["a", "c"].map((peer) => site("b").agent.linked(peer)));
    await Promise.all([...sites.values()].map(({ agent }) => agent.exact()));
  });
  after(async () => {
    await Promise.all([...sites.values()].map((each) => each.close()));
  });

  test("of two clusters' values on one topic the first that came stays, whoever asks again", async () => {
    const [a, b, c] = [site("a"), site("b"), site("c")];
    await retain(await c.client(), ["both/1"], () => "of C");
    const reader = await b.client();
    await reader.subscribe("both/1");
    await reader.arrival("of C");
    await reader.end();
    await b.agent.untilLink("a", "the route is gone", ({ out }) => out.routes === 0 || `${out.routes}`);
    await a.agent.untilStatus("and A has nothing to pass on any more", ({ hub }) => {
      const routes = hub.links.map(({ name, in: half }) => [name, half.routes]);
      return (routes.every(([, count]) => count === 0) && hub.demand.pending === 0) || JSON.stringify(routes);
    });
    await retain(await a.client(), ["both/1", "both/2"], () => "of A");
    const again = await b.client();
    await again.subscribe("both/#");
    await again.arrival("of A");
    await synced(a, "b");
    assert.deepEqual(texts(await stored(b, "both/#")), { "both/1": "of C", "both/2": "of A" });
    const { skipped } = (await b.agent.linkStatus("a")).states;
    assert.ok(skipped.some(({ reason, count }) => reason === "not_theirs" && count === 1));
  });

  test("what B has of C goes to nobody else, and not back", async () => {
    const [a, b, c] = [site("a"), site("b"), site("c")];
    await retain(await c.client(), ["row/c"], () => "of C");
    await retain(await b.client(), ["row/b"], () => "of B");
    const keeper = await b.client();
    await keeper.subscribe("row/#");
    await keeper.arrival("of C");
    const readers = [await a.client(), await c.client()];
    for (const reader of readers) {
      await reader.subscribe("row/#");
      await reader.arrival("of B");
    }
    await Promise.all([synced(b, "a"), synced(b, "c")]);
    assert.deepEqual(texts(await stored(a, "row/#")), { "row/b": "of B" });
    assert.deepEqual(texts(await stored(c, "row/#")), { "row/b": "of B", "row/c": "of C" });
    const [own] = readers[1]?.received.filter(({ text }) => text === "of C") ?? [];
    assert.equal(own?.retain, true, "its own, as stored, and never as a new one");
    assert.equal(readers[1]?.received.length, 2);
  });
});

describe("an agent that does not know who subscribed asks for everything", { concurrency: false }, () => {
  // Somewhere else, and not behind a `$`: so `#` matches what the agents say to each other.
  const prefix = { control_prefix: "_link" };
  const topics = Array.from({ length: 500 }, (_, at) => `all/${at}`);
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({
      aConfig: { ...prefix, links: [{ name: "b", control_prefix: "_link" }] },
      bConfig: { ...prefix, links: [{ name: "a", control_prefix: "_link", retained: "sync" }] },
      // Its broker announces no subscriptions.
      bLines: EVENT_LINES.filter((line) => !/log_type (un)?subscribe/.test(line)),
      bDials: async (a) => {
        await retain(await a.client(), [...topics, "$app/1", "_link/other", "_link/v1/x/y/ctl"], () => "of A");
        return a.broker.url;
      },
      early: true,
    });
    await Promise.all([pair.a.agent.linked("b"), pair.b.agent.linked("a")]);
    await pair.settled();
  });
  after(async () => pair?.close());

  test("all that is retained comes, but for what belongs to brokers and agents", async () => {
    assert.notEqual((await pair.b.agent.status()).hub.wide, null);
    await pair.b.agent.untilLink(
      "a",
      "all are here",
      ({ states }) => states.published >= topics.length || JSON.stringify(states),
    );
    await synced(pair.a, "b");
    // Not even sent: the receiver would take none of them either.
    const { skipped } = (await pair.a.agent.linkStatus("b")).states;
    assert.ok(
      skipped.some(({ reason, count }) => reason === "not_exported" && count === 2),
      JSON.stringify(skipped),
    );
    const there = new Set((await stored(pair.b, "#")).keys());
    assert.deepEqual([...there].toSorted(), topics.toSorted());
    assert.equal((await stored(pair.b, "$app/#")).size, 0);
  });

  test("no topic of brokers comes when it is asked for by name", async () => {
    const reader = await pair.b.client();
    await reader.subscribe(["$app/#", "$SYS/broker/version", "named/1"]);
    const writer = await pair.a.client();
    await writer.publish("$app/1", "now", { retain: true });
    await writer.reaches(reader, "named/1");
    await synced(pair.a, "b");
    assert.deepEqual(
      reader.received.map(({ topic }) => topic),
      ["$SYS/broker/version"],
    );
    assert.equal((await stored(pair.b, "$app/#")).size, 0);
  });
});

describe("MQTT 3.1.1", { concurrency: false }, () => {
  test("as the local broker's configured version: the agent does not start, and says why", async () => {
    const b = await Site.open("b");
    const agent = new AgentProcess({
      cluster: "b",
      local: b.broker.url,
      links: { a: null },
      topics: { a: ["#"] },
      config: { local: { protocol_version: 4 }, ...SYNC_A },
    });
    try {
      await assert.rejects(
        agent.start(),
        /exited with 78:[\s\S]*retained[\s\S]*"sync" needs MQTT 5 at the local broker/,
      );
    } finally {
      await agent.dispose();
      await b.close();
    }
  });

  test("at the other side: said once with its code, nothing is read, and what is published crosses as with live", async () => {
    const pair = await Pair.open({ aConfig: { local: { protocol_version: 4 } }, bConfig: SYNC_A });
    try {
      const writer = await pair.a.client();
      await writer.publish("kept/1", "of before", { retain: true });
      const reader = await pair.b.client();
      await reader.subscribe("kept/+");
      await writer.reaches(reader, "kept/2");
      await writer.publish("kept/2", "of now", { retain: true });
      await reader.arrival("of now");
      await pair.b.agent.logged(
        /"code":"RETAINED_UNSUPPORTED","why":"the broker of cluster \\"a\\" speaks MQTT 3\.1\.1/,
      );
      await pair.a.agent.logged(/"code":"RETAINED_UNSUPPORTED","why":"cluster \\"b\\" wants what is retained here/);
      assert.equal((await pair.a.agent.linkStatus("b")).states.readings, 0);
      assert.match((await pair.b.agent.link("a")).brokerlink.retained?.blocked ?? "", /speaks MQTT 3\.1\.1/);
      assert.equal(texts(await stored(pair.b, "kept/2"))["kept/2"], "of now");
    } finally {
      await pair.close();
    }
  });
});

test("to sync and back while the agents run: no connection is made anew", async () => {
  const pair = await Pair.open({ bConfig: { links: [{ name: "a" }] } });
  try {
    const { a, b } = pair;
    await retain(await a.client(), ["hot/1", "cold/1"], () => "of before");
    const reader = await b.client();
    await reader.subscribe("hot/1");
    await pair.settled();
    const connections = (await b.agent.status()).peerCounters["a"]?.connections;
    assert.equal((await a.agent.linkStatus("b")).states.readings, 0);
    b.agent.rewrite(SYNC_A);
    b.agent.signal("SIGHUP");
    await reader.arrival("of before");
    await synced(a, "b");
    assert.deepEqual(texts(await stored(b, "hot/#")), { "hot/1": "of before" });
    b.agent.rewrite({ links: [{ name: "a", retained: "strip" }] });
    b.agent.signal("SIGHUP");
    await b.agent.untilLink("a", "nothing is wanted", ({ states }) => !states.wanted);
    await pair.settled();
    const { readings } = (await a.agent.linkStatus("b")).states;
    const cold = await b.client();
    await cold.subscribe("cold/1");
    await (await a.client()).reaches(cold, "cold/1");
    await pair.settled();
    assert.equal((await a.agent.linkStatus("b")).states.readings, readings);
    assert.deepEqual(cold.texts(), []);
    assert.equal((await b.agent.status()).peerCounters["a"]?.connections, connections);
  } finally {
    await pair.close();
  }
});
