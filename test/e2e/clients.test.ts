/** Subscriptions as clients have them: before the agents, coming and going, vanishing, taken over, away; with any name. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { Pair, Site } from "./site.ts";

describe("subscriptions of clients that do as they like", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ bWants: [] });
  });
  after(() => pair?.close());

  async function routesAtB(count: number): Promise<void> {
    await pair.b.agent.untilLink(
      "a",
      `${count} routes at B`,
      (link) => link.in.routes === count || `${link.in.routes}`,
      15_000,
    );
  }

  test("a route comes with the first subscription to a filter and goes with the last", async () => {
    const [one, two, writer] = [await pair.a.client(), await pair.a.client({ version: 4 }), await pair.b.client()];
    await one.subscribe("go/1");
    await two.subscribe("go/1");
    await routesAtB(1);
    await one.unsubscribe("go/1");
    await writer.reaches(two, "go/1");
    await two.unsubscribe("go/1");
    await routesAtB(0);
    await one.subscribe("go/1");
    await writer.reaches(one, "go/1");
    await one.end();
    await routesAtB(0);
    await pair.endClients();
  });

  test("a client whose socket is destroyed leaves no route behind, for MQTT 3.1.1 and 5", async () => {
    for (const version of [4, 5] as const) {
      const client = await pair.a.client({ version });
      await client.subscribe(["vanish/1", "vanish/2"]);
      await routesAtB(2);
      await client.vanish();
      await routesAtB(0);
    }
    await pair.endClients();
  });

  test("a client that is taken over keeps what its new connection subscribes, and no more", async () => {
    const old = await pair.a.client({ id: "twice", version: 4 });
    await old.subscribe(["over/1", "over/2"]);
    await routesAtB(2);
    const fresh = await pair.a.client({ id: "twice", version: 4 });
    await fresh.subscribe(["over/2", "over/3"]);
    const writer = await pair.b.client();
    await writer.reaches(fresh, "over/2");
    await writer.reaches(fresh, "over/3");
    await routesAtB(2);
    await pair.endClients();
    await routesAtB(0);
  });

  test("a persistent session gets what was published on the other side while its client was away", async () => {
    for (const how of [
      { id: "away-4", version: 4, clean: false },
      { id: "away-5", version: 5, clean: false, expirySeconds: 600 },
    ] as const) {
      const writer = await pair.b.client();
      const before = await pair.a.client(how);
      await before.subscribe(`${how.id}/#`);
      await writer.reaches(before, `${how.id}/1`);
      await before.vanish();
      for (let n = 0; n < 20; n += 1) await writer.publish(`${how.id}/1`, `while away ${n}`);
      const back = await pair.a.client(how);
      await back.arrival("while away 19");
      const texts = back.texts();
      assert.deepEqual(
        texts,
        Array.from({ length: 20 }, (_, n) => `while away ${n}`),
        "each once, in order",
      );
      await back.unsubscribe(`${how.id}/#`);
      await back.end();
    }
    await pair.endClients();
    // The broker says nothing of a v5 session's expiry: only what was unsubscribed is surely gone.
    await routesAtB(0);
  });

  test("topics and client ids with spaces, quotes, percent signs and any UTF-8 work as others do", async () => {
    const odd = [
      "sp ace/a b",
      "quo\"te/'x'",
      "per%cent/%s%d",
      "ünï/ñ/日本語/🙂",
      "back\\slash/$inside",
      " /lead",
      "a//b",
    ];
    const writer = await pair.b.client({ id: 'wr%iter "ü"' });
    for (const [n, topic] of odd.entries()) {
      const client = await pair.a.client({ id: `id ${n} with 1 sp%ce "${topic}"`, version: n % 2 === 0 ? 4 : 5 });
      await client.subscribe(topic);
      await writer.reaches(client, topic);
      await writer.publish(topic, topic);
      const message = await client.arrival(topic);
      assert.equal(message.topic, topic);
      await client.end();
    }
    await pair.endClients();
    await routesAtB(0);
  });

  test("filters longer than a log line are served, by what the line still shows of them", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    const long = `long/${"x".repeat(500)}/${"y".repeat(700)}/z`;
    await reader.subscribe(long);
    await writer.reaches(reader, long);
    await writer.publish(`long/${"x".repeat(500)}/other`, "not mine");
    await writer.publish(long, "mine");
    await reader.arrival("mine");
    assert.deepEqual(reader.texts(), ["mine"]);
    await pair.endClients();
  });
});

test("subscriptions that were there before both agents are served from the first moment, wide and with the reason", async () => {
  const [a, b] = [await Site.open("a"), await Site.open("b")];
  try {
    const early = await a.client({ id: "early" });
    await early.subscribe(["early/+/x", "deep/#"]);
    const away = await a.client({ id: "away", version: 4, clean: false });
    await away.subscribe("away/1");
    await away.vanish();
    a.agent = await AgentProcess.start({
      cluster: "a",
      local: a.broker.url,
      links: { b: b.broker.url },
      topics: { b: ["early/#", "away/#"] },
    });
    b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, links: { a: a.broker.url } });
    await a.agent.linked("b");
    const writer = await b.client();
    await writer.reaches(early, "early/1/x");
    await writer.publish("away/1", "for the one who is away");
    const status = await a.agent.status();
    assert.notEqual(status.hub.wide, null, "what was there before cannot be known");
    assert.equal(status.hub.links[0]?.out.routes, 2, "the link's topics stand for the interest");
    const back = await a.client({ id: "away", version: 4, clean: false });
    await back.arrival("for the one who is away");
    // Once everybody has been seen, it is exact; a resumed session is seen when it subscribes again.
    await early.end();
    await back.subscribe("away/1");
    await a.agent.exact();
    await a.agent.untilLink("b", "only the one route is left", (link) => link.out.routes === 1 || `${link.out.routes}`);
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
});
