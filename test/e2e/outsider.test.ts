/** What outsiders and misconfigured peers can do on the control topics, and local clients with our loop mark. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { topicCheck } from "../../src/base/hash.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { NumberedStream } from "./numbered-stream.ts";
import { Pair, Site } from "./site.ts";

describe("a working link, and somebody who means no good", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open();
  });
  after(() => pair?.close());

  test("random bytes on every control topic and on message topics neither stop the link nor lose a message", async () => {
    const [reader, writer, outsider] = [await pair.a.client(), await pair.b.client(), await pair.a.client()];
    await reader.subscribe(["good/1", "noise/#"]);
    await writer.reaches(reader, "good/1");
    const stream = new NumberedStream(writer, "good/1", 5);
    const levels = ["ctl", "msg", "probe", "probe-mark", "x", ""];
    for (let round = 0; round < 40; round += 1) {
      for (const [to, from] of [
        ["a", "b"],
        ["b", "a"],
        ["a", "a"],
        ["zz", "b"],
        ["a", "zz"],
      ] as const) {
        for (const level of levels) {
          const bytes = randomBytes((round * 7) % 300);
          await outsider.publish(`$LINK/v1/${to}/${from}/${level}`, bytes, { qos: round % 2 === 0 ? 0 : 1 });
        }
      }
      await outsider.publish(`noise/${round}`, randomBytes(64));
    }
    await outsider.publish("$LINK/v1/a/b/ctl", randomBytes(1_000_000));
    await outsider.publish("$LINK/v1/a/b/ctl", randomBytes(100), { retain: true });
    await stream.stop();
    const tally = await stream.complete(reader, 1, stream.sent, 30_000);
    assert.equal(tally.duplicates, 0);
    await Promise.all([pair.a.agent.linked("b"), pair.b.agent.linked("a")]);
    const { conversation } = await pair.a.agent.linkStatus("b");
    const bad = conversation.find(({ what }) => what === "bad_message")?.count ?? 0;
    assert.ok(bad > 0, "they were seen and counted");
    await outsider.publish("$LINK/v1/a/b/ctl", "", { retain: true });
    await pair.endClients();
  });

  test("what lies under the control prefix never crosses, though both sides want #", async () => {
    const [reader, writer] = [await pair.b.client(), await pair.a.client()];
    await reader.subscribe(["#", "$LINK/v1/x/#"]);
    await writer.reaches(reader, "visible/1");
    await writer.publish("$LINK/v1/x/y/z", "hidden");
    await writer.publish("$other/x", "hidden too");
    await writer.publish("visible/1", "sentinel");
    await reader.arrival("sentinel");
    assert.deepEqual(reader.texts(), ["sentinel"]);
    await pair.endClients();
  });

  test("a local client's loop mark that fits its topic keeps the message at home, counted", async () => {
    const [reader, writer] = [await pair.b.client(), await pair.a.client()];
    await reader.subscribe("mark/1");
    await writer.reaches(reader, "mark/1");
    const before = (await pair.a.agent.status()).hub.local["loop_mark"] ?? 0;
    const mark = { "brokerlink-origin": "b", "brokerlink-check": topicCheck("mark/1") };
    await writer.publish("mark/1", "forged", { properties: { userProperties: mark } });
    await writer.publish("mark/1", "sentinel");
    await reader.arrival("sentinel");
    assert.deepEqual(reader.texts(), ["sentinel"]);
    assert.equal((await pair.a.agent.status()).hub.local["loop_mark"], before + 1);
    await pair.endClients();
  });

  test("a mark that does not fit, copied from another message, is taken off and the message crosses", async () => {
    const [reader, writer] = [await pair.b.client(), await pair.a.client()];
    await reader.subscribe("mark/2");
    await writer.reaches(reader, "mark/2");
    const copied = { "brokerlink-origin": "b", "brokerlink-check": topicCheck("another/topic"), mine: "kept" };
    await writer.publish("mark/2", "copied", { properties: { userProperties: copied } });
    const message = await reader.arrival("copied");
    const { userProperties } = message.properties;
    assert.deepEqual(
      { ...userProperties },
      { mine: "kept", "brokerlink-origin": "a", "brokerlink-check": topicCheck("mark/2") },
      "the mark is the link's own, made anew",
    );
    assert.ok(((await pair.a.agent.status()).hub.local["mark_stripped"] ?? 0) >= 1);
    await pair.endClients();
  });

  test("an answer that copies all properties of the question it got crosses back", async () => {
    const [asker, server] = [await pair.a.client(), await pair.b.client()];
    await server.subscribe("ask/1");
    await asker.subscribe("answer/1");
    server.onMessage(({ text, properties }) => {
      const { userProperties } = properties;
      if (text === "question" && userProperties !== undefined) {
        void server.publish("answer/1", "answer", { properties: { userProperties } });
      }
    });
    await asker.reaches(server, "ask/1");
    await server.reaches(asker, "answer/1");
    await asker.publish("ask/1", "question");
    await asker.arrival("answer");
    await pair.endClients();
  });
});

describe("links that do not match", { concurrency: false }, () => {
  async function problem(agent: AgentProcess, link: string, code: string, status: string | null): Promise<void> {
    await agent.untilLink(
      link,
      `${agent.cluster} says ${code} of ${link}`,
      (state) =>
        (state.lastProblem?.code === code && (status === null || state.status === status)) ||
        JSON.stringify([state.status, state.lastProblem]),
      30_000,
    );
  }

  test("a peer with the wrong name, a peer without the link, a disabled link: each is named on the side that can mend it", async () => {
    const [a, b] = [await Site.open("a"), await Site.open("b")];
    const to = (name: string, more: object = {}): object => ({ name, server: b.broker.url, topics: ["#"], ...more });
    try {
      b.agent = await AgentProcess.start({
        cluster: "b",
        local: b.broker.url,
        config: { links: [{ name: "a", server: a.broker.url, enable: false, topics: ["#"] }] },
      });
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        config: { links: [to("b"), to("bee", { clientid: "a-to-bee" })] },
      });
      await problem(a.agent, "b", "PEER_LINK_DISABLED", null);
      await problem(a.agent, "bee", "WRONG_NAME", null);
      const refused = await a.agent.linkStatus("bee");
      assert.match(refused.lastProblem?.reason ?? "", /"b"/, "the name that answered is told");
      await b.agent.logged(/WRONG_NAME.*bee/);
      assert.equal((await b.agent.link("a")).status, "disconnected");
      // Without any link for us.
      await b.agent.stop();
      await b.agent.dispose();
      b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, config: {} });
      await problem(a.agent, "b", "PEER_UNKNOWN_LINK", null);
      await b.agent.logged(/UNKNOWN_PEER/);
      // Nothing of this stops the local side.
      await a.agent.exact();
      assert.equal((await a.agent.get("/readyz")).status, 200);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("two agents of one name: at least one says DUPLICATE_AGENT and is not ready", async () => {
    const [a, b] = [await Site.open("a"), await Site.open("b")];
    const second = new AgentProcess({
      cluster: "a",
      local: a.broker.url,
      // Client ids of its own, or the brokers would part the two.
      config: {
        local: { clientid: "second" },
        links: [{ name: "b", server: b.broker.url, topics: ["#"] }],
      },
    });
    try {
      b.agent = await AgentProcess.start({
        cluster: "b",
        local: b.broker.url,
        links: { a: a.broker.url },
        topics: { a: ["#"] },
      });
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        links: { b: b.broker.url },
        topics: { b: ["#"] },
      });
      await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
      await second.start();
      const doubles: AgentProcess[] = [];
      await until(
        "one of them says that it is a double",
        async () => {
          for (const agent of [a.agent, second]) if ((await agent.status()).hub.duplicate) doubles.push(agent);
          return doubles.length > 0;
        },
        30_000,
      );
      const double = doubles[0] ?? assert.fail();
      const ready = await double.get("/readyz");
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /DUPLICATE_AGENT/);
    } finally {
      await second.dispose();
      await Promise.all([a.close(), b.close()]);
    }
  });
});
