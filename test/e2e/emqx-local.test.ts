/** An agent beside EMQX, or what stands in for it (test/emqx): what its events leave unsaid, its REST API says. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { EmqxDouble } from "../emqx/emqx-double.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";
import { type ClientOptions, TestClient } from "./test-client.ts";

const POLL = "2s";

/** Cluster `a` at the double, which wants everything; cluster `b` at a Mosquitto, where messages are published. */
class EmqxPair {
  readonly emqx: EmqxDouble;
  readonly b: Site;
  readonly #clients: TestClient[] = [];
  #agent: AgentProcess | null = null;

  private constructor(emqx: EmqxDouble, b: Site) {
    this.emqx = emqx;
    this.b = b;
  }

  static async open(): Promise<EmqxPair> {
    return new EmqxPair(await EmqxDouble.start(), await Site.open("b", EVENT_LINES));
  }

  get agent(): AgentProcess {
    if (this.#agent === null) throw new Error("no agent yet");
    return this.#agent;
  }

  config(api: object = {}): Record<string, unknown> {
    const { url, key, secret } = this.emqx.rest;
    return {
      local: { api: { server: url, key, secret, poll_interval: POLL, timeout: "2s", ...api } },
      links: [{ name: "b", server: this.b.broker.url, topics: ["#"] }],
    };
  }

  async startAgents(api: object = {}): Promise<void> {
    this.#agent = await AgentProcess.start({
      cluster: "a",
      local: this.emqx.url,
      broker: "emqx",
      config: this.config(api),
    });
    this.b.agent = await AgentProcess.start({
      cluster: "b",
      local: this.b.broker.url,
      links: { a: null },
      topics: { a: ["back/#"] },
    });
    await Promise.all([this.agent.linked("b"), this.b.agent.linked("a")]);
  }

  async client(id: string, options: ClientOptions = {}): Promise<TestClient> {
    const client = await TestClient.connect(this.emqx.url, { id, version: 4, ...options });
    this.#clients.push(client);
    return client;
  }

  /** What `b` knows that `a` wants. */
  async routes(count: number, timeoutMs = 20_000): Promise<void> {
    await this.b.agent.untilLink(
      "a",
      `${count} routes`,
      (link) => link.in.routes === count || `${link.in.routes}`,
      timeoutMs,
    );
  }

  async apiState(state: string, code: string | null = null): Promise<void> {
    await this.agent.untilStatus(
      `the API is ${state} ${code}`,
      ({ brokerApi }) =>
        (brokerApi?.state === state && (brokerApi.problem?.code ?? null) === code) || JSON.stringify(brokerApi),
    );
  }

  async endClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map(({ client }) => client.endAsync(true)));
    await this.b.endClients();
  }

  async close(): Promise<void> {
    await this.endClients();
    await this.#agent?.dispose();
    await this.b.close();
    await this.emqx.stop();
  }
}

describe("an agent that comes late to an EMQX with clients", { concurrency: false }, () => {
  let pair: EmqxPair;
  before(async () => {
    pair = await EmqxPair.open();
    const early = await pair.client("early/with/slashes");
    await early.subscribe(["early/1", "$share/g/early/2"]);
    const away = await pair.client("away", { clean: false });
    await away.subscribe("away/#");
    await away.vanish();
    await pair.startAgents();
    await pair.agent.exact();
  });
  after(() => pair.close());
  afterEach(() => pair.endClients());

  test("knows who was there before it, and who is away; its own subscriptions are nobody's", async () => {
    await pair.routes(3);
    const { brokerApi, hub } = await pair.agent.status();
    assert.equal(brokerApi?.state, "working");
    assert.equal(brokerApi.problem, null);
    assert.equal(hub.interest.ghosts, 0);
    const writer = await pair.b.client();
    const back = await pair.client("away", { clean: false });
    await writer.publish("away/1", "for a session that was resumed without a word");
    await back.arrival("for a session that was resumed without a word");
  });

  test("messages cross both ways, once", async () => {
    const [reader, writer] = [await pair.client("reader"), await pair.b.client()];
    await reader.subscribe("there/+");
    await writer.reaches(reader, "there/1");
    for (let n = 0; n < 20; n += 1) await writer.publish("there/1", `${n}`);
    await reader.arrival("19");
    assert.deepEqual(
      reader.texts("there/1"),
      Array.from({ length: 20 }, (_, n) => `${n}`),
    );
    const far = await pair.b.client();
    await far.subscribe("back/#");
    await reader.reaches(far, "back/1");
    await reader.publish("back/1", "hello");
    await far.arrival("hello");
    // What the agent subscribed to for `b` is on the list, and no interest of clients.
    await pair.emqx.rest.askedMore(2);
    const routes = await (await pair.agent.get("/api/v1/routes?direction=out&limit=100")).text();
    assert.ok(routes.includes("there/+") && !routes.includes("back/#"), routes);
  });

  test("a session that expires without an event loses its route, and one that is resumed then brings none back", async () => {
    const before = (await pair.b.agent.linkStatus("a")).in.routes;
    const short = await pair.client("short", { clean: false });
    await short.subscribe("expires/1");
    await pair.routes(before + 1);
    await short.vanish();
    await pair.emqx.expire("short");
    await pair.routes(before);
    await pair.client("short", { clean: false });
    const [reader, writer] = [await pair.client("other"), await pair.b.client()];
    await reader.subscribe("expires/2");
    await writer.reaches(reader, "expires/2");
    assert.ok((await pair.agent.status()).hub.interest.mended.removed > 0);
    await pair.agent.exact();
  });

  test("an event that got lost is made up for by the list", async () => {
    pair.emqx.losesEventsOf.add("lossy");
    const [reader, writer] = [await pair.client("lossy"), await pair.b.client()];
    await reader.subscribe("lost/1");
    await writer.reaches(reader, "lost/1");
    const before = (await pair.b.agent.linkStatus("a")).in.routes;
    await reader.unsubscribe("lost/1");
    await pair.routes(before - 1);
  });

  test("an API that goes away is said and changes nothing else; when it is back, the list goes on", async () => {
    await pair.emqx.rest.down();
    await pair.apiState("failing", "LOCAL_API_UNREACHABLE");
    await pair.agent.logged(/"code":"LOCAL_API_UNREACHABLE".*events alone/);
    const [reader, writer] = [await pair.client("meanwhile"), await pair.b.client()];
    await reader.subscribe("meanwhile/1");
    await writer.reaches(reader, "meanwhile/1");
    assert.equal((await pair.agent.status()).hub.wide, null);
    const metrics = await (await pair.agent.get("/metrics")).text();
    assert.match(metrics, /^brokerlink_local_api_up 0$/m);
    await pair.emqx.rest.up();
    await pair.apiState("working");
    await pair.agent.logged(/the local broker's API works again/);
  });

  test("a list of more than ten thousand rows comes page by page", async () => {
    pair.emqx.sessions.pad(12_345);
    const routes = (what: string, condition: (count: number) => boolean): Promise<void> =>
      pair.b.agent.untilLink("a", what, (link) => condition(link.in.routes) || `${link.in.routes}`, 60_000);
    await routes("all rows", (count) => count >= 12_345);
    await pair.agent.untilStatus(
      "the list is through",
      ({ brokerApi }) => (brokerApi?.last?.rows ?? 0) >= 12_345 || JSON.stringify(brokerApi),
    );
    assert.ok(pair.emqx.rest.asked.some((path) => path.endsWith("page=3")));
    pair.emqx.sessions.pad(0);
    await routes("none of them", (count) => count < 100);
    await pair.agent.exact();
  });
});

describe("an EMQX whose API is not to be had at first", { concurrency: false }, () => {
  test("a refused key: events alone, wide with the reason, until the key is right", async () => {
    const pair = await EmqxPair.open();
    try {
      const early = await pair.client("early");
      await early.subscribe("early/1");
      await pair.startAgents({ secret: "not-the-secret" });
      await pair.apiState("failing", "LOCAL_API_REFUSED");
      await pair.agent.untilStatus(
        "wide for want of the API",
        ({ hub }) => hub.wide?.reason === "api_unavailable" || `${hub.wide?.reason}`,
      );
      const writer = await pair.b.client();
      await writer.publish("early/1", "wide, so it comes");
      await early.arrival("wide, so it comes");
      const { problem } = (await pair.agent.status()).brokerApi ?? {};
      assert.match(problem?.why ?? "", /401 \(BAD_API_KEY_OR_SECRET\)/);
      pair.agent.rewrite(pair.config());
      pair.agent.signal("SIGHUP");
      await pair.apiState("working");
      await pair.agent.exact();
      await pair.routes(1);
    } finally {
      await pair.close();
    }
  });

  test("an API that never answers keeps no agent from stopping", async () => {
    const pair = await EmqxPair.open();
    try {
      pair.emqx.rest.instead = "hang";
      await pair.startAgents({ timeout: "300s" });
      if (pair.emqx.rest.asked.length === 0) await pair.emqx.rest.askedMore(1);
      assert.equal(await pair.agent.stop(), 0);
    } finally {
      await pair.close();
    }
  });

  test("no events: said with the setting to change, and wide", async () => {
    const pair = await EmqxPair.open();
    try {
      pair.emqx.sysReadable = false;
      const early = await pair.client("early");
      await early.subscribe("early/1");
      await pair.startAgents();
      await pair.agent.logged(/"code":"EVENTS_DISABLED".*client_subscribed/);
      await pair.agent.untilStatus(
        "wide for want of events",
        ({ hub }) => hub.wide?.reason === "events_disabled" || `${hub.wide?.reason}`,
      );
    } finally {
      await pair.close();
    }
  });

  test("without an API the agent says what it does not know", async () => {
    const pair = await EmqxPair.open();
    const agent = new AgentProcess({ cluster: "a", local: pair.emqx.url, broker: "emqx" });
    try {
      await agent.start();
      await agent.logged(/without local\.api only EMQX's event messages are read/);
      assert.equal((await agent.status()).brokerApi, null);
    } finally {
      await agent.dispose();
      await pair.close();
    }
  });
});
