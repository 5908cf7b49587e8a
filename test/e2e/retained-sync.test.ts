/** `retained: sync`: what is retained on the other side comes over when somebody here first asks for it, and replaces nobody else's value. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { retain, stored, synced, texts } from "./retained-store.ts";
import { Pair } from "./site.ts";

const config = (peer: string, retained: string) => ({ links: [{ name: peer, retained }] });

describe("B syncs, A does not", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ aConfig: config("b", "strip"), bConfig: config("a", "sync") });
  });
  after(async () => pair?.close());

  test("a thousand values come once each, and are stored", async () => {
    const topics = Array.from({ length: 1_000 }, (_, at) => `many/${at % 10}/${at}`);
    await retain(await pair.a.client(), topics, (topic) => `of ${topic}`);
    const reader = await pair.b.client();
    await reader.subscribe("many/#");
    await reader.arrival("of many/9/999", 30_000);
    await synced(pair.a, "b");
    assert.deepEqual(reader.texts().toSorted(), topics.map((topic) => `of ${topic}`).toSorted());
    assert.equal((await stored(pair.b, "many/#")).size, 1_000);
    const { states, dropped } = await pair.b.agent.linkStatus("a");
    assert.equal(states.published, 1_000);
    assert.deepEqual(dropped, []);
    await pair.endClients();
  });

  test("a second subscription within the first reads nothing anew", async () => {
    const keeper = await pair.b.client();
    await keeper.subscribe("many/#");
    await pair.settled();
    await synced(pair.a, "b");
    const before = (await pair.a.agent.linkStatus("b")).states.readings;
    const reader = await pair.b.client();
    await reader.subscribe("many/1/1");
    await reader.arrival("of many/1/1");
    await pair.settled();
    assert.equal((await pair.a.agent.linkStatus("b")).states.readings, before);
    await pair.endClients();
  });

  test("B's own values stay, a value of A that is there follows A's, and nothing is removed", async () => {
    const topics = ["own/1", "own/2", "own/3"];
    const writer = await pair.a.client();
    await retain(writer, topics, () => "of A");
    const home = await pair.b.client();
    await home.publish("own/1", "of B", { retain: true });
    await home.publish("own/4", "of B alone", { retain: true });
    const reader = await pair.b.client();
    await reader.subscribe("own/#");
    await until("B has four", () => reader.received.length >= 4 || `${reader.texts()}`);
    await synced(pair.a, "b");
    const first = { "own/1": "of B", "own/2": "of A", "own/3": "of A", "own/4": "of B alone" };
    assert.deepEqual(texts(await stored(pair.b, "own/#")), first);
    // While nobody on B asks, one changes and one goes.
    await reader.end();
    await pair.b.agent.untilLink("a", "the route is gone", ({ out }) => out.routes === 0);
    await pair.settled();
    await writer.publish("own/2", "new of A", { retain: true });
    await writer.publish("own/3", "", { retain: true });
    const again = await pair.b.client();
    await again.subscribe("own/#");
    await again.arrival("new of A");
    await synced(pair.a, "b");
    assert.deepEqual(texts(await stored(pair.b, "own/#")), { ...first, "own/2": "new of A" });
    assert.deepEqual(
      again.received.filter(({ retain: flag }) => !flag).map(({ topic, text }) => [topic, text]),
      [["own/2", "new of A"]],
      "only what differs is published",
    );
    await pair.endClients();
  });

  test("payloads of any size, properties and what is left of the expiry come over", async () => {
    const writer = await pair.a.client();
    const large = Buffer.alloc(300_000, "large ");
    await writer.publish("whole/large", large, { retain: true });
    await writer.publish("whole/properties", "value", {
      retain: true,
      properties: {
        contentType: "text/plain",
        responseTopic: "answers/1",
        correlationData: Buffer.from([0, 255]),
        payloadFormatIndicator: true,
        messageExpiryInterval: 600,
        userProperties: { unit: ["C", "F"] },
      },
    });
    await writer.publish("whole/gone", "value", { retain: true });
    await writer.publish("whole/gone", "", { retain: true });
    const reader = await pair.b.client();
    await reader.subscribe("whole/#");
    await reader.arrival("value");
    await until("both come", () => reader.received.length >= 2 || `${reader.received.length}`);
    await synced(pair.a, "b");
    const there = await stored(pair.b, "whole/#");
    assert.deepEqual([...there.keys()].toSorted(), ["whole/large", "whole/properties"]);
    assert.ok(there.get("whole/large")?.payload.equals(large));
    const { userProperties, messageExpiryInterval = 0, ...rest } = there.get("whole/properties")?.properties ?? {};
    assert.deepEqual(rest, {
      contentType: "text/plain",
      responseTopic: "answers/1",
      correlationData: Buffer.from([0, 255]),
      payloadFormatIndicator: true,
    });
    assert.deepEqual(
      { ...userProperties, "brokerlink-check": undefined },
      {
        unit: ["C", "F"],
        "brokerlink-origin": "a",
        "brokerlink-check": undefined,
      },
    );
    assert.ok(messageExpiryInterval > 500 && messageExpiryInterval <= 600, `${messageExpiryInterval} s are left`);
    await pair.endClients();
  });

  test("what is published while states come wins", async () => {
    const topics = Array.from({ length: 2_000 }, (_, at) => `race/${at}`);
    const writer = await pair.a.client();
    await retain(writer, topics, () => "old");
    const reader = await pair.b.client();
    await reader.subscribe("race/#");
    await pair.settled();
    // Every third, at either QoS, while the others come.
    const changed = topics.filter((_, at) => at % 3 === 0);
    for (const [at, topic] of changed.entries()) {
      await writer.publish(topic, "new", { retain: true, qos: at % 2 === 0 ? 0 : 1 });
    }
    await writer.publish("race/end", "end");
    await reader.arrival("end");
    await synced(pair.a, "b");
    const there = texts(await stored(pair.b, "race/#"));
    const expected = Object.fromEntries(topics.map((topic) => [topic, changed.includes(topic) ? "new" : "old"]));
    assert.deepEqual(there, expected);
    await pair.endClients();
  });

  test("the agents start anew: states are read again, and nothing is published again", async () => {
    const reader = await pair.b.client();
    await reader.subscribe("many/#");
    await pair.settled();
    await synced(pair.a, "b");
    const was = await stored(pair.b, "many/#");
    assert.equal(was.size, 1_000);
    for (const site of [pair.a, pair.b]) {
      await site.agent.stop("SIGKILL");
      await site.agent.start();
      // Without a disk it does not know who subscribed before, and asks for everything.
      await Promise.all([pair.a.agent.linked("b"), pair.b.agent.linked("a")]);
      await pair.settled();
      await synced(pair.a, "b");
      if (site === pair.b) assert.equal((await pair.b.agent.linkStatus("a")).states.published, 0);
    }
    assert.deepEqual(texts(await stored(pair.b, "many/#")), texts(was));
    const fresh = reader.received.filter(({ retain: flag }) => !flag);
    assert.deepEqual(fresh, [], "no value came as a new one");
    await pair.endClients();
  });
});

describe("both sync everything", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ aConfig: config("b", "sync"), bConfig: config("a", "sync") });
  });
  after(async () => pair?.close());

  test("each has its own and the other's values, and nothing goes to and fro", async () => {
    const [atA, atB] = [await pair.a.client(), await pair.b.client()];
    const [ofA, ofB] = ["a", "b"].map((name) => Array.from({ length: 300 }, (_, at) => `of/${name}/${at}`));
    await retain(atA, ofA ?? [], () => "A's");
    await retain(atB, ofB ?? [], () => "B's");
    await atA.publish("of/both", "A's", { retain: true });
    await atB.publish("of/both", "B's", { retain: true });
    const readers = [await pair.a.client(), await pair.b.client()] as const;
    await Promise.all(readers.map((reader) => reader.subscribe("of/#")));
    for (const reader of readers)
      await until("everything comes", () => reader.received.length >= 601 || `${reader.received.length}`, 30_000);
    await pair.settled();
    await Promise.all([synced(pair.a, "b"), synced(pair.b, "a")]);
    const counted = async () => {
      const links = [await pair.a.agent.linkStatus("b"), await pair.b.agent.linkStatus("a")];
      return links.map(({ states, sent, republished }) => [
        states.readings,
        states.published,
        sent.messages,
        republished,
      ]);
    };
    const before = await counted();
    // A message that crosses each way, and back in its answer's time, shows that all before it is over.
    for (const [from, to, text] of [
      [atA, readers[1], "there"],
      [atB, readers[0], "and back"],
    ] as const) {
      await from.publish("of/sentinel", text);
      await to.arrival(text);
    }
    const after = await counted();
    assert.deepEqual(
      after.map(([readings, published]) => [readings, published]),
      before.map(([readings, published]) => [readings, published]),
    );
    assert.deepEqual(
      after.map(([, published]) => published),
      [300, 300],
    );
    assert.deepEqual(
      after.map(([, , sent = 0], at) => sent - (before[at]?.[2] ?? 0)),
      [1, 1],
      "the sentinels, and nothing else",
    );
    for (const [site, own] of [
      [pair.a, "A's"],
      [pair.b, "B's"],
    ] as const) {
      const there = texts(await stored(site, "of/#"));
      assert.equal(Object.keys(there).length, 601);
      assert.equal(there["of/both"], own);
      assert.equal(there["of/a/7"], "A's");
      assert.equal(there["of/b/7"], "B's");
    }
    await pair.endClients();
  });
});
