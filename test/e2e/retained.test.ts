/** What becomes of retained messages on the other side: `live` keeps their flag, on MQTT 5 and on 3.1.1; `strip` does not. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EVENT_LINES, Pair, type Site } from "./site.ts";
import type { TestClient } from "./test-client.ts";

const config = (peer: string, retained: string, version: 4 | 5) => ({
  local: { protocol_version: version },
  links: [{ name: peer, retained }],
});

/** What a broker has stored under the filter, as a client sees it that comes now. */
async function stored(site: Site, filter: string): Promise<readonly (readonly [string, string, number])[]> {
  const late = await site.client();
  await late.subscribe([filter, "sentinel/late"]);
  await late.publish("sentinel/late", "sentinel");
  await late.arrival("sentinel");
  return late.received.filter(({ retain }) => retain).map(({ topic, text, qos }) => [topic, text, qos] as const);
}

for (const version of [5, 4] as const) {
  describe(`local brokers spoken to in MQTT ${version === 5 ? "5" : "3.1.1"}`, { concurrency: false }, () => {
    let pair: Pair;
    before(async () => {
      pair = await Pair.open({
        aConfig: config("b", "live", version),
        // A's setting is the one for what A's broker stores.
        bConfig: config("a", "strip", version),
      });
    });
    after(async () => pair?.close());

    /** Clients on both sides between whom `topic` crosses, from B to A. */
    async function crossing(topic: string, filter = topic): Promise<readonly [TestClient, TestClient]> {
      const [reader, writer] = [await pair.a.client(), await pair.b.client()];
      await reader.subscribe(filter);
      await writer.reaches(reader, topic);
      await pair.settled();
      return [reader, writer];
    }

    for (const qos of [0, 1] as const) {
      test(`live: a value set at QoS ${qos} is there for who comes later, replaced by the next, and gone when cleared`, async () => {
        const topic = `live/${qos}`;
        const [reader, writer] = await crossing(topic);
        for (const text of ["first", "second"]) {
          await writer.publish(topic, text, { qos, retain: true });
          const { retain } = await reader.arrival(text);
          assert.equal(retain, false, "a subscriber of before gets it as a live one");
          assert.deepEqual(await stored(pair.a, topic), [[topic, text, qos]]);
        }
        await writer.publish(topic, "event", { qos });
        await reader.arrival("event");
        assert.deepEqual(await stored(pair.a, topic), [[topic, "second", qos]], "what has no flag replaces nothing");
        await writer.publish(topic, "", { qos, retain: true });
        await reader.arrival("");
        assert.deepEqual(await stored(pair.a, topic), []);
        assert.deepEqual(reader.texts(), ["first", "second", "event", ""]);
        await pair.endClients();
      });
    }

    test("strip: the other side gets the message and stores nothing", async () => {
      const [reader, writer] = [await pair.b.client(), await pair.a.client()];
      await reader.subscribe("strip/1");
      await writer.reaches(reader, "strip/1");
      await writer.publish("strip/1", "kept on A", { retain: true });
      await reader.arrival("kept on A");
      assert.deepEqual(await stored(pair.b, "strip/1"), []);
      assert.deepEqual(await stored(pair.a, "strip/1"), [["strip/1", "kept on A", 1]]);
      await writer.publish("strip/1", "", { retain: true });
      await pair.endClients();
    });

    test("what B had stored before A's route is not stored on A: it is no news, and A's own value may be newer", async () => {
      const writer = await pair.b.client();
      await writer.publish("before/1", "old", { retain: true });
      const [reader] = await crossing("before/1", "before/#");
      // On MQTT 3.1.1 nothing keeps the broker from sending it; it crosses as a message like others.
      if (version === 4) await reader.arrival("old");
      assert.deepEqual(await stored(pair.a, "before/1"), []);
      await writer.publish("before/1", "new", { retain: true });
      await reader.arrival("new");
      assert.deepEqual(reader.texts(), version === 4 ? ["old", "new"] : ["new"]);
      assert.deepEqual(await stored(pair.a, "before/1"), [["before/1", "new", 1]]);
      await writer.publish("before/1", "", { retain: true });
      await reader.arrival("");
      await pair.endClients();
    });

    test("what A stores for B does not go back when B asks for the topic too", async () => {
      const [reader, writer] = await crossing("back/1");
      await writer.publish("back/1", "of B", { retain: true });
      await reader.arrival("of B");
      const home = await pair.b.client();
      await home.subscribe("back/+");
      const other = await pair.a.client();
      await other.reaches(home, "back/1");
      await other.publish("back/1", "sentinel");
      await home.arrival("sentinel");
      assert.deepEqual(
        home.received.map(({ text, retain }) => [text, retain]),
        [
          ["of B", true],
          ["sentinel", false],
        ],
        "once, of its own broker",
      );
      await writer.publish("back/1", "", { retain: true });
      await reader.arrival("");
      await pair.endClients();
    });
  });
}

test("live, and A's broker does not retain: the message arrives all the same, without the flag", async () => {
  const pair = await Pair.open({
    aLines: [...EVENT_LINES, "retain_available false"],
    aConfig: config("b", "live", 5),
  });
  try {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("kept/1");
    await writer.reaches(reader, "kept/1");
    await writer.publish("kept/1", "value", { retain: true });
    await reader.arrival("value");
    assert.deepEqual((await pair.a.agent.linkStatus("b")).dropped, []);
  } finally {
    await pair.close();
  }
});
