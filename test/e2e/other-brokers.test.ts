/** Local brokers that are no Mosquitto with its log on: Aedes, a broker whose plugin publishes client events, one that tells nothing. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { Aedes } from "aedes";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";
import { TestClient } from "./test-client.ts";

class AedesBroker {
  readonly url: string;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(aedes: Aedes, server: Server, port: number) {
    this.#aedes = aedes;
    this.#server = server;
    this.url = `mqtt://127.0.0.1:${port}`;
    server.on("connection", (socket) => this.#sockets.add(socket));
  }

  static async start(): Promise<AedesBroker> {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new AedesBroker(aedes, server, address.port);
  }

  async client(id: string): Promise<TestClient> {
    return TestClient.connect(this.url, { id, version: 4 });
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** An agent beside each, everything crosses, and the retain flag stays. */
async function linkedAgents(brokers: readonly [AedesBroker, AedesBroker]): Promise<AgentProcess[]> {
  const agents: AgentProcess[] = [];
  for (const [me, peer] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const [home, away] = me === "a" ? brokers : [brokers[1], brokers[0]];
    agents.push(
      await AgentProcess.start({
        cluster: me,
        local: home.url,
        broker: "aedes",
        links: { [peer]: away.url },
        topics: { [peer]: ["#"] },
        config: { links: [{ name: peer, retained: "live" }] },
      }),
    );
  }
  await Promise.all([agents[0]?.linked("b"), agents[1]?.linked("a")]);
  return agents;
}

describe("two Aedes brokers (MQTT 3.1.1 only), # on both sides", { concurrency: false }, () => {
  let brokers: readonly [AedesBroker, AedesBroker];
  const agents: AgentProcess[] = [];
  before(async () => {
    brokers = [await AedesBroker.start(), await AedesBroker.start()];
    agents.push(...(await linkedAgents(brokers)));
  });
  after(async () => {
    for (const agent of agents) await agent.dispose();
    for (const broker of brokers ?? []) await broker.stop();
  });

  test("messages cross once in each direction and none goes round, genuine repeats included", async () => {
    const readers = [await brokers[0].client("reader-a"), await brokers[1].client("reader-b")] as const;
    const writers = [await brokers[0].client("writer-a"), await brokers[1].client("writer-b")] as const;
    for (const reader of readers) await reader.subscribe(["both/#", "both/+"]);
    for (const writer of writers) for (const reader of readers) await writer.reaches(reader, "both/1");
    for (let n = 0; n < 50; n += 1) {
      for (const writer of writers) {
        await writer.publish("both/1", `${writer.id} ${n}`, { qos: n % 2 === 0 ? 1 : 0 });
        if (n % 10 === 0) await writer.publish("both/1", `${writer.id} on`);
      }
    }
    for (const writer of writers) await writer.publish("both/1", `${writer.id} end`);
    for (const reader of readers) {
      for (const writer of writers) {
        await reader.arrival(`${writer.id} end`);
        for (let n = 0; n < 50; n += 1) await reader.arrival(`${writer.id} ${n}`);
        const texts = reader.texts().filter((text) => text.startsWith(writer.id));
        assert.equal(texts.filter((text) => text.endsWith(" on")).length, 5, `${reader.id} has every repeat once`);
        assert.equal(texts.length, 56, `${reader.id} of ${writer.id}`);
      }
    }
  });

  test("routes come and go with clients, also those that vanish", async () => {
    const [reader, writer] = [await brokers[0].client("comes"), await brokers[1].client("writes")];
    await reader.subscribe("comes/1");
    await writer.reaches(reader, "comes/1");
    await reader.vanish();
    const again = await brokers[0].client("comes");
    await again.subscribe("comes/2");
    await writer.reaches(again, "comes/2");
    await writer.publish("comes/1", "for nobody");
    await writer.publish("comes/2", "sentinel");
    await again.arrival("sentinel");
    assert.deepEqual(again.texts(), ["sentinel"]);
  });
});

test("retained: live stores what is published now, not what Aedes sends one after the other behind its SUBACK", async () => {
  const STORED = 500;
  const brokers = [await AedesBroker.start(), await AedesBroker.start()] as const;
  const [reader, writer] = [await brokers[0].client("live-reader"), await brokers[1].client("live-writer")];
  for (let n = 0; n < STORED; n += 1) await writer.publish(`live/${n}`, "stored before", { retain: true });
  await reader.subscribe("live/+");
  let clients = 0;
  const late = async (): Promise<string[]> => {
    clients += 1;
    const client = await brokers[0].client(`late-${clients}`);
    await client.subscribe(["live/+", "sentinel"]);
    await client.publish("sentinel", "sentinel");
    await client.arrival("sentinel");
    return client.received.filter(({ retain }) => retain).map(({ topic, text }) => `${topic}=${text}`);
  };
  const agents = await linkedAgents(brokers);
  try {
    await until("all that was stored has crossed", () => reader.texts().length >= STORED || `${reader.texts().length}`);
    assert.deepEqual(await late(), []);
    await until("the flag is believed again", async () => {
      await writer.publish("live/set", "value", { retain: true });
      const kept = await late();
      return kept.join() === "live/set=value" || `${kept.length}: ${kept.slice(0, 3)}`;
    });
    await writer.publish("live/set", "", { retain: true });
    await reader.arrival("");
    assert.deepEqual(await late(), []);
  } finally {
    for (const agent of agents) await agent.dispose();
    for (const broker of brokers) await broker.stop();
  }
});

describe("other ways to know what clients want", { concurrency: false }, () => {
  async function linked(a: Site, b: Site): Promise<void> {
    b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, links: { a: a.broker.url } });
    await a.agent.linked("b");
    await b.agent.linked("a");
  }

  test("events: what a plugin publishes as JSON decides, wide until trusted, then exactly that", async () => {
    const [a, b] = [await Site.open("a", ["max_queued_messages 1000000"]), await Site.open("b", EVENT_LINES)];
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        broker: "events",
        config: {
          local: { events_topic: "plugin/#", trust_after: "1s" },
          links: [{ name: "b", server: b.broker.url, topics: ["ev/#"] }],
        },
      });
      await linked(a, b);
      await a.agent.exact();
      const [plugin, reader, writer] = [await a.client(), await a.client({ id: "r" }), await b.client()];
      const say = (what: string, more: object): Promise<void> =>
        plugin.publish(`plugin/${what}`, JSON.stringify({ clientid: "r", ...more }));
      await reader.subscribe("ev/#");
      await say("connected", { clean_start: true, expiry_interval: 0 });
      await say("subscribed", { topic: "ev/1", subopts: { qos: 1 } });
      await writer.reaches(reader, "ev/1");
      await writer.publish("ev/2", "never announced");
      await writer.publish("ev/1", "announced");
      await reader.arrival("announced");
      assert.deepEqual(reader.texts(), ["announced"]);
      await say("disconnected", { reason: "normal" });
      await b.agent.untilLink("a", "the route is gone", (link) => link.in.routes === 0 || `${link.in.routes}`);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("retained: sync, and one side speaks MQTT 3.1.1: both agents say so, and what is published crosses as with live", async () => {
    const aedes = await AedesBroker.start();
    const b = await Site.open("b", EVENT_LINES);
    const a = new AgentProcess({
      cluster: "a",
      local: aedes.url,
      broker: "aedes",
      links: { b: b.broker.url },
      topics: { b: ["#"] },
      config: { links: [{ name: "b", retained: "sync" }] },
    });
    b.agent = new AgentProcess({
      cluster: "b",
      local: b.broker.url,
      links: { a: aedes.url },
      topics: { a: ["#"] },
      config: { links: [{ name: "a", retained: "sync" }] },
    });
    try {
      const writer = await aedes.client("writer");
      await writer.publish("kept/1", "of before", { retain: true });
      await Promise.all([a.start(), b.agent.start()]);
      await Promise.all([a.linked("b"), b.agent.linked("a")]);
      const reader = await b.client();
      await reader.subscribe("kept/+");
      await writer.reaches(reader, "kept/2");
      await writer.publish("kept/2", "of now", { retain: true });
      await reader.arrival("of now");
      await a.logged(/"code":"RETAINED_UNSUPPORTED","why":"the local broker speaks MQTT 3\.1\.1/);
      await a.logged(/"code":"RETAINED_UNSUPPORTED","why":"cluster \\"b\\" wants what is retained here/);
      await b.agent.logged(/"code":"RETAINED_UNSUPPORTED","why":"the broker of cluster \\"a\\" speaks MQTT 3\.1\.1/);
      const states = [(await a.linkStatus("b")).states, (await b.agent.linkStatus("a")).states];
      assert.deepEqual(
        states.map(({ wanted, readings, published }) => [wanted, readings, published]),
        [
          [true, 0, 0],
          [true, 0, 0],
        ],
      );
      assert.ok(states.every(({ blocked }) => blocked !== null));
    } finally {
      await a.dispose();
      await b.close();
      await aedes.stop();
    }
  });

  test("static: the configuration's filters are the routes, exact from the start", async () => {
    const [a, b] = [await Site.open("a", ["max_queued_messages 1000000"]), await Site.open("b", EVENT_LINES)];
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        broker: "static",
        config: {
          local: { filters: ["st/+", "st/deep/#", "not/linked"] },
          links: [{ name: "b", server: b.broker.url, topics: ["st/#"] }],
        },
      });
      await linked(a, b);
      await a.agent.exact();
      const [reader, writer] = [await a.client(), await b.client()];
      await reader.subscribe("#");
      await writer.reaches(reader, "st/1");
      await writer.reaches(reader, "st/deep/er");
      await writer.publish("st/1/2", "no filter of ours");
      await writer.publish("not/linked", "not of the link");
      await writer.publish("st/1", "sentinel");
      await reader.arrival("sentinel");
      assert.deepEqual(reader.texts(), ["sentinel"]);
      assert.equal((await b.agent.linkStatus("a")).in.routes, 2);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });
});
