/**
 * Agents and brokers that stop, die and come back while numbered QoS 1 messages flow.
 *
 * Durability is `memory`. The end of the *sending* agent may cost two things: what it had taken from its broker and the peer
 * had not confirmed (unless it drains, after SIGTERM), and what is published until it is back and has heard the peer's routes.
 * Nothing else may be lost: not by the receiving agent, not by either broker's end (with persistence), not by the network.
 */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { until } from "../support/until.ts";
import { NumberedStream } from "./numbered-stream.ts";
import { EVENT_LINES, Pair } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import type { TestClient } from "./test-client.ts";

const PERSISTENT = { version: 4, clean: false } as const;

describe("what a disturbance costs: messages from B to A", { concurrency: false }, () => {
  let pair: Pair;
  let proxy: TcpProxy;
  let reader: TestClient;
  let writer: TestClient;

  before(async () => {
    pair = await Pair.open({
      bWants: [],
      bDials: async (a) => {
        proxy = await TcpProxy.start(a.broker.port);
        return proxy.url;
      },
    });
    reader = await pair.a.client({ id: "reader", ...PERSISTENT });
    writer = await pair.b.client({ id: "writer" });
    await reader.subscribe("s/#");
    await writer.reaches(reader, "s/1");
  });
  after(async () => {
    await pair?.close();
    await proxy?.stop();
  });

  async function through(stem: string, disturb: () => Promise<void>): Promise<NumberedStream> {
    const stream = new NumberedStream(writer, "s/1", 4, stem);
    await stream.reached(50);
    await disturb();
    await stream.reached(stream.sent + 50);
    await stream.stop();
    return stream;
  }

  test("nothing is lost when the receiving agent is stopped and started", async () => {
    const stream = await through("stop-a", async () => {
      for (let round = 0; round < 3; round += 1) {
        assert.equal(await pair.a.agent.stop("SIGTERM"), 0);
        await pair.a.agent.start();
        await pair.a.agent.linked("b");
      }
    });
    const tally = await stream.complete(reader, 1, stream.sent, 25_000);
    assert.equal(tally.duplicates, 0, "a stop in order leaves nothing half done");
  });

  test("nothing is lost when the receiving agent is killed; duplicates only around the kill", async (t) => {
    const stream = await through("kill-a", async () => {
      assert.equal(await pair.a.agent.stop("SIGKILL"), -1);
      await pair.a.agent.start();
      await pair.a.agent.linked("b");
    });
    const tally = await stream.complete(reader, 1, stream.sent, 25_000);
    t.diagnostic(`${tally.duplicates} duplicates`);
    assert.ok(tally.duplicates <= 64, "at most what was republished and not yet confirmed");
  });

  test("when the sending agent is stopped in order, nothing is lost but what is published until it is back", async (t) => {
    // The last ones before the signal may not have reached the agent yet: they count as published while it was away.
    await sendingAgent("SIGTERM", 10, t);
  });

  test("when the sending agent is killed, what it had not yet handed over may be lost too", async (t) => {
    await sendingAgent("SIGKILL", 64, t);
  });

  async function sendingAgent(signal: "SIGTERM" | "SIGKILL", before: number, t: TestContext): Promise<void> {
    let [stopped, back] = [0, 0];
    const stem = `sender-${signal}`;
    const stream = new NumberedStream(writer, "s/1", 4, stem);
    await stream.reached(50);
    stopped = stream.sent;
    assert.equal(await pair.b.agent.stop(signal), signal === "SIGTERM" ? 0 : -1);
    await pair.b.agent.start();
    await pair.b.agent.linked("a");
    await pair.settled();
    back = stream.sent + 1;
    await stream.reached(back + 50);
    await stream.stop();
    await stream.complete(reader, back, stream.sent, 25_000);
    await stream.complete(reader, 1, stopped - before, 25_000);
    t.diagnostic(`stopped at ${stopped}, back at ${back}: ${stream.tally(reader).lost.length} lost between`);
  }

  test("nothing is lost when the link is cut for some seconds", async () => {
    const stream = await through("cut", async () => {
      const cutAtMs = Date.now();
      proxy.cut();
      await pair.b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
      await until("three seconds have passed", () => Date.now() - cutAtMs > 3_000);
      proxy.heal();
      await pair.b.agent.linked("a");
    });
    const tally = await stream.complete(reader, 1, stream.sent, 25_000);
    assert.equal(tally.disordered, 0);
  });

  test("nothing is lost in a black hole, which is noticed without a word from the other side", async () => {
    const stream = await through("hole", async () => {
      proxy.blackHole();
      await pair.b.agent.untilLink("a", "the hole is noticed", (link) => link.status !== "connected", 50_000);
      proxy.heal();
      await pair.b.agent.linked("a");
    });
    const tally = await stream.complete(reader, 1, stream.sent, 40_000);
    assert.equal(tally.disordered, 0);
  });
});

describe("brokers that end and come back", { concurrency: false }, () => {
  const LINES = [...EVENT_LINES, "autosave_interval 1"];
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ bWants: [], aLines: LINES, bLines: LINES });
  });
  after(() => pair?.close());

  test("both agents and both brokers, killed and started in any order, find together again and are exact", async () => {
    const orders = [
      ["agent a", "broker a", "agent b", "broker b"],
      ["broker b", "agent a", "broker a", "agent b"],
      ["agent b", "agent a", "broker b", "broker a"],
      ["broker a", "broker b", "agent b", "agent a"],
    ];
    for (const order of orders) {
      await Promise.all([pair.a.agent.stop("SIGKILL"), pair.b.agent.stop("SIGKILL")]);
      await Promise.all([pair.a.broker.kill("SIGKILL"), pair.b.broker.kill("SIGKILL")]);
      for (const what of order) {
        const site = what.endsWith("a") ? pair.a : pair.b;
        if (what.startsWith("agent")) await site.agent.start();
        else await site.broker.restart(LINES);
      }
      await pair.ready();
      const [reader, writer] = [await pair.a.client(), await pair.b.client()];
      await reader.subscribe("any/order");
      await writer.reaches(reader, "any/order");
      await pair.endClients();
    }
  });

  test("nothing is lost when the receiving broker restarts", async () => {
    const before = await pair.a.client({ id: "stays", ...PERSISTENT });
    const writer = await pair.b.client();
    await before.subscribe("r/#");
    await writer.reaches(before, "r/1");
    const stream = new NumberedStream(writer, "r/1", 5);
    await stream.reached(50);
    await pair.a.broker.restart(LINES, "SIGTERM");
    await stream.reached(stream.sent + 50);
    const back = await pair.a.client({ id: "stays", ...PERSISTENT });
    await pair.b.agent.linked("a");
    await stream.reached(stream.sent + 100);
    await stream.stop();
    const seen = new Set([...before.texts(), ...back.texts()]);
    await pair.b.agent.untilLink(
      "a",
      "all is confirmed",
      (link) => link.queue.spooled === 0 || `${link.queue.spooled}`,
    );
    await back.arrival(`n ${stream.sent}`, 20_000);
    for (const text of back.texts()) seen.add(text);
    const lost = Array.from({ length: stream.sent }, (_, n) => `n ${n + 1}`).filter((text) => !seen.has(text));
    assert.deepEqual(lost, []);
    // The broker says nothing of a session that goes on: its row is doubtful, and the agent wide, until it is seen again.
    assert.notEqual((await pair.a.agent.status()).hub.wide, null);
    await back.subscribe("r/#");
    await pair.a.agent.exact();
    await back.unsubscribe("r/#");
    await pair.endClients();
  });

  test("nothing that the sending broker took is lost when it restarts", async () => {
    const [reader, first] = [await pair.a.client({ id: "reader" }), await pair.b.client()];
    await reader.subscribe("q/#");
    await first.reaches(reader, "q/1");
    for (let n = 1; n <= 100; n += 1) await first.publish("q/1", `n ${n}`);
    await pair.b.broker.restart(LINES, "SIGTERM");
    const second = await pair.b.client();
    for (let n = 101; n <= 200; n += 1) await second.publish("q/1", `n ${n}`);
    await reader.arrival("n 200", 20_000);
    const texts = new Set(reader.texts());
    const lost = Array.from({ length: 200 }, (_, n) => `n ${n + 1}`).filter((text) => !texts.has(text));
    assert.deepEqual(lost, [], "the agent's durable session took what was published before it was back");
    await pair.b.agent.linked("a", 30_000);
    await pair.endClients();
  });
});
